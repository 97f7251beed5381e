import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { LiveContexts, MessageContext } from '../../../src/worker/message-context.ts'

function contextOf(live = new LiveContexts()): { context: MessageContext; live: LiveContexts } {
  return { live, context: new MessageContext('state', 2, 100, live) }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('MessageContext', () => {
  it('makes a signal, and a timer, only where one is asked for', () => {
    const { context, live } = contextOf()
    expect([context.state, context.attempt, vi.getTimerCount()]).toEqual(['state', 2, 0])
    context.close()
    expect(context.aborted).toBeUndefined()
    const { signal } = contextOf(live).context
    expect([signal.aborted, vi.getTimerCount()]).toEqual([false, 1])
  })

  it('gives the same signal each time', () => {
    const { context } = contextOf()
    expect(context.signal).toBe(context.signal)
  })

  it('aborts with MR_HANDLER_TIMEOUT when the time is up', () => {
    const { context } = contextOf()
    const { signal } = context
    vi.advanceTimersByTime(99)
    expect(signal.aborted).toBe(false)
    vi.advanceTimersByTime(1)
    expect(signal.reason).toMatchObject({
      code: 'MR_HANDLER_TIMEOUT',
      message: expect.stringContaining('100 ms') as string,
    })
    expect(context.aborted).toBe(signal.reason)
  })

  it('never aborts once the handler has returned', () => {
    const { context, live } = contextOf()
    const { signal } = context
    context.close()
    vi.advanceTimersByTime(1_000)
    live.abort(new MillraceError('MR_ABORTED', 'enough'))
    expect([signal.aborted, vi.getTimerCount()]).toEqual([false, 0])
  })

  it('aborts with all the others, also where its signal is asked for later', () => {
    const reason = new MillraceError('MR_ABORTED', 'enough')
    const { context, live } = contextOf()
    const { signal } = context
    expect(signal.aborted).toBe(false)
    live.abort(reason)
    expect([signal.reason, context.aborted]).toEqual([reason, reason])
    expect(contextOf(live).context.signal.reason).toBe(reason)
  })
})
