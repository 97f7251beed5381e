import { describe, MillraceError } from '../errors.ts'
import type { Message } from '../message.ts'
import type { ResolvedBatchPolicy } from './batch-policy.ts'
import { Cut, type Origin } from './cut.ts'

interface Waiting<T> {
  readonly cut: Cut<T>
  next: Waiting<T> | undefined
}

/**
 * Holds messages until they are flushed. Cuts a batch when the count is reached, and before it would pass the bytes.
 * Pure and synchronous.
 *
 *     first ─▶ full ─▶ full (last)   then   open, which grows
 */
export class BatchBuffer<T> {
  readonly #policy: Pick<ResolvedBatchPolicy, 'count' | 'bytes' | 'periodMs' | 'sizeOf'>
  #first: Waiting<T> | undefined
  #last: Waiting<T> | undefined
  #full = 0
  #open: Cut<T> | undefined
  #openBytes = 0
  #openSince = 0

  constructor(policy: Pick<ResolvedBatchPolicy, 'count' | 'bytes' | 'periodMs' | 'sizeOf'>) {
    this.#policy = policy
  }

  /** Batches that grow no more. */
  get full(): number {
    return this.#full
  }

  /** When the oldest message of the open batch has waited for the period; `undefined` where none is open. */
  get dueAt(): number | undefined {
    return this.#open === undefined ? undefined : this.#openSince + this.#policy.periodMs
  }

  /** Adds the messages of one `send`, in order. Throws where a size is no size, with the messages before it added. */
  add(messages: readonly Message<T>[], origin: Origin, now: number): void {
    const { count, bytes, sizeOf } = this.#policy
    let index = 0
    try {
      for (const message of messages) {
        const size = sizeOf(message)
        if (typeof size !== 'number' || !(size >= 0)) throw notASize(size)
        if (this.#open !== undefined && this.#openBytes + size > bytes) this.#close(this.#open)
        const open = (this.#open ??= this.#start(now))
        open.add(message, origin, index)
        this.#openBytes += size
        if (open.messages.length >= count || this.#openBytes >= bytes) this.#close(open)
        index += 1
      }
    } catch (thrown) {
      throw thrown instanceof MillraceError ? thrown : notASize(thrown)
    }
  }

  /** The oldest full batch; where there is none, the open one if `partial` says so. */
  take(partial: boolean): Cut<T> | undefined {
    const first = this.#first
    if (first !== undefined) {
      this.#first = first.next
      if (first.next === undefined) this.#last = undefined
      this.#full -= 1
      return first.cut
    }
    if (!partial) return undefined
    const open = this.#open
    this.#open = undefined
    return open
  }

  /** Forgets everything. */
  clear(): void {
    this.#first = undefined
    this.#last = undefined
    this.#open = undefined
    this.#full = 0
  }

  #start(now: number): Cut<T> {
    this.#openBytes = 0
    this.#openSince = now
    return new Cut()
  }

  #close(cut: Cut<T>): void {
    const waiting: Waiting<T> = { cut, next: undefined }
    if (this.#last === undefined) this.#first = waiting
    else this.#last.next = waiting
    this.#last = waiting
    this.#full += 1
    this.#open = undefined
  }
}

function notASize(came: unknown): MillraceError {
  return new MillraceError(
    'MR_OPTION_INVALID',
    `Expected \`sizeOf\` to return a number of bytes from 0 up, got ${describe(came)}. Correct it, or leave it out.`,
    came instanceof Error ? { cause: came } : undefined,
  )
}
