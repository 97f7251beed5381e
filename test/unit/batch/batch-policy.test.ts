import { describe, expect, it } from 'vitest'
import { batch } from '../../../src/batch/batch.ts'
import { resolveBatchPolicy, type BatchPolicy } from '../../../src/batch/batch-policy.ts'
import { messageSize } from '../../../src/util/message-size.ts'

describe('resolveBatchPolicy', () => {
  it('has the documented defaults', () => {
    const { retry, ...policy } = resolveBatchPolicy()
    expect(policy).toEqual({
      count: 1_000,
      bytes: 10_485_760,
      periodMs: 1_000,
      concurrency: 1,
      timeoutMs: 60_000,
      sizeOf: messageSize,
    })
    const { isRetryable, ...figures } = retry
    expect(figures).toEqual({ attempts: 4, backoffMs: 500, factor: 2, maxBackoffMs: 5_000 })
    expect(isRetryable(new Error('x'))).toBe(true)
  })

  it('is frozen, and takes no notice of later changes', () => {
    const given: BatchPolicy = { count: 5, retry: { attempts: 2 } }
    const policy = resolveBatchPolicy(given)
    given.count = 6
    expect(policy.count).toBe(5)
    expect(Object.isFrozen(policy)).toBe(true)
    expect(Object.isFrozen(policy.retry)).toBe(true)
  })

  const wrong: readonly [name: string, policy: object][] = [
    ['count', { count: 0 }],
    ['count', { count: 1.5 }],
    ['count', { count: Infinity }],
    ['count', { count: '10' }],
    ['bytes', { bytes: -1 }],
    ['periodMs', { periodMs: 0 }],
    ['periodMs', { periodMs: 2 ** 31 }],
    ['concurrency', { concurrency: 0 }],
    ['timeoutMs', { timeoutMs: NaN }],
    ['timeoutMs', { timeoutMs: Infinity }],
    ['sizeOf', { sizeOf: 5 }],
    ['retry', { retry: 3 }],
    ['retry', { retry: null }],
    ['retry.attempts', { retry: { attempts: 0 } }],
    ['retry.backoffMs', { retry: { backoffMs: -1 } }],
    ['retry.factor', { retry: { factor: 0.5 } }],
    ['retry.maxBackoffMs', { retry: { maxBackoffMs: Infinity } }],
    ['retry.isRetryable', { retry: { isRetryable: true } }],
    ['maxRetries', { maxRetries: 3 }],
    ['retries', { retry: { retries: 3 } }],
  ]
  it.each(wrong)('refuses a wrong %s: %o', (name, policy) => {
    expect(() => batch(async () => undefined, policy)).toThrow(
      expect.objectContaining({ code: 'MR_OPTION_INVALID', message: expect.stringContaining(`\`${name}\``) as string }),
    )
  })

  it('refuses a flush that is no function', () => {
    expect(() => batch('x' as never)).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  })
})
