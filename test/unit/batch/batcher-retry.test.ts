import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BatchError } from '../../../src/batch/batch-error.ts'
import { observe, type DestinationEvent } from '../../../src/util/observe.ts'
import { calm, rig, settle, state } from './support.ts'

const down = new Error('down')
const final = Object.assign(new Error('for good'), { retryable: false })

function unsure(): boolean {
  throw new Error('oops')
}

describe('Batcher, a flush that fails as a whole', () => {
  it('acks when a later attempt succeeds', async () => {
    const { far, send } = rig({ count: 2 })
    const { receipt } = send('a', 'b')
    for (const call of [0, 1]) {
      far.call(call).fail(down)
      await settle()
    }
    expect(receipt.acked).toEqual([])
    far.call(2).done()
    await settle()
    expect(far.values).toEqual([
      ['a', 'b'],
      ['a', 'b'],
      ['a', 'b'],
    ])
    expect(receipt.acked).toEqual([0, 1])
  })

  it.each([
    { attempts: 1, calls: 1 },
    { attempts: 3, calls: 3 },
    { attempts: undefined, calls: 4 },
  ])('is fatal after $attempts attempts, with no ack', async ({ attempts, calls }) => {
    const { far, batcher, send } = rig({ count: 1, retry: attempts === undefined ? {} : { attempts } })
    const running = batcher.run(calm)
    const { receipt } = send('a')
    for (let call = 0; call < calls; call++) {
      expect(await state(running)).toBe('pending')
      far.call(call).fail(down)
      await settle()
    }
    expect(await state(running)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: down })
    expect(far.calls.length).toBe(calls)
    expect(receipt.acked).toEqual([])
    expect(receipt.nacked.size).toBe(0)
  })

  it('is not tried again where the error is not retryable', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    const running = batcher.run(calm)
    send('a')
    far.call(0).fail(final)
    expect(await state(running)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: final })
    expect(far.calls.length).toBe(1)
  })

  it.each([null, undefined, 'text', { code: 'X' }])('takes a rejection with %s as a failure', async (reason) => {
    const { far, send } = rig({ count: 1 })
    const { receipt } = send('a')
    far.call(0).fail(reason as never)
    await settle()
    expect(receipt.acked).toEqual([])
    far.call(1).done()
    await settle()
    expect(receipt.acked).toEqual([0])
  })

  it('is fatal with an error of the options where isRetryable throws', async () => {
    const { far, batcher, send } = rig({ count: 1, retry: { isRetryable: unsure } })
    const running = batcher.run(calm)
    send('a')
    far.call(0).fail(down)
    expect(await state(running)).toMatchObject({ code: 'MR_OPTION_INVALID' })
  })
})

