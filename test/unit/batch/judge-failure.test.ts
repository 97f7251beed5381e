import { describe, expect, it } from 'vitest'
import { BatchError } from '../../../src/batch/batch-error.ts'
import { resolveBatchPolicy, type RetryPolicy } from '../../../src/batch/batch-policy.ts'
import { Cut } from '../../../src/batch/cut.ts'
import { judgeFailure, type Part } from '../../../src/batch/judge-failure.ts'
import { RetrySchedule } from '../../../src/batch/retry-schedule.ts'
import { calm, message, Receipt } from './support.ts'

const down = new Error('down')
const final = Object.assign(new Error('refused for good'), { retryable: false })

function part(text: string, rest: Partial<Part<string>> = {}): Part<string> {
  const cut = new Cut<string>()
  const origin = { settlement: new Receipt(text.length), signal: calm }
  for (const [index, value] of text.split('').entries()) cut.add(message(value), origin, index)
  return { cut, attempt: 1, isolated: false, ...rest }
}

/** The verdict in short: who is durable, given up, next (with the attempt), the wait, and the fatal code. */
function judge(subject: Part<string>, error: Error, retry: RetryPolicy = {}): object {
  const schedule = new RetrySchedule(resolveBatchPolicy({ retry }).retry, () => 1)
  const verdict = judgeFailure(subject, error, schedule)
  return {
    durable: verdict.durable === undefined ? '' : text(verdict.durable),
    givenUp: [...verdict.givenUp.keys()].map((position) => subject.cut.messages[position]?.value).join(''),
    next: verdict.next.map(({ cut, attempt, isolated }) => `${text(cut)}${attempt}${isolated ? '!' : ''}`).join(' '),
    delayMs: verdict.delayMs,
    fatal: verdict.fatal?.code,
  }
}

const text = (cut: Cut<string>): string => cut.messages.map(({ value }) => value).join('')
const nothing = { durable: '', givenUp: '', next: '', delayMs: undefined, fatal: undefined }

describe('judgeFailure, of a flush that failed as a whole', () => {
  it('tries all of it again while attempts are left', () => {
    expect(judge(part('abc'), down)).toEqual({ ...nothing, next: 'abc2', delayMs: 500 })
    expect(judge(part('abc', { attempt: 3 }), down)).toEqual({ ...nothing, next: 'abc4', delayMs: 2_000 })
  })

  it('is fatal once the attempts are used up, or where the error is final', () => {
    expect(judge(part('abc', { attempt: 4 }), down)).toEqual({ ...nothing, fatal: 'MR_FLUSH_FAILED' })
    expect(judge(part('abc'), final)).toEqual({ ...nothing, fatal: 'MR_FLUSH_FAILED' })
    expect(judge(part('abc'), down, { isRetryable: () => false })).toEqual({ ...nothing, fatal: 'MR_FLUSH_FAILED' })
  })

  it('says how often it was tried and why, with the cause', () => {
    const schedule = new RetrySchedule(resolveBatchPolicy().retry)
    const { fatal } = judgeFailure(part('abc', { attempt: 4 }), down, schedule)
    expect(fatal?.cause).toBe(down)
    expect(fatal?.message).toContain('attempt 4 failed: down')
    expect(judgeFailure(part('abc'), final, schedule).fatal?.message).toContain('not retryable')
  })

  it.each([
    ['without an index', new BatchError('x')],
    ['with an index past the end', new BatchError('x').failed(1, down).failed(3, down)],
    ['with a negative index', new BatchError('x').failed(-1, down)],
    ['with an index that is no whole number', new BatchError('x').failed(0.5, down)],
    ['with an index that is no number', new BatchError('x').failed('1' as never, down)],
    ['with a wrong index and a split', new BatchError('x').failed(9, down).split()],
  ])('takes a BatchError %s for one', (_, error) => {
    expect(judge(part('abc'), error)).toEqual({ ...nothing, next: 'abc2', delayMs: 500 })
    expect(judge(part('abc', { attempt: 4 }), error)).toEqual({ ...nothing, fatal: 'MR_FLUSH_FAILED' })
  })
})

