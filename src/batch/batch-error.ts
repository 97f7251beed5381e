const brand: unique symbol = Symbol.for('millrace.batchError') as never

/**
 * Partial failure of one flush. Throw it from a flush function to say which messages failed: those are retried alone, and
 * the rest of the batch is durable and acked. Without an index, or with one out of range, the whole flush failed.
 *
 * A failed message is retried as long as the retry policy finds its reason retryable; then it gets the error policy of the
 * processor, for itself alone. `retryable: false` on the `BatchError` gives up all that failed at once.
 *
 * @example
 * ```ts
 * import { batch, BatchError } from 'millrace'
 *
 * const destination = batch<string>(async (messages) => {
 *   const failure = new BatchError('some rows were refused')
 *   messages.forEach((message, index) => {
 *     if (message.value === '') failure.failed(index, new Error('empty row'))
 *   })
 *   if (failure.failures.size > 0) throw failure
 * })
 * ```
 */
export class BatchError extends Error {
  override readonly name = 'BatchError'
  readonly #failures = new Map<number, Error>()
  #split = false

  constructor(message?: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, brand, { value: true })
  }

  /** Across copies of the package too; for a subclass, its own instances only. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== BatchError) return Function.prototype[Symbol.hasInstance].call(this, value)
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  }

  /** The message at this index of the flush failed. */
  failed(index: number, reason: Error): this {
    this.#failures.set(index, reason)
    return this
  }

  /**
   * Some message is at fault, which one is unknown: the messages are tried again in halves, down to the single one, which
   * fails for itself alone. With failed indexes, only those are. A split is no retry: each half has all its attempts.
   */
  split(): this {
    this.#split = true
    return this
  }

  /** What {@link BatchError.failed} recorded: reason by index. */
  get failures(): ReadonlyMap<number, Error> {
    return this.#failures
  }

  /** Whether {@link BatchError.split} was called. */
  get splits(): boolean {
    return this.#split
  }
}
