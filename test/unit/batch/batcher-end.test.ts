import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BatchError } from '../../../src/batch/batch-error.ts'
import { batch } from '../../../src/batch/batch.ts'
import { observe } from '../../../src/util/observe.ts'
import { calm, messages, Receipt, rig, settle, state } from './support.ts'

const final = Object.assign(new Error('for good'), { retryable: false })
const fatal = { code: 'MR_FLUSH_FAILED', cause: final }

function thrownBy(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

describe('Batcher, after a fatal error', () => {
  it('rejects run, refuses to send, and closes in peace', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    const running = batcher.run(calm)
    send('a')
    far.call(0).fail(final)
    expect(await state(running)).toMatchObject(fatal)
    expect(thrownBy(() => send('b'))).toMatchObject(fatal)
    expect(await state(batcher.close())).toBe('resolved')
  })

  it('is not silent without run: the next send throws it', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    send('a')
    far.call(0).fail(final)
    await settle()
    expect(thrownBy(() => send('b'))).toMatchObject(fatal)
    expect(await state(batcher.close())).toBe('resolved')
  })

  it('is not silent without run and send: close rejects with it', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    send('a')
    far.call(0).fail(final)
    await settle()
    expect(await state(batcher.close())).toMatchObject(fatal)
  })

  it('is not silent for a send that waits for room', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    send('a')
    const { room } = send('b')
    far.call(0).fail(final)
    expect(await state(room)).toMatchObject(fatal)
    expect(await state(batcher.close())).toBe('resolved')
  })

  it('is not silent for a run that starts late, or that had ended', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    const stop = new AbortController()
    const running = batcher.run(stop.signal)
    stop.abort()
    expect(await state(running)).toBe('resolved')
    send('a')
    far.call(0).fail(final)
    await settle()
    expect(await state(batcher.run(stop.signal))).toMatchObject(fatal)
  })

  it('G7: flushes nothing more, and lets what is flushing finish', async () => {
    const { far, batcher, send } = rig({ count: 1, concurrency: 3 })
    const running = batcher.run(calm)
    const { receipt } = send('a', 'b', 'c', 'd', 'e')
    far.call(1).fail(final)
    expect(await state(running)).toMatchObject(fatal)
    far.call(0).done()
    far.call(2).fail(new Error('retryable'))
    batcher.flush()
    await settle()
    expect(far.values).toEqual([['a'], ['b'], ['c']])
    expect(receipt.acked).toEqual([0])
    expect(receipt.nacked.size).toBe(0)
    expect(far.call(0).signal.aborted).toBe(false)
  })

  it('acks what a late BatchError says is durable, and decides nothing about the rest', async () => {
    const { far, batcher, send } = rig({ count: 2, concurrency: 2 })
    const running = batcher.run(calm)
    const { receipt } = send('a', 'b', 'c', 'd')
    far.call(0).fail(final)
    expect(await state(running)).toMatchObject(fatal)
    far.call(1).fail(new BatchError('x').failed(0, final))
    await settle()
    expect(receipt.acked).toEqual([3])
    expect(receipt.nacked.size).toBe(0)
  })

  it('takes a settlement that throws for one', async () => {
    const { far, batcher } = rig({ count: 1 })
    const running = batcher.run(calm)
    const settlement = new Receipt(0)
    void batcher.send(messages('a'), settlement, calm)
    far.call(0).done()
    expect(await state(running)).toMatchObject({ code: 'MR_INTERNAL', cause: { name: 'RangeError' } })
  })

  it('takes a size that is none for one: the send throws it', async () => {
    const { batcher, send } = rig({ count: 1, sizeOf: () => NaN })
    expect(thrownBy(() => send('a'))).toMatchObject({ code: 'MR_OPTION_INVALID' })
    expect(await state(batcher.close())).toBe('resolved')
  })

  it('takes a flush function without a promise for one: nothing is acked', async () => {
    const destination = batch<string>((() => undefined) as never, { count: 1 })
    const running = destination.run?.(calm)
    const receipt = new Receipt(1)
    void destination.send(messages('a'), receipt, calm)
    expect(await state(running)).toMatchObject({ code: 'MR_FLUSH_FAILED' })
    expect(receipt.acked).toEqual([])
  })
})

