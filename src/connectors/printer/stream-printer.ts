import type { Writable } from 'node:stream'
import type { Destination, Settlement } from '../../destination.ts'
import { MillraceError, toError } from '../../errors.ts'
import type { Message } from '../../message.ts'
import { type Format, joinLines, settleLines } from '../../util/join-lines.ts'
import { markQuietEnd } from '../../util/quiet-end.ts'

/** Writes to a stream, one write at a time. */
export class StreamPrinter<T> implements Destination<T> {
  readonly #stream: Writable
  readonly #format: Format<T>
  readonly #delimiter: Uint8Array
  #listening = false
  /** The first failure of the stream. It is final, though stdout would take further writes. */
  #failure: MillraceError | undefined
  /** Told of a failure while a write is under way: a stream may fail without ever calling back. */
  #onFailure: ((failure: MillraceError) => void) | undefined

  constructor(stream: Writable, format: Format<T>, delimiter: Uint8Array) {
    this.#stream = stream
    this.#format = format
    this.#delimiter = delimiter
  }

  async send(messages: readonly Message<T>[], settlement: Settlement, signal: AbortSignal): Promise<void> {
    const { bytes, failures } = joinLines(messages, this.#format, this.#delimiter)
    if (bytes.byteLength > 0) await this.#write(bytes, signal)
    settleLines(settlement, messages.length, failures)
  }

  async close(): Promise<void> {
    const standard = this.#stream === process.stdout || this.#stream === process.stderr
    if (!standard && this.#failure === undefined && !this.#stream.destroyed && !this.#stream.writableFinished) {
      await this.#whenDone((done) => this.#stream.end(done))
    }
    // A stream that has failed emits 'error' after its callbacks: unheard, it would end the process.
    if (this.#failure === undefined) this.#unlisten()
  }

  async #write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const abort = (): void => {
      this.#onFailure?.(new MillraceError('MR_ABORTED', 'The stream had not taken the bytes when the time was up.'))
    }
    signal.addEventListener('abort', abort)
    try {
      await this.#whenDone((done) => {
        this.#stream.write(bytes, done)
        if (signal.aborted) abort()
      })
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  /** Resolves when the stream calls back; rejects when it fails or closes first. */
  #whenDone(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    this.#listen()
    return new Promise<void>((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure)
        return
      }
      this.#onFailure = reject
      try {
        start((error) => {
          if (error !== undefined && error !== null) {
            this.#fail(error)
            return
          }
          // At once: a stream that has finished closes before a promise would tell.
          if (this.#onFailure === reject) this.#onFailure = undefined
          resolve()
        })
      } catch (thrown) {
        this.#fail(toError(thrown))
      }
    })
  }

  #listen(): void {
    if (this.#listening) return
    this.#listening = true
    this.#stream.on('error', this.#fail).on('close', this.#closed)
  }

  #unlisten(): void {
    this.#stream.off('error', this.#fail).off('close', this.#closed)
    this.#listening = false
  }

  readonly #closed = (): void => {
    if (this.#onFailure !== undefined) this.#fail(new Error('the stream was closed'))
  }

  readonly #fail = (cause: Error): void => {
    if (this.#failure === undefined) {
      this.#failure =
        (cause as NodeJS.ErrnoException).code === 'EPIPE'
          ? markQuietEnd(new MillraceError('MR_SEND_FAILED', 'The reader of the stream has gone (EPIPE).', { cause }))
          : new MillraceError('MR_SEND_FAILED', `The stream could not be written to: ${cause.message}`, { cause })
    }
    this.#onFailure?.(this.#failure)
    this.#onFailure = undefined
  }
}