describe('Batcher, back-off and time-out', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('waits between attempts, longer each time', async () => {
    const { far, send } = rig({ count: 1, retry: { backoffMs: 50 } })
    send('a')
    for (const [call, delayMs] of [50, 100, 200].entries()) {
      far.call(call).fail(down)
      await vi.advanceTimersByTimeAsync(delayMs - 1)
      expect(far.calls.length).toBe(call + 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(far.calls.length).toBe(call + 2)
    }
  })

  it('applies the time-out to each attempt', async () => {
    const { far, send } = rig({ count: 1, timeoutMs: 100 })
    const { receipt } = send('a')
    for (const call of [0, 1]) {
      await vi.advanceTimersByTimeAsync(99)
      expect(far.call(call).signal.aborted).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      expect(far.call(call).signal.reason).toMatchObject({ code: 'MR_FLUSH_TIMEOUT' })
      far.call(call).fail(new Error('aborted'))
      await settle()
    }
    far.call(2).done()
    await settle()
    expect(receipt.acked).toEqual([0])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('G10: starts the next attempt only when the timed-out one has ended', async () => {
    const { far, send } = rig({ count: 1, timeoutMs: 100 })
    const { receipt } = send('a', 'b')
    await vi.advanceTimersByTimeAsync(199)
    expect(far.call(0).signal.aborted).toBe(true)
    expect(far.calls.length).toBe(1)
    expect(receipt.acked).toEqual([])
    far.call(0).fail(new Error('late'))
    await settle()
    expect(far.values).toEqual([['a'], ['a']])
    expect(far.open).toBe(1)
  })

  it('G10: counts a timed-out attempt that succeeds after all', async () => {
    const { far, send } = rig({ count: 1, timeoutMs: 100 })
    const { receipt } = send('a', 'b')
    await vi.advanceTimersByTimeAsync(150)
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([0])
    expect(far.values).toEqual([['a'], ['b']])
  })

  it('is fatal with the time-out as its cause once every attempt timed out', async () => {
    const { far, batcher, send } = rig({ count: 1, timeoutMs: 100, retry: { attempts: 2 } })
    const outcome = batcher.run(calm).catch((error: unknown) => error)
    send('a')
    for (const call of [0, 1]) {
      await vi.advanceTimersByTimeAsync(100)
      far.call(call).fail(new Error('aborted'))
      await settle()
    }
    expect(await outcome).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: { code: 'MR_FLUSH_TIMEOUT' } })
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('Batcher, a flush that fails in part', () => {
  it('acks the rest at once, in place, and tries the failed alone', async () => {
    const { far, batcher, send } = rig()
    const first = send('a', 'b', 'c')
    const second = send('d', 'e')
    batcher.flush()
    far.call(0).fail(new BatchError('x').failed(1, down).failed(3, down))
    await settle()
    expect(first.receipt.acked).toEqual([0, 2])
    expect(second.receipt.acked).toEqual([1])
    expect(far.values[1]).toEqual(['b', 'd'])
    far.call(1).fail(new BatchError('x').failed(0, down))
    await settle()
    expect(second.receipt.acked).toEqual([1, 0])
    far.call(2).done()
    await settle()
    expect(first.receipt.acked).toEqual([0, 2, 1])
  })

  it('settles every message once, whichever fail and however long', async () => {
    for (let mask = 0; mask < 2 ** 4; mask++) {
      const { far, batcher, send } = rig({ retry: { attempts: 2 } })
      const { receipt } = send('0', '1', '2', '3')
      batcher.flush()
      for (let call = 0; call < far.calls.length; call++) {
        const failing = far.call(call).values.filter((value) => (mask & (1 << Number(value))) !== 0)
        const error = new BatchError('x')
        for (const value of failing) error.failed(far.call(call).values.indexOf(value), down)
        if (failing.length === 0) far.call(call).done()
        else far.call(call).fail(error)
        await settle()
      }
      const expected = [0, 1, 2, 3].filter((index) => (mask & (1 << index)) === 0)
      expect(receipt.acked).toEqual(expected)
      expect(receipt.acked.length + receipt.nacked.size).toBe(4)
      expect(far.calls.length).toBe(mask === 0 ? 1 : 2)
    }
  })

  it('nacks what is left, message by message, and goes on', async () => {
    const { far, batcher, send } = rig({ count: 3, retry: { attempts: 2 } })
    const running = batcher.run(calm)
    const { receipt } = send('a', 'b', 'c', 'd', 'e', 'f')
    const [one, two] = [new Error('one'), new Error('two')]
    far.call(0).fail(new BatchError('x').failed(0, one).failed(2, two))
    await settle()
    far.call(1).fail(new BatchError('x').failed(0, one).failed(1, two))
    await settle()
    expect(receipt.acked).toEqual([1])
    expect([...receipt.nacked.keys()]).toEqual([0, 2])
    expect(receipt.nacked.get(0)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: one })
    expect(receipt.nacked.get(2)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: two })
    expect(far.values[2]).toEqual(['d', 'e', 'f'])
    expect(await state(running)).toBe('pending')
  })

  it('is fatal where the retry of the failed fails as a whole for good', async () => {
    const { far, batcher, send } = rig({ count: 2, retry: { attempts: 2 } })
    const running = batcher.run(calm)
    const { receipt } = send('a', 'b')
    far.call(0).fail(new BatchError('x').failed(1, down))
    await settle()
    far.call(1).fail(down)
    expect(await state(running)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: down })
    expect(receipt.acked).toEqual([0])
    expect(receipt.nacked.size).toBe(0)
  })

  it('finds the one at fault by halves: it is nacked, all others are acked', async () => {
    for (let bad = 0; bad < 7; bad++) {
      const { far, batcher, send } = rig({ retry: { attempts: 2 } })
      const { receipt } = send('0', '1', '2', '3', '4', '5', '6')
      batcher.flush()
      for (let call = 0; call < far.calls.length; call++) {
        const { values, done, fail } = far.call(call)
        if (values.includes(String(bad))) fail(values.length > 1 ? new BatchError('x').split() : down)
        else done()
        await settle()
      }
      expect(receipt.acked).toEqual([0, 1, 2, 3, 4, 5, 6].filter((index) => index !== bad))
      expect([...receipt.nacked.keys()]).toEqual([bad])
      expect(receipt.nacked.get(bad)).toMatchObject({ cause: down })
    }
  })

  it('keeps the order through a split', async () => {
    const { far, send } = rig({ count: 4 })
    send('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
    far.call(0).fail(new BatchError('x').split())
    for (const call of [1, 2]) {
      await settle()
      far.call(call).done()
    }
    await settle()
    expect(far.values).toEqual([
      ['a', 'b', 'c', 'd'],
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f', 'g', 'h'],
    ])
  })
})

describe('Batcher, what it reports', () => {
  it('tells every failed attempt, with the wait before the next', async () => {
    const { far, batcher, send } = rig({ count: 3, retry: { attempts: 2, backoffMs: 1 } })
    const events: DestinationEvent[] = []
    batcher[observe]((event) => events.push(event))
    const running = batcher.run(calm)
    send('a', 'b', 'c')
    const partial = new BatchError('x').failed(0, down).failed(1, down)
    far.call(0).fail(partial)
    await vi.waitUntil(() => far.calls.length === 2)
    far.call(1).fail(final)
    expect(await state(running)).toMatchObject({ cause: final })
    expect(events).toEqual([
      { type: 'flushFailed', messages: 2, attempt: 1, delayMs: 1, error: partial },
      { type: 'flushFailed', messages: 2, attempt: 2, delayMs: undefined, error: final },
    ])
  })

  it('takes a listener that throws as fatal', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    batcher[observe](() => {
      throw new TypeError('listener')
    })
    const running = batcher.run(calm)
    send('a')
    far.call(0).fail(down)
    expect(await state(running)).toMatchObject({ code: 'MR_INTERNAL', cause: { message: 'listener' } })
  })
})
