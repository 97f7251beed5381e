import type { Readable } from 'node:stream'
import { describe } from '../../errors.ts'
import type { ByteInput } from './byte-input.ts'
import { isStdin } from './lines-options.ts'

/** Reads a stream, which is paused while nobody asks. It listens for errors from its construction on. */
export class StreamInput implements ByteInput {
  readonly #stream: Readable
  readonly #chunks: Uint8Array[] = []
  #state: 'idle' | 'reading' | 'ended' | 'closed' = 'idle'
  #failure: Error | undefined
  #wake: () => void = () => {}

  constructor(stream: Readable) {
    this.#stream = stream
    if (stream.readableEnded) this.#state = 'ended'
    else if (stream.destroyed) this.#fail(stream.errored ?? new Error('it was destroyed before it was read'))
    stream.on('error', (error) => this.#fail(error))
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onClose)
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) return chunk
      if (this.#failure !== undefined) throw this.#failure
      if (this.#state === 'ended' || this.#state === 'closed') return undefined
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#flow()
      await woken
    }
  }

  close(): Promise<void> {
    if (this.#state !== 'closed') {
      this.#state = 'closed'
      this.#stream.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
      this.#release()
      this.#wake()
    }
    return Promise.resolve()
  }

  #flow(): void {
    if (this.#state === 'idle') {
      this.#state = 'reading'
      this.#stream.on('data', this.#onData)
    }
    this.#stream.resume()
  }

  /** Destroying standard input would end it for the rest of the process, and while it is read the process does not exit. */
  #release(): void {
    if (isStdin(this.#stream)) this.#stream.pause()
    else this.#stream.destroy()
  }

  readonly #onData = (chunk: unknown): void => {
    this.#stream.pause()
    if (chunk instanceof Uint8Array) this.#chunks.push(chunk)
    else if (typeof chunk === 'string') this.#chunks.push(Buffer.from(chunk))
    else this.#fail(new TypeError(`Expected a stream of bytes or strings, got ${describe(chunk)}`))
    this.#wake()
  }

  readonly #onEnd = (): void => {
    this.#state = 'ended'
    this.#wake()
  }

  /** Bytes that are missing must not look like the end of the input. */
  readonly #onClose = (): void => {
    if (this.#state !== 'ended') this.#fail(new Error('it was closed before its end'))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#wake()
  }
}
