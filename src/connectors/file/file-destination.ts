import { BatchError } from '../../batch/batch-error.ts'
import type { BatchPolicy } from '../../batch/batch-policy.ts'
import { batch } from '../../batch/batch.ts'
import type { Destination, Settlement } from '../../destination.ts'
import type { Message } from '../../message.ts'
import { type Format, joinLines } from '../../util/join-lines.ts'
import { type DestinationEvent, observe, type Observable } from '../../util/observe.ts'
import { type AppendFile, notRetryable } from './append-file.ts'

/** A batcher whose flush appends to a file. */
export class FileDestination<T> implements Destination<T>, Observable {
  readonly #file: AppendFile
  readonly #batches: Destination<T>

  constructor(file: AppendFile, format: Format<T>, delimiter: Uint8Array, policy: Omit<BatchPolicy, 'concurrency'>) {
    this.#file = file
    const append = async (messages: readonly Message<T>[], signal: AbortSignal): Promise<void> => {
      const { bytes, failures } = joinLines(messages, format, delimiter)
      if (bytes.byteLength > 0) await file.append(bytes, signal)
      if (failures.size === 0) return
      const failure = new BatchError('Some messages could not be formatted.')
      for (const [index, reason] of failures) failure.failed(index, notRetryable(reason))
      throw failure
    }
    // Appends must not overlap: the file is cut back where one fails.
    this.#batches = batch(append, { ...policy, concurrency: 1 })
  }

  send(messages: readonly Message<T>[], settlement: Settlement, signal: AbortSignal): void | Promise<void> {
    return this.#batches.send(messages, settlement, signal)
  }

  flush(): void {
    this.#batches.flush?.()
  }

  /** Opens the file at once, so that a path that cannot be written to fails the run before the first message. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#file.open(), this.#batches.run?.(signal)])
  }

  async close(): Promise<void> {
    try {
      await this.#batches.close?.()
    } finally {
      await this.#file.close()
    }
  }

  [observe](listener: (event: DestinationEvent) => void): void {
    const batches: Observable = this.#batches as Destination<T> & Observable
    batches[observe]?.(listener)
  }
}
