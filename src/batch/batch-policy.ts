import type { Message } from '../message.ts'
import { messageSize } from '../util/message-size.ts'
import { fn, integer, knownKeys, milliseconds, number } from '../util/options.ts'

/** When a failed flush is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first one counted; `Infinity` waits for the destination and throttles the source. @default 4 */
  attempts?: number
  /** The longest wait before the second attempt, in milliseconds; each wait is drawn from 0 to it (full jitter). @default 500 */
  backoffMs?: number
  /** What the wait is multiplied by for each further attempt. @default 2 */
  factor?: number
  /** The bound on the wait, in milliseconds. @default 5_000, or `backoffMs` where that is more */
  maxBackoffMs?: number
  /**
   * Whether another attempt makes sense. Asked for the error of a flush that failed as a whole, and for the reason of each
   * failed message of a `BatchError`.
   * @default everything but an error with `retryable: false`
   */
  isRetryable?(error: Error): boolean
}

/** When a batch is flushed, and what is done when that fails. */
export interface BatchPolicy {
  /** Flush when this many messages are held. @default 1_000 */
  count?: number
  /** Flush before the batch would pass this many bytes; a larger message goes alone. @default 10_485_760 (10 MiB) */
  bytes?: number
  /** Flush when the oldest message held has waited this long, in milliseconds. @default 1_000 */
  periodMs?: number
  /** Flushes at once. 1 keeps the order to the far end; with more, only acks stay ordered. @default 1 */
  concurrency?: number
  /**
   * The time of one attempt, in milliseconds, after which its signal aborts. The next attempt starts when it has ended;
   * one that goes on for as long again is fatal (`MR_FLUSH_STUCK`).
   * @default 60_000
   */
  timeoutMs?: number
  /** When a failed flush is tried again. @default every field its own default */
  retry?: RetryPolicy
  /** The size of a message in bytes. @default the value's length, or an estimate of its packed size, and key and headers */
  sizeOf?(message: Message<unknown>): number
}

/** Complete, checked and frozen. */
export type ResolvedRetryPolicy = Readonly<Required<RetryPolicy>>

/** Complete, checked and frozen. */
export type ResolvedBatchPolicy = Readonly<Required<Omit<BatchPolicy, 'retry'>> & { retry: ResolvedRetryPolicy }>

const batchKeys = ['count', 'bytes', 'periodMs', 'concurrency', 'timeoutMs', 'retry', 'sizeOf'] as const
const retryKeys = ['attempts', 'backoffMs', 'factor', 'maxBackoffMs', 'isRetryable'] as const

/** Checks a policy and fills in its defaults. Throws `MR_OPTION_INVALID`. */
export function resolveBatchPolicy(policy?: BatchPolicy): ResolvedBatchPolicy {
  const { count, bytes, periodMs, concurrency, timeoutMs, retry, sizeOf } = knownKeys('batch', policy, batchKeys)
  return Object.freeze({
    count: integer('count', count, { min: 1, default: 1_000 }),
    bytes: integer('bytes', bytes, { min: 1, default: 10_485_760, allowInfinity: true }),
    periodMs: milliseconds('periodMs', periodMs, { min: 1, default: 1_000 }),
    concurrency: integer('concurrency', concurrency, { min: 1, default: 1 }),
    timeoutMs: milliseconds('timeoutMs', timeoutMs, { min: 1, default: 60_000 }),
    retry: resolveRetryPolicy(retry),
    sizeOf: fn('sizeOf', sizeOf, messageSize),
  })
}

function resolveRetryPolicy(policy?: RetryPolicy): ResolvedRetryPolicy {
  const { attempts, backoffMs, factor, maxBackoffMs, isRetryable } = knownKeys('retry', policy, retryKeys)
  const backoff = milliseconds('retry.backoffMs', backoffMs, { min: 0, default: 500 })
  return Object.freeze({
    attempts: integer('retry.attempts', attempts, { min: 1, default: 4, allowInfinity: true }),
    backoffMs: backoff,
    factor: number('retry.factor', factor, { min: 1, default: 2 }),
    maxBackoffMs: milliseconds('retry.maxBackoffMs', maxBackoffMs, { min: 0, default: Math.max(5_000, backoff) }),
    isRetryable: fn('retry.isRetryable', isRetryable, mayBeRetried),
  })
}

function mayBeRetried(error: Error): boolean {
  return (error as { retryable?: unknown }).retryable !== false
}
