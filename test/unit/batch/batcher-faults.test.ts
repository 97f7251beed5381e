import { afterEach, describe, expect, it, vi } from 'vitest'
import { BatchError } from '../../../src/batch/batch-error.ts'
import { calm, rig, settle, state } from './support.ts'

/** Each of these was a fault of kawa's batcher, after which this one is modelled. */
describe('Batcher, faults that it must not have', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('1. G6: a drain flushes what is held, at once', async () => {
    const { far, batcher, send } = rig({ count: 100 })
    const { receipt } = send('a', 'b', 'c')
    batcher.flush()
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([0, 1, 2])
    expect(await state(batcher.close())).toBe('resolved')
  })

  it('2. G3: by default nothing overtakes, so that acks come in order even with retries', async () => {
    const { far, send } = rig({ count: 1 })
    const { receipt } = send('a', 'b', 'c')
    far.call(0).fail(new Error('once'))
    for (let call = 1; call <= 3; call++) {
      await settle()
      expect(far.open).toBe(1)
      far.call(call).done()
    }
    await settle()
    expect(receipt.acked).toEqual([0, 1, 2])
  })

  it('3. the time-out sees a stuck flush though every slot is stuck and messages go on arriving', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { send, batcher } = rig({ count: 1, concurrency: 2, timeoutMs: 50, periodMs: 10 })
    const outcome = batcher.run(calm).catch((error: unknown) => error)
    for (let step = 0; step < 10; step++) {
      send('x').room?.catch(() => undefined)
      await vi.advanceTimersByTimeAsync(9)
    }
    await vi.advanceTimersByTimeAsync(10)
    expect(await outcome).toMatchObject({ code: 'MR_FLUSH_STUCK' })
  })

  it('4. every attempt is timed from its own start, not only the first one', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { far, send } = rig({ count: 1, timeoutMs: 50 })
    send('a')
    await vi.advanceTimersByTimeAsync(40)
    far.call(0).done()
    await settle()
    send('b')
    await vi.advanceTimersByTimeAsync(49)
    expect(far.call(1).signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(far.call(1).signal.aborted).toBe(true)
  })

  it('5. flushes that all fail at once, with more waiting, end in one error and no deadlock', async () => {
    const { far, batcher, send } = rig({ count: 1, concurrency: 2, retry: { attempts: 1 } })
    const running = batcher.run(calm)
    const { room } = send('a', 'b', 'c', 'd', 'e', 'f')
    const error = new Error('first')
    far.call(0).fail(error)
    far.call(1).fail(new Error('second'))
    expect(await state(running)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: error })
    expect(await state(room)).toMatchObject({ code: 'MR_FLUSH_FAILED', cause: error })
    expect(far.calls.length).toBe(2)
    expect(await state(batcher.close())).toBe('resolved')
  })

  it('6. a failure that comes in during the shutdown is not dropped', async () => {
    const { far, batcher, send } = rig({ retry: { attempts: 1 } })
    const stop = new AbortController()
    const running = batcher.run(stop.signal)
    send('a')
    batcher.flush()
    stop.abort()
    expect(await state(running)).toBe('resolved')
    far.call(0).fail(new Error('late'))
    await settle()
    expect(await state(batcher.close())).toMatchObject({ code: 'MR_FLUSH_FAILED' })
  })

  it('7. a flush that is given up as stuck was told to stop, and close waited for it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { far, batcher, send } = rig({ count: 1, timeoutMs: 50 })
    send('a')
    const closed = batcher.close().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(99)
    expect(far.call(0).signal.aborted).toBe(true)
    expect(await state(closed)).toBe('pending')
    await vi.advanceTimersByTimeAsync(1)
    expect(await closed).toMatchObject({ code: 'MR_FLUSH_STUCK' })
  })

  it('8. no timer outlives its batch, however it ends', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { far, batcher, send } = rig({ count: 2, periodMs: 1_000, retry: { backoffMs: 1_000 } })
    for (let batch = 0; batch < 100; batch++) {
      send('a')
      send('b')
      far.call(batch).done()
      await settle()
    }
    expect(vi.getTimerCount()).toBe(0)
    send('a', 'b')
    far.call(100).fail(new Error('down'))
    await settle()
    send('c')
    expect(vi.getTimerCount()).toBeGreaterThan(0)
    expect(await state(batcher.close())).toBe('resolved')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('9. one bad record costs only itself, and retries are on without being asked for', async () => {
    const { far, batcher, send } = rig()
    const { receipt } = send('good', 'bad', 'good')
    batcher.flush()
    for (let call = 0; call < 4; call++) {
      const index = far.call(call).values.indexOf('bad')
      far.call(call).fail(new BatchError('some').failed(index, new Error('bad')))
      await settle()
    }
    expect(far.values).toEqual([['good', 'bad', 'good'], ['bad'], ['bad'], ['bad']])
    expect(receipt.acked).toEqual([0, 2])
    expect([...receipt.nacked.keys()]).toEqual([1])
  })

  it('10. an empty send leaves nothing owed, and no send is settled more than once', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { far, batcher, send } = rig({ count: 2 })
    expect(send().room).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
    const { receipt } = send('a', 'b', 'c')
    batcher.flush()
    far.call(0).done()
    await settle()
    far.call(1).done()
    await settle()
    expect(receipt.acked).toEqual([0, 1, 2])
    expect(await state(batcher.run(AbortSignal.abort()))).toBe('resolved')
  })
})
