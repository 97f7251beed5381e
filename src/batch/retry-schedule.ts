import { MillraceError } from '../errors.ts'
import type { ResolvedRetryPolicy } from './batch-policy.ts'

/** Decides whether a failed flush is tried again, and when: exponential back-off with full jitter. */
export class RetrySchedule {
  readonly #policy: ResolvedRetryPolicy
  readonly #random: () => number

  /** `random` yields numbers from 0 up to 1, as `Math.random` does. */
  constructor(policy: ResolvedRetryPolicy, random: () => number = Math.random) {
    this.#policy = policy
    this.#random = random
  }

  /** Whether attempt number `attempt`, the first being 1, may be followed by another one. */
  hasNext(attempt: number): boolean {
    return attempt < this.#policy.attempts
  }

  /** What the policy says of the error. A throw of the user's function is an error of the options. */
  isRetryable(error: Error): boolean {
    try {
      return this.#policy.isRetryable(error)
    } catch (thrown) {
      throw new MillraceError(
        'MR_OPTION_INVALID',
        'Expected `retry.isRetryable` to return true or false, but it threw. Make it return false for what it cannot judge.',
        { cause: thrown },
      )
    }
  }

  /** The wait after attempt number `attempt`, in whole milliseconds. */
  delayAfter(attempt: number): number {
    const { backoffMs, factor, maxBackoffMs } = this.#policy
    if (backoffMs === 0) return 0
    return Math.round(this.#random() * Math.min(maxBackoffMs, backoffMs * factor ** (attempt - 1)))
  }
}
