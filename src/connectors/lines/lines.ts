import type { Readable } from 'node:stream'
import { messageOf, MillraceError, toError } from '../../errors.ts'
import type { Delivery, Source } from '../../source.ts'
import { untilAborted } from '../../util/until-aborted.ts'
import type { ByteInput } from './byte-input.ts'
import { Checkpoint } from './checkpoint.ts'
import { LineDelivery } from './line-delivery.ts'
import { LineSplitter } from './line-splitter.ts'
import { resolveLinesOptions, type LinesOptions, type ResolvedLines } from './lines-options.ts'
import { openFile, streamInput } from './open-input.ts'

/** A source of the lines of one file or stream. */
class LinesSource implements Source<Uint8Array> {
  readonly ackMode = 'cumulative'
  readonly #options: ResolvedLines
  readonly #checkpoint: Checkpoint | undefined
  #input: ByteInput | undefined
  #splitter: LineSplitter | undefined
  #readOffset = 0
  #advancing: Promise<void> | undefined
  readonly #closed = new AbortController()
  #closing: Promise<void> | undefined
  #failure: Error | undefined
  #inputEnded = false
  #ended = false

  constructor(options: ResolvedLines) {
    this.#options = options
    const { checkpoint, input, gzip, name } = options
    this.#checkpoint = checkpoint && new Checkpoint(checkpoint.path, checkpoint.everyMs, name)
    // A given stream may fail at any time from now on, and an error that nobody listens for ends the process.
    if (typeof input !== 'string') this.#start(streamInput(input, gzip), 0)
  }

  async recv(signal: AbortSignal): Promise<Delivery<Uint8Array> | undefined> {
    const [delivery] = await this.recvBatch(1, Infinity, signal)
    return delivery
  }

  async recvBatch(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<Uint8Array>[]> {
    const deliveries: LineDelivery[] = []
    while (!signal.aborted && this.#closing === undefined) {
      if (this.#splitter !== undefined) this.#take(this.#splitter, max, maxBytes, deliveries)
      if (deliveries.length > 0 || this.#ended) break
      if (this.#failure !== undefined) throw this.#failure
      this.#advancing ??= this.#advance()
      await untilAborted(this.#advancing, signal)
    }
    return deliveries
  }

  ackBatch(deliveries: readonly Delivery<Uint8Array>[]): void {
    // Acks are cumulative: the last one of a run stands for all.
    void deliveries.at(-1)?.ack()
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#checkpoint?.run(signal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Adds the lines that are in memory. A line that is too long fails the next call, after those before it. */
  #take(splitter: LineSplitter, max: number, maxBytes: number, deliveries: LineDelivery[]): void {
    const { idPrefix, topic, skipEmpty } = this.#options
    let bytes = 0
    while (this.#failure === undefined) {
      if (deliveries.length > 0 && (deliveries.length >= max || bytes >= maxBytes)) return
      let value: Uint8Array | undefined
      try {
        value = this.#inputEnded ? splitter.last() : splitter.next()
      } catch (thrown) {
        this.#failure = toError(thrown)
        return
      }
      if (value === undefined) {
        this.#ended = this.#inputEnded
        return
      }
      if (skipEmpty && value.length === 0) continue
      bytes += value.length
      const message = { id: `${idPrefix}${splitter.start}`, key: '', topic, value }
      deliveries.push(new LineDelivery(message, splitter.end, this.#checkpoint))
    }
  }

  /** Opens the input, or reads its next bytes. It may end after the `recv` that began it was aborted. */
  async #advance(): Promise<void> {
    try {
      await (this.#input === undefined ? this.#open() : this.#read(this.#input))
    } catch (thrown) {
      this.#failure = this.#named(thrown)
    } finally {
      this.#advancing = undefined
    }
  }

  async #open(): Promise<void> {
    const { input, gzip } = this.#options
    if (typeof input !== 'string') return
    const opened = await openFile(input, gzip, this.#checkpoint, this.#closed.signal)
    this.#start(opened.input, opened.offset)
  }

  #start(input: ByteInput, offset: number): void {
    this.#input = input
    this.#readOffset = offset
    this.#splitter = new LineSplitter(this.#options.name, this.#options.split, offset)
  }

  async #read(input: ByteInput): Promise<void> {
    const chunk = await input.read()
    if (chunk === undefined) {
      this.#inputEnded = true
      return input.close()
    }
    this.#checkpoint?.observe(chunk, this.#readOffset)
    this.#readOffset += chunk.length
    this.#splitter?.feed(chunk)
  }

  async #close(): Promise<void> {
    this.#closed.abort()
    try {
      // An input that is still being opened is closed once it is there.
      if (this.#input === undefined) await this.#advancing
      await this.#input?.close()
      await this.#advancing
    } catch (thrown) {
      throw this.#named(thrown)
    } finally {
      await this.#checkpoint?.close()
    }
  }

  #named(thrown: unknown): MillraceError {
    if (thrown instanceof MillraceError) return thrown
    const { input, name } = this.#options
    const isPath = typeof input === 'string'
    return new MillraceError(
      isPath ? 'MR_FILE_FAILED' : 'MR_SOURCE_FAILED',
      `Expected to read ${name} to its end, got ${messageOf(thrown)}. ` +
        (isPath ? 'Check that it exists, and that this user may read it.' : 'Correct what feeds the stream.'),
      { cause: thrown },
    )
  }
}

/**
 * The lines of a file or stream, as bytes: one message a line, without its delimiter. A last line without delimiter is
 * yielded too, an empty last piece is not, and invalid UTF-8 is left as it is (G10). A message's `id` is the path, or the
 * topic of a stream, with the line's byte offset; its `key` is `''`.
 *
 * A path is read from its first byte to the end that it has then; standard input is `lines(process.stdin)`. The source owns a
 * stream that is given to it, destroys it when it closes, and takes a stream that closes before its end for a failure;
 * `process.stdin` is paused instead, so that the process can exit.
 *
 * With `checkpoint` the offset of what has been acked is kept in a file, which is replaced atomically, and the next run goes
 * on there: after a crash no line is missing, and those acked within the last `checkpointEveryMs` come again. Offsets in a
 * gzip file count decompressed bytes, and going on reads through what is before.
 *
 * **Gotchas.** A file that is read with a checkpoint while another process appends to it: a last line that was not yet
 * complete is yielded as it was, and its rest is a line of the next run. Acks are cumulative: there is no `nack`.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` at once. From `recv`: `MR_FILE_FAILED` when the file cannot be read,
 * `MR_SOURCE_FAILED` when the stream fails, `MR_LINE_TOO_LONG`, `MR_CHECKPOINT_MISMATCH` when the file is not the one that
 * the checkpoint was made from, `MR_CHECKPOINT_FAILED` when the checkpoint cannot be read. From `ack`, `run` and `close`:
 * `MR_CHECKPOINT_FAILED` when it cannot be written.
 *
 * @example
 * ```ts
 * import { Readable } from 'node:stream'
 * import { lines } from 'millrace'
 *
 * const source = lines(Readable.from([Buffer.from('{"n":1}\n{"n":2}\n')]), { topic: 'numbers' })
 * const { signal } = new AbortController()
 * for (let next = await source.recv(signal); next !== undefined; next = await source.recv(signal)) {
 *   console.log(next.message.id, Buffer.from(next.message.value).toString())
 *   await next.ack()
 * }
 * await source.close?.()
 * ```
 */
export function lines(input: string | URL | Readable, options?: LinesOptions): Source<Uint8Array> {
  return new LinesSource(resolveLinesOptions(input, options))
}
