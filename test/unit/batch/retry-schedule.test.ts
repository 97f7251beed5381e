import { describe, expect, it } from 'vitest'
import { resolveBatchPolicy, type RetryPolicy } from '../../../src/batch/batch-policy.ts'
import { RetrySchedule } from '../../../src/batch/retry-schedule.ts'

function schedule(retry: RetryPolicy = {}, random = 1): RetrySchedule {
  return new RetrySchedule(resolveBatchPolicy({ retry }).retry, () => random)
}

function delays(retry: RetryPolicy, random: number, attempts: number): number[] {
  const subject = schedule(retry, random)
  return Array.from({ length: attempts }, (_, index) => subject.delayAfter(index + 1))
}

describe('RetrySchedule', () => {
  it('doubles from 500 ms to 5 s by default', () => {
    expect(delays({}, 1, 6)).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000])
  })

  it('draws each wait from 0 to its bound: full jitter', () => {
    expect(delays({}, 0, 3)).toEqual([0, 0, 0])
    expect(delays({}, 0.5, 4)).toEqual([250, 500, 1_000, 2_000])
  })

  it('takes its figures from the policy', () => {
    expect(delays({ backoffMs: 10, factor: 3, maxBackoffMs: 50 }, 1, 4)).toEqual([10, 30, 50, 50])
    expect(delays({ backoffMs: 8_000 }, 1, 2)).toEqual([8_000, 8_000])
    expect(delays({ backoffMs: 8_000, maxBackoffMs: 100 }, 1, 2)).toEqual([100, 100])
    expect(delays({ factor: 1 }, 1, 3)).toEqual([500, 500, 500])
  })

  it('stays a number of milliseconds for ever', () => {
    expect(schedule({ attempts: Infinity }).delayAfter(1e9)).toBe(5_000)
    expect(schedule({ backoffMs: 0 }).delayAfter(1e9)).toBe(0)
    expect(schedule({ maxBackoffMs: 0 }).delayAfter(1e9)).toBe(0)
    expect(schedule({ backoffMs: 0.0 + 333, factor: 1.1 }, 0.123).delayAfter(2)).toBe(45)
  })

  it('gives up after the last attempt: 4 by default, 1 means none, Infinity never', () => {
    expect([1, 2, 3, 4].map((attempt) => schedule().hasNext(attempt))).toEqual([true, true, true, false])
    expect(schedule({ attempts: 1 }).hasNext(1)).toBe(false)
    expect(schedule({ attempts: Infinity }).hasNext(1e9)).toBe(true)
  })

  it('finds everything retryable but an error that says no', () => {
    expect(schedule().isRetryable(new Error('down'))).toBe(true)
    expect(schedule().isRetryable(Object.assign(new Error('no'), { retryable: false }))).toBe(false)
    expect(schedule().isRetryable(Object.assign(new Error('yes'), { retryable: true }))).toBe(true)
  })

  it('asks the policy instead where it has a word', () => {
    const subject = schedule({ isRetryable: (error) => error.message === 'busy' })
    expect(subject.isRetryable(new Error('busy'))).toBe(true)
    expect(subject.isRetryable(new Error('gone'))).toBe(false)
  })

  it('turns a throw of isRetryable into an error of the options', () => {
    const cause = new Error('oops')
    const subject = schedule({
      isRetryable: () => {
        throw cause
      },
    })
    expect(() => subject.isRetryable(new Error('x'))).toThrow(
      expect.objectContaining({ code: 'MR_OPTION_INVALID', cause }),
    )
  })
})
