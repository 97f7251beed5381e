/**
 * Partial failure of one flush. Throw it from a flush function to say which messages failed: those are retried alone, and
 * the rest of the batch is durable and acked. Without an index, or with one out of range, the whole flush failed.
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

  /** The message at this index of the flush failed. */
  failed(index: number, reason: Error): this {
    this.#failures.set(index, reason)
    return this
  }

  /** Some message is at fault, which one is unknown: the batch is tried again in halves, down to the single message. */
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
