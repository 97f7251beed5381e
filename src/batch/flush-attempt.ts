import { isThenable } from '../util/is-thenable.ts'
import { BatchError } from './batch-error.ts'
import { describe, MillraceError, toError } from '../errors.ts'
import type { Message } from '../message.ts'
import type { Flush } from './flush.ts'

/** How an attempt ended. `'fatal'`: nobody can tell when it ends, so there must be no other one. */
export type Outcome =
  | { readonly type: 'flushed' }
  | { readonly type: 'failed'; readonly error: Error }
  | { readonly type: 'fatal'; readonly error: MillraceError }

const flushed: Outcome = { type: 'flushed' }

/** One call of the flush function, with its time limit. */
export class FlushAttempt<T> {
  readonly #flush: Flush<T>
  readonly #messages: readonly Message<T>[]
  readonly #timeoutMs: number
  readonly #controller = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #timeout: MillraceError | undefined
  #end: (outcome: Outcome) => void = () => undefined

  constructor(flush: Flush<T>, messages: readonly Message<T>[], timeoutMs: number) {
    this.#flush = flush
    this.#messages = messages
    this.#timeoutMs = timeoutMs
  }

  /**
   * Calls the flush function. Resolves when that has ended, also where it was aborted: until then it may read the values
   * (G10). Only one that ignores its abort for another `timeoutMs` is not waited for.
   */
  async run(): Promise<Outcome> {
    try {
      return await new Promise<Outcome>((resolve, reject) => {
        this.#end = resolve
        this.#timer = setTimeout(() => this.#expire(), this.#timeoutMs)
        void this.#call().then(resolve, reject)
      })
    } finally {
      clearTimeout(this.#timer)
    }
  }

  /** Aborts from outside. Its own time limit then no longer keeps the process alive: whoever aborted has given up. */
  abort(reason: unknown): void {
    if (!this.#controller.signal.aborted) this.#abort(reason)
    this.#timer?.unref()
  }

  async #call(): Promise<Outcome> {
    try {
      const result: unknown = this.#flush(this.#messages, this.#controller.signal)
      if (!isThenable(result)) return { type: 'fatal', error: noPromise(result) }
      await result
      return flushed
    } catch (thrown) {
      return { type: 'failed', error: this.#failure(toError(thrown)) }
    }
  }

  /** A `BatchError` is told as it is, even after the time-out: it knows what is durable. */
  #failure(error: Error): Error {
    if (this.#timeout === undefined || error instanceof BatchError) return error
    if (error !== this.#timeout && error.cause !== this.#timeout) this.#timeout.cause = error
    return this.#timeout
  }

  #expire(): void {
    this.#timeout = new MillraceError(
      'MR_FLUSH_TIMEOUT',
      `Expected a flush of ${this.#messages.length} messages to end within ${this.#timeoutMs} ms. ` +
        'Raise `timeoutMs`, or lower `count` or `bytes`.',
    )
    this.#abort(this.#timeout)
  }

  #abort(reason: unknown): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#end({ type: 'fatal', error: this.#stuck(reason) }), this.#timeoutMs)
    this.#controller.abort(reason)
  }

  #stuck(reason: unknown): MillraceError {
    return new MillraceError(
      'MR_FLUSH_STUCK',
      `Expected a flush to settle once its signal had aborted, but it was still pending ${this.#timeoutMs} ms later. ` +
        'Pass the signal on to whatever the flush function waits for.',
      { cause: reason },
    )
  }
}

function noPromise(value: unknown): MillraceError {
  return new MillraceError(
    'MR_FLUSH_FAILED',
    `Expected the flush function to return a promise, got ${describe(value)}. ` +
      'Make it async and let it await the write: its messages would else be acked before they are durable.',
  )
}