describe('judgeFailure, of failed indexes', () => {
  it('tries the failed alone again; the rest is durable', () => {
    const error = new BatchError('x').failed(3, down).failed(1, down)
    expect(judge(part('abcde'), error)).toEqual({ ...nothing, durable: 'ace', next: 'bd2', delayMs: 500 })
  })

  it('gives up what has no attempt left, for itself alone', () => {
    const error = new BatchError('x').failed(0, down).failed(2, down)
    expect(judge(part('abc', { attempt: 4 }), error)).toEqual({ ...nothing, durable: 'b', givenUp: 'ac' })
  })

  it('judges each reason for itself', () => {
    const error = new BatchError('x').failed(0, final).failed(1, down).failed(2, final)
    expect(judge(part('abcd'), error)).toEqual({
      durable: 'd',
      givenUp: 'ac',
      next: 'b2',
      delayMs: 500,
      fatal: undefined,
    })
  })

  it('tries nothing again where the BatchError itself says so', () => {
    const error = Object.assign(new BatchError('x').failed(0, down), { retryable: false })
    expect(judge(part('ab'), error)).toEqual({ ...nothing, durable: 'b', givenUp: 'a' })
  })

  it('gives each message a coded reason with what failed it as the cause', () => {
    const { givenUp } = judgeFailure(
      part('ab'),
      new BatchError('x').failed(0, final).failed(1, 'text' as never),
      new RetrySchedule(resolveBatchPolicy({ retry: { attempts: 1 } }).retry),
    )
    expect(givenUp.get(0)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: final })
    expect(givenUp.get(1)?.cause).toMatchObject({ cause: 'text' })
  })

  it('divides any set of failures without loss', () => {
    for (let failed = 1; failed < 2 ** 5; failed++) {
      const error = new BatchError('x')
      const [inSet, outside] = [[] as string[], [] as string[]]
      for (const [index, value] of ['a', 'b', 'c', 'd', 'e'].entries()) {
        const fails = (failed & (1 << index)) !== 0
        if (fails) error.failed(index, down)
        ;(fails ? inSet : outside).push(value)
      }
      expect(judge(part('abcde'), error)).toMatchObject({ durable: outside.join(''), next: `${inSet.join('')}2` })
    }
  })
})

describe('judgeFailure, of a split', () => {
  it('tries the halves at once, in order, each with all its attempts', () => {
    expect(judge(part('abcde', { attempt: 3 }), new BatchError('x').split())).toEqual({
      ...nothing,
      next: 'abc1 de1',
      delayMs: 0,
    })
    expect(judge(part('ab'), new BatchError('x').split())).toEqual({ ...nothing, next: 'a1! b1!', delayMs: 0 })
  })

  it('splits only the failed where they are named', () => {
    const error = new BatchError('x').failed(0, down).failed(2, down).failed(4, down).split()
    expect(judge(part('abcde'), error)).toEqual({ ...nothing, durable: 'bd', next: 'ac1 e1!', delayMs: 0 })
  })

  it('is no retry: a single attempt, or an error that is not retryable, does not prevent it', () => {
    expect(judge(part('ab', { attempt: 1 }), new BatchError('x').split(), { attempts: 1 })).toMatchObject({
      next: 'a1! b1!',
    })
    const final = Object.assign(new BatchError('x').split(), { retryable: false })
    expect(judge(part('ab'), final)).toMatchObject({ next: 'a1! b1!' })
  })

  it('gives up a message that goes on failing alone, however it fails', () => {
    expect(judge(part('a', { isolated: true }), down)).toEqual({ ...nothing, next: 'a2!', delayMs: 500 })
    expect(judge(part('a', { isolated: true, attempt: 4 }), down)).toEqual({ ...nothing, givenUp: 'a' })
    expect(judge(part('a', { isolated: true }), final)).toEqual({ ...nothing, givenUp: 'a' })
    expect(judge(part('a', { attempt: 4 }), new BatchError('x').split())).toEqual({ ...nothing, givenUp: 'a' })
    expect(judge(part('a', { attempt: 4 }), new BatchError('x').failed(0, down).split())).toEqual({
      ...nothing,
      givenUp: 'a',
    })
  })
})
