import { MillraceError, toError } from '../errors.ts'
import { BatchError } from './batch-error.ts'
import type { Cut } from './cut.ts'
import type { RetrySchedule } from './retry-schedule.ts'

/** Messages with the attempt that is next for them. */
export interface Part<T> {
  readonly cut: Cut<T>
  /** The number of the flush call that is next for these messages, from 1; a split begins anew. */
  readonly attempt: number
  /** A single message that a split has singled out: it fails for itself, however its flush fails. */
  readonly isolated: boolean
}

/** What follows from a failed attempt. Each message of the part is in exactly one of `durable`, `givenUp`, `next`, or `fatal`. */
export interface Verdict<T> {
  /** What the failed attempt flushed all the same. */
  readonly durable?: Cut<T>
  /** By position in the part: these failed for themselves alone. */
  readonly givenUp: ReadonlyMap<number, MillraceError>
  /** What is flushed next, in order, after the delay. */
  readonly next: readonly Part<T>[]
  /** The wait, in milliseconds; `undefined` where there is no next attempt. */
  readonly delayMs: number | undefined
  /** The flush failed as a whole, for good. */
  readonly fatal?: MillraceError
}

const nobody: ReadonlyMap<number, MillraceError> = new Map()

/** Decides what becomes of the messages of a failed attempt. Pure, but for the schedule's random numbers. */
export function judgeFailure<T>(part: Part<T>, error: Error, schedule: RetrySchedule): Verdict<T> {
  if (error instanceof BatchError && isInRange(error, part.cut.messages.length)) {
    if (error.failures.size > 0) return judgePartial(part, error, schedule)
    if (error.splits) {
      if (part.cut.messages.length > 1) return { givenUp: nobody, next: halves(part.cut), delayMs: 0 }
      return judgeWhole({ ...part, isolated: true }, error, schedule)
    }
  }
  return judgeWhole(part, error, schedule)
}

function judgeWhole<T>(part: Part<T>, error: Error, schedule: RetrySchedule): Verdict<T> {
  const { cut, attempt, isolated } = part
  const retryable = schedule.isRetryable(error)
  if (retryable && schedule.hasNext(attempt)) {
    return { givenUp: nobody, next: [{ cut, attempt: attempt + 1, isolated }], delayMs: schedule.delayAfter(attempt) }
  }
  if (isolated) return { givenUp: new Map([[0, messageFailed(attempt, error)]]), next: [], delayMs: undefined }
  return {
    givenUp: nobody,
    next: [],
    delayMs: undefined,
    fatal: flushFailed(cut.messages.length, attempt, retryable, error),
  }
}

function judgePartial<T>(part: Part<T>, error: BatchError, schedule: RetrySchedule): Verdict<T> {
  const { cut, attempt, isolated } = part
  const { failures } = error
  const durable = cut.pick((position) => !failures.has(position))
  if (error.splits && failures.size > 1) {
    return { durable, givenUp: nobody, next: halves(cut.pick((position) => failures.has(position))), delayMs: 0 }
  }
  const mayRetry = schedule.hasNext(attempt) && (error as { retryable?: unknown }).retryable !== false
  const again = new Set<number>()
  const givenUp = new Map<number, MillraceError>()
  for (const [failed, thrown] of failures) {
    const reason = toError(thrown)
    if (mayRetry && schedule.isRetryable(reason)) again.add(failed)
    else givenUp.set(failed, messageFailed(attempt, reason))
  }
  if (again.size === 0) return { durable, givenUp, next: [], delayMs: undefined }
  const next = [{ cut: cut.pick((position) => again.has(position)), attempt: attempt + 1, isolated }]
  return { durable, givenUp, next, delayMs: schedule.delayAfter(attempt) }
}

/** One index out of range makes the whole report untrustworthy: nothing of it may be acked. */
function isInRange(error: BatchError, length: number): boolean {
  for (const index of error.failures.keys()) {
    if (!Number.isInteger(index) || index < 0 || index >= length) return false
  }
  return true
}

function halves<T>(cut: Cut<T>): Part<T>[] {
  const middle = Math.ceil(cut.messages.length / 2)
  const parts = [cut.pick((position) => position < middle), cut.pick((position) => position >= middle)]
  return parts.map((half) => ({ cut: half, attempt: 1, isolated: half.messages.length === 1 }))
}

function messageFailed(attempt: number, cause: Error): MillraceError {
  return new MillraceError(
    'MR_FLUSH_FAILED',
    `Expected the destination to take this message, but it failed (attempt ${attempt}): ${cause.message}. ` +
      'The error policy applies to the message that it was made from.',
    { cause },
  )
}

function flushFailed(messages: number, attempt: number, retryable: boolean, cause: Error): MillraceError {
  const remedy = retryable
    ? 'The destination counts as down: see to it, or set `retry.attempts` to Infinity to wait for it.'
    : 'The error is not retryable: correct what it names, or let `retry.isRetryable` say otherwise.'
  return new MillraceError(
    'MR_FLUSH_FAILED',
    `Expected a flush of ${messages} messages to succeed, but attempt ${attempt} failed: ${cause.message}. ` +
      `None of them is acked. ${remedy}`,
    { cause },
  )
}
