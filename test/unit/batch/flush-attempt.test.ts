import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BatchError } from '../../../src/batch/batch-error.ts'
import { FlushAttempt, type Outcome } from '../../../src/batch/flush-attempt.ts'
import type { Flush } from '../../../src/batch/flush.ts'
import { messages } from './support.ts'

function attempt(flush: Flush<string>): FlushAttempt<string> {
  return new FlushAttempt(flush, messages('a', 'b'), 100)
}

/** A flush that ends when told to, whatever its signal says. */
function byHand(): { flush: Flush<string>; signal: () => AbortSignal; done: () => void; fail: (error: Error) => void } {
  let given: AbortSignal | undefined
  let end: { resolve: () => void; reject: (error: Error) => void } | undefined
  return {
    flush: (_, signal) => {
      given = signal
      return new Promise<void>((resolve, reject) => {
        end = { resolve, reject }
      })
    },
    signal: () => given ?? expect.unreachable(),
    done: () => end?.resolve(),
    fail: (error) => end?.reject(error),
  }
}

async function failure(outcome: Promise<Outcome>): Promise<Error & { code?: string }> {
  const ended = await outcome
  if (ended.type !== 'failed') return expect.unreachable()
  return ended.error
}

const throwing = (reason: unknown) => () => {
  throw reason as Error
}

const rejecting = (reason: unknown) => async () => {
  throw reason as Error
}

describe('FlushAttempt', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })

  it('is flushed when the promise resolves, with a signal that has not aborted', async () => {
    const hand = byHand()
    const outcome = attempt(hand.flush).run()
    expect(hand.signal().aborted).toBe(false)
    hand.done()
    expect(await outcome).toEqual({ type: 'flushed' })
  })

  it('is flushed by a promise that is not our own kind', async () => {
    const foreign = runInNewContext('Promise.resolve()') as Promise<void>
    expect(foreign).not.toBeInstanceOf(Promise)
    expect(await attempt(() => foreign).run()).toEqual({ type: 'flushed' })
  })

  it('fails with what was thrown or rejected, as an Error', async () => {
    const error = new Error('x')
    for (const act of [rejecting, throwing]) {
      expect(await failure(attempt(act(error)).run())).toBe(error)
      expect(await failure(attempt(act(null)).run())).toMatchObject({ cause: null })
      expect(await failure(attempt(act(undefined)).run())).toBeInstanceOf(Error)
      expect(await failure(attempt(act('text')).run())).toMatchObject({ cause: 'text' })
      const frozen = Object.freeze(new Error('frozen'))
      expect(await failure(attempt(act(frozen)).run())).toBe(frozen)
    }
  })

  it.each([undefined, null, 0, 'ok', true, {}])(
    'is fatal where it returns %s: nobody can tell what is durable',
    async (value) => {
      expect(await attempt(() => value as never).run()).toMatchObject({
        type: 'fatal',
        error: { code: 'MR_FLUSH_FAILED' },
      })
    },
  )

  it('G10: aborts at the time-out, and ends only when the flush has ended', async () => {
    const hand = byHand()
    const outcome = attempt(hand.flush).run()
    const ended = vi.fn()
    void outcome.then(ended)
    await vi.advanceTimersByTimeAsync(99)
    expect(hand.signal().aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(hand.signal().reason).toMatchObject({ code: 'MR_FLUSH_TIMEOUT' })
    await vi.advanceTimersByTimeAsync(99)
    expect(ended).not.toHaveBeenCalled()
    const late = new Error('late')
    hand.fail(late)
    const error = await failure(outcome)
    expect(error).toBe(hand.signal().reason)
    expect(error.cause).toBe(late)
  })

  it('leaves no circle of causes where the flush rejects with its reason, or wraps it', async () => {
    for (const wrap of [(error: Error) => error, (error: Error) => new Error('aborted', { cause: error })]) {
      const hand = byHand()
      const outcome = attempt(hand.flush).run()
      await vi.advanceTimersByTimeAsync(100)
      hand.fail(wrap(hand.signal().reason as Error))
      const error = await failure(outcome)
      expect(error.code).toBe('MR_FLUSH_TIMEOUT')
      expect(error.cause).toBeUndefined()
    }
  })

  it('G10: counts as flushed where it resolves after its abort', async () => {
    const hand = byHand()
    const outcome = attempt(hand.flush).run()
    await vi.advanceTimersByTimeAsync(150)
    hand.done()
    expect(await outcome).toEqual({ type: 'flushed' })
  })

  it('keeps a BatchError that comes after the time-out: it knows what is durable', async () => {
    const hand = byHand()
    const outcome = attempt(hand.flush).run()
    await vi.advanceTimersByTimeAsync(150)
    const error = new BatchError('x').failed(0, new Error('row'))
    hand.fail(error)
    expect(await failure(outcome)).toBe(error)
  })

  it('G10: is fatal where it ignores its abort for as long again, with the time-out as the cause', async () => {
    const hand = byHand()
    const outcome = attempt(hand.flush).run()
    await vi.advanceTimersByTimeAsync(200)
    expect(await outcome).toMatchObject({
      type: 'fatal',
      error: { code: 'MR_FLUSH_STUCK', cause: { code: 'MR_FLUSH_TIMEOUT' } },
    })
    hand.done()
  })

  it('aborts from outside with the given reason, and is then held to the same limit', async () => {
    const hand = byHand()
    const subject = attempt(hand.flush)
    const outcome = subject.run()
    const reason = new Error('drain')
    subject.abort(reason)
    expect(hand.signal().reason).toBe(reason)
    await vi.advanceTimersByTimeAsync(100)
    expect(await outcome).toMatchObject({ type: 'fatal', error: { code: 'MR_FLUSH_STUCK', cause: reason } })
  })

  it('keeps the real error of a flush that was aborted from outside', async () => {
    const hand = byHand()
    const subject = attempt(hand.flush)
    const outcome = subject.run()
    subject.abort(new Error('drain'))
    const error = new Error('its own')
    hand.fail(error)
    expect(await failure(outcome)).toBe(error)
  })

  it('does not grow its time limit by a second abort', async () => {
    const hand = byHand()
    const subject = attempt(hand.flush)
    const outcome = subject.run()
    await vi.advanceTimersByTimeAsync(150)
    subject.abort(new Error('drain'))
    await vi.advanceTimersByTimeAsync(50)
    expect(await outcome).toMatchObject({ type: 'fatal', error: { code: 'MR_FLUSH_STUCK' } })
  })
})