describe('Batcher, run', () => {
  it('resolves when its signal aborts, and leaves no listener', async () => {
    const { batcher } = rig()
    const stop = new AbortController()
    const running = batcher.run(stop.signal)
    expect(await state(running)).toBe('pending')
    stop.abort()
    expect(await state(running)).toBe('resolved')
    expect(getEventListeners(stop.signal, 'abort')).toEqual([])
    expect(await state(batcher.run(stop.signal))).toBe('resolved')
  })

  it('is refused twice at once', async () => {
    const { batcher } = rig()
    const stop = new AbortController()
    const running = batcher.run(stop.signal)
    expect(await state(batcher.run(stop.signal))).toMatchObject({ code: 'MR_ALREADY_RUN' })
    stop.abort()
    expect(await state(running)).toBe('resolved')
  })
})

describe('Batcher, close', () => {
  it('starts nothing, drops what is held, and lets what is flushing finish', async () => {
    const { far, batcher, send } = rig({ count: 2 })
    const { receipt } = send('a', 'b', 'c', 'd', 'e')
    const closed = batcher.close()
    expect(await state(closed)).toBe('pending')
    far.call(0).done()
    expect(await state(closed)).toBe('resolved')
    expect(receipt.acked).toEqual([0, 1])
    expect(far.values).toEqual([['a', 'b']])
  })

  it('does not retry what fails meanwhile', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    const { receipt } = send('a')
    const closed = batcher.close()
    far.call(0).fail(new Error('down'))
    expect(await state(closed)).toBe('resolved')
    expect(far.calls.length).toBe(1)
    expect(receipt.acked).toEqual([])
  })

  it('ends a wait between two attempts', async () => {
    const { far, batcher, send } = rig({ count: 1, retry: { backoffMs: 2_147_483_647 } })
    send('a')
    far.call(0).fail(new Error('down'))
    await settle()
    expect(await state(batcher.close())).toBe('resolved')
    expect(far.calls.length).toBe(1)
  })

  it('rejects a send that waits for room, and refuses a later one', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    send('a')
    const { room } = send('b')
    const closed = batcher.close()
    expect(await state(room)).toMatchObject({ code: 'MR_ABORTED' })
    expect(thrownBy(() => send('c'))).toMatchObject({ code: 'MR_ABORTED' })
    far.call(0).done()
    expect(await state(closed)).toBe('resolved')
  })

  it('may be called twice, and before anything was sent', async () => {
    const { batcher } = rig()
    expect(batcher.close()).toBe(batcher.close())
    expect(await state(batcher.close())).toBe('resolved')
  })
})

