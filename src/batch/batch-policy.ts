import type { Message } from '../message.ts'

/** When a failed flush is tried again. */
export interface RetryPolicy {
  /** Attempts in all, the first one counted; `Infinity` waits for the destination and throttles the source. @default 4 */
  attempts?: number
  /** The longest wait before the second attempt, in milliseconds; each wait is drawn from 0 to it (full jitter). @default 500 */
  backoffMs?: number
  /** What the wait is multiplied by for each further attempt. @default 2 */
  factor?: number
  /** The bound on the wait, in milliseconds. @default 5_000 */
  maxBackoffMs?: number
  /** Whether another attempt makes sense. @default everything but an error with `retryable: false` */
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
  /** The time of one attempt, in milliseconds, after which its signal aborts. @default 60_000 */
  timeoutMs?: number
  retry?: RetryPolicy
  /** The size of a message in bytes. @default the value's length, or an estimate of its packed size, and key and headers */
  sizeOf?(message: Message<unknown>): number
}