describe('Batcher, when a signal of send aborts', () => {
  it('G6: aborts running attempts with its reason, and starts nothing more', async () => {
    const { far, batcher } = rig({ count: 1, concurrency: 2 })
    const drain = new AbortController()
    const receipt = new Receipt(5)
    const room = batcher.send(messages('a', 'b', 'c', 'd', 'e'), receipt, drain.signal)
    const reason = new Error('drain time-out')
    drain.abort(reason)
    expect(await state(room)).toMatchObject({ code: 'MR_ABORTED', cause: reason })
    expect(far.calls.map(({ signal }) => signal.reason as unknown)).toEqual([reason, reason])
    far.call(0).done()
    far.call(1).fail(new Error('aborted'))
    expect(await state(batcher.close())).toBe('resolved')
    expect(receipt.acked).toEqual([0])
    expect(far.calls.length).toBe(2)
  })

  it('ends a wait between two attempts', async () => {
    const { far, batcher } = rig({ count: 1, retry: { backoffMs: 2_147_483_647 } })
    const drain = new AbortController()
    void batcher.send(messages('a'), new Receipt(1), drain.signal)
    far.call(0).fail(new Error('down'))
    await settle()
    drain.abort()
    expect(await state(batcher.close())).toBe('resolved')
    expect(far.calls.length).toBe(1)
  })

  it('still aborts what is flushing after a fatal error, and after close', async () => {
    for (const end of ['fatal', 'close']) {
      const { far, batcher } = rig({ count: 1, concurrency: 2 })
      const drain = new AbortController()
      void batcher.send(messages('a', 'b'), new Receipt(2), drain.signal)
      const running = batcher.run(calm)
      const outcome = state(running)
      if (end === 'fatal') far.call(1).fail(final)
      const closed = end === 'close' ? batcher.close() : outcome
      await settle()
      drain.abort()
      expect(far.call(0).signal.aborted).toBe(true)
      for (const call of far.calls) call.fail(new Error('aborted'))
      await closed
    }
  })

  it('refuses a send whose signal has aborted already, and does no harm to others', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    const { receipt } = send('a')
    expect(thrownBy(() => batcher.send(messages('b'), new Receipt(1), AbortSignal.abort()))).toMatchObject({
      code: 'MR_ABORTED',
    })
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([0])
    send('c')
    expect(far.values).toEqual([['a'], ['c']])
  })

  it('takes no notice of a signal whose messages are all settled', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    const past = new AbortController()
    void batcher.send(messages('a'), new Receipt(1), past.signal)
    far.call(0).done()
    await settle()
    expect(getEventListeners(past.signal, 'abort')).toEqual([])
    past.abort()
    send('b')
    expect(far.values).toEqual([['a'], ['b']])
  })

  it('leaves no listener once it is closed, also for what it dropped', async () => {
    const { far, batcher } = rig({ count: 2 })
    const drain = new AbortController()
    void batcher.send(messages('a', 'b', 'c'), new Receipt(3), drain.signal)
    const closed = batcher.close()
    far.call(0).done()
    await closed
    expect(getEventListeners(drain.signal, 'abort')).toEqual([])
  })

  it('reports an attempt that fails then, with no next one', async () => {
    const { far, batcher } = rig({ count: 1 })
    const delays: unknown[] = []
    batcher[observe](({ delayMs }) => delays.push(delayMs))
    const drain = new AbortController()
    void batcher.send(messages('a'), new Receipt(1), drain.signal)
    drain.abort()
    far.call(0).fail(new Error('aborted'))
    await batcher.close()
    expect(delays).toEqual([undefined])
  })

  it('listens once to a signal, however many messages have it', () => {
    const { batcher } = rig({ count: 1, concurrency: 50 })
    const drain = new AbortController()
    for (let number = 0; number < 50; number++) void batcher.send(messages('x'), new Receipt(1), drain.signal)
    expect(getEventListeners(drain.signal, 'abort').length).toBe(1)
  })
})

describe('Batcher, a stuck flush', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const stuck = { code: 'MR_FLUSH_STUCK' }

  it('is never reported while nothing is flushed, or flushes complete', async () => {
    const { far, batcher, send } = rig({ count: 1, timeoutMs: 100 })
    const running = batcher.run(calm)
    await vi.advanceTimersByTimeAsync(10_000)
    for (let call = 0; call < 10; call++) {
      send('a')
      await vi.advanceTimersByTimeAsync(99)
      far.call(call).done()
      await settle()
    }
    expect(await state(running)).toBe('pending')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('G10: is fatal once it has ignored its abort for as long again', async () => {
    const { far, batcher, send } = rig({ count: 1, timeoutMs: 100 })
    const outcome = batcher.run(calm).catch((error: unknown) => error)
    const { receipt } = send('a')
    await vi.advanceTimersByTimeAsync(199)
    expect(await state(outcome)).toBe('pending')
    await vi.advanceTimersByTimeAsync(1)
    expect(await outcome).toMatchObject(stuck)
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('is found while new messages arrive all the time, and while every slot is stuck', async () => {
    const { batcher, send } = rig({ count: 2, concurrency: 2, timeoutMs: 100 })
    const outcome = batcher.run(calm).catch((error: unknown) => error)
    for (let step = 0; step < 20; step++) {
      const { room } = send('x')
      room?.catch(() => undefined)
      await vi.advanceTimersByTimeAsync(10)
    }
    expect(await state(outcome)).toBe('pending')
    await vi.advanceTimersByTimeAsync(10)
    expect(await outcome).toMatchObject(stuck)
  })

  it('makes close reject where nobody else was told', async () => {
    const { batcher, send } = rig({ count: 1, timeoutMs: 100 })
    send('a')
    const outcome = batcher.close().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(200)
    expect(await outcome).toMatchObject(stuck)
  })

  it('bounds close after an abort, too', async () => {
    const { batcher, send } = rig({ count: 1, timeoutMs: 100 })
    const drain = new AbortController()
    void batcher.send(messages('a'), new Receipt(1), drain.signal)
    drain.abort()
    const outcome = batcher.close().catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(100)
    expect(await outcome).toMatchObject(stuck)
    expect(thrownBy(() => send('b'))).toMatchObject(stuck)
  })
})
