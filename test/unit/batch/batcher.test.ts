import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { resolveBatchPolicy } from '../../../src/batch/batch-policy.ts'
import { Batcher } from '../../../src/batch/batcher.ts'
import type { Flush } from '../../../src/batch/flush.ts'
import type { Message } from '../../../src/message.ts'
import { calm, messages, Receipt, rig, settle, state } from './support.ts'

describe('Batcher, what it flushes and when', () => {
  it('G1: acks a message after its flush and not before', async () => {
    const { far, send } = rig({ count: 1 })
    const { receipt } = send('a')
    await settle()
    expect(far.values).toEqual([['a']])
    expect(receipt.acked).toEqual([])
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([0])
  })

  it('acks the ranges of one send as their batches are flushed, each message once', async () => {
    const { far, batcher, send } = rig({ count: 2 })
    const { receipt } = send('a', 'b', 'c', 'd', 'e')
    for (const acked of [2, 4]) {
      await settle()
      far.call(acked / 2 - 1).done()
      await settle()
      expect(receipt.acked.length).toBe(acked)
    }
    batcher.flush()
    far.call(2).done()
    await settle()
    expect(receipt.acked).toEqual([0, 1, 2, 3, 4])
  })

  it('fills a batch from several sends, in order, and settles each send for itself', async () => {
    const { far, send } = rig({ count: 5 })
    const first = send('a', 'b')
    const second = send('c')
    expect(far.values).toEqual([])
    const third = send('d', 'e', 'f')
    expect(far.values).toEqual([['a', 'b', 'c', 'd', 'e']])
    far.call(0).done()
    await settle()
    expect(first.receipt.acked).toEqual([0, 1])
    expect(second.receipt.acked).toEqual([0])
    expect(third.receipt.acked).toEqual([0, 1])
  })

  it('hands a full batch over within the call of send', () => {
    const { far, send } = rig({ count: 1 })
    send('a')
    expect(far.calls.length).toBe(1)
  })

  it('cuts by bytes too', () => {
    const { far, send } = rig({ bytes: 10, concurrency: 9, sizeOf: ({ value }) => (value as string).length })
    send('aaaa', 'bbbb', 'cccc', 'd'.repeat(20), 'e')
    expect(far.values).toEqual([['aaaa', 'bbbb'], ['cccc'], ['d'.repeat(20)]])
  })

  it('does nothing for an empty send', async () => {
    const { far, batcher, send } = rig({ count: 1 })
    const { receipt, room } = send()
    expect(room).toBeUndefined()
    batcher.flush()
    await settle()
    expect(far.calls).toEqual([])
    expect(receipt.acked).toEqual([])
  })

  it('gives each attempt an array of its own, which the flush function may change', async () => {
    const seen: string[][] = []
    const flush: Flush<string> = async (given) => {
      seen.push(given.map(({ value }) => value))
      ;(given as Message<string>[]).length = 0
      if (seen.length === 1) throw new Error('once')
    }
    const batcher = new Batcher(flush, resolveBatchPolicy({ count: 2, retry: { backoffMs: 0 } }))
    const sent = messages('a', 'b')
    const receipt = new Receipt(2)
    void batcher.send(sent, receipt, calm)
    await settle()
    expect(seen).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
    expect(sent.length).toBe(2)
    expect(receipt.acked).toEqual([0, 1])
  })
})

describe('Batcher, its order and its slots', () => {
  it('G3: flushes one batch at a time by default', async () => {
    const { far, send } = rig({ count: 1 })
    send('a', 'b', 'c')
    expect(far.values).toEqual([['a']])
    far.call(0).done()
    await settle()
    expect(far.values).toEqual([['a'], ['b']])
    expect(far.open).toBe(1)
  })

  it('G3: with concurrency, starts in order, and ends in any', async () => {
    const { far, send } = rig({ count: 1, concurrency: 3 })
    const { receipt } = send('a', 'b', 'c', 'd')
    expect(far.values).toEqual([['a'], ['b'], ['c']])
    far.call(2).done()
    await settle()
    expect(far.values).toEqual([['a'], ['b'], ['c'], ['d']])
    far.call(1).done()
    far.call(3).done()
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([2, 1, 3, 0])
  })

  it('G3: a retry holds back what comes after it', async () => {
    const { far, send } = rig({ count: 1 })
    send('a', 'b')
    far.call(0).fail(new Error('once'))
    await settle()
    expect(far.values).toEqual([['a'], ['a']])
    far.call(1).done()
    await settle()
    expect(far.values).toEqual([['a'], ['a'], ['b']])
  })
})

describe('Batcher, flush()', () => {
  it('G6: hands over at once what is held', async () => {
    const { far, batcher, send } = rig()
    const { receipt } = send('a', 'b')
    batcher.flush()
    expect(far.values).toEqual([['a', 'b']])
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([0, 1])
  })

  it('G4: is remembered while every slot is busy, also for what arrives until one is free', async () => {
    const { far, batcher, send } = rig({ count: 3 })
    send('a', 'b', 'c')
    send('d')
    batcher.flush()
    send('e')
    expect(far.values).toEqual([['a', 'b', 'c']])
    far.call(0).done()
    await settle()
    expect(far.values).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e'],
    ])
  })

  it('is remembered behind full batches too', async () => {
    const { far, batcher, send } = rig({ count: 2 })
    send('a', 'b', 'c', 'd', 'e')
    batcher.flush()
    for (const call of [0, 1]) {
      far.call(call).done()
      await settle()
    }
    expect(far.values).toEqual([['a', 'b'], ['c', 'd'], ['e']])
  })

  it('does not outlive what it was meant for', async () => {
    const { far, batcher, send } = rig({ count: 2 })
    batcher.flush()
    send('a')
    expect(far.values).toEqual([])
    batcher.flush()
    send('b')
    far.call(0).done()
    await settle()
    far.call(1).done()
    await settle()
    send('c')
    expect(far.values).toEqual([['a'], ['b']])
  })

  it('may be called any number of times', async () => {
    const { far, batcher, send } = rig()
    for (let call = 0; call < 5; call++) batcher.flush()
    send('a')
    for (let call = 0; call < 5; call++) batcher.flush()
    expect(far.values).toEqual([['a']])
    far.call(0).done()
    await settle()
    batcher.flush()
    expect(far.calls.length).toBe(1)
  })
})

describe('Batcher, back-pressure', () => {
  it('G4: has room until a full batch waits behind those in flight', async () => {
    const { far, send } = rig({ count: 2 })
    expect(send('a', 'b').room).toBeUndefined()
    expect(send('c').room).toBeUndefined()
    const { room } = send('d')
    expect(await state(room)).toBe('pending')
    far.call(0).done()
    expect(await state(room)).toBe('resolved')
    expect(far.values.length).toBe(2)
  })

  it('G4: lets as many full batches wait as may be in flight', () => {
    const { send } = rig({ count: 1, concurrency: 2 })
    const rooms = ['a', 'b', 'c', 'd'].map((value) => send(value).room)
    expect(rooms.map((room) => room !== undefined)).toEqual([false, false, false, true])
  })

  it('waits until a large send has gone, not until some of it has', async () => {
    const { far, send } = rig({ count: 1 })
    const { room } = send('a', 'b', 'c')
    for (const [call, expected] of ['pending', 'resolved'].entries()) {
      far.call(call).done()
      expect(await state(room)).toBe(expected)
    }
  })

  it('stays bounded while a flush is retried for ever, and goes on when it succeeds', async () => {
    const { far, send } = rig({ count: 1, retry: { attempts: Infinity } })
    send('a')
    const { room } = send('b')
    for (let call = 0; call < 50; call++) {
      far.call(call).fail(new Error('down'))
      expect(await state(room)).toBe('pending')
    }
    far.call(50).done()
    expect(await state(room)).toBe('resolved')
    expect(far.values.at(-1)).toEqual(['b'])
  })
})

describe('Batcher, its period', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('flushes a partial batch when its oldest message has waited for it', async () => {
    const { far, send } = rig({ periodMs: 1_000 })
    const { receipt } = send('a')
    await vi.advanceTimersByTimeAsync(600)
    send('b')
    await vi.advanceTimersByTimeAsync(399)
    expect(far.values).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(far.values).toEqual([['a', 'b']])
    far.call(0).done()
    await settle()
    expect(receipt.acked).toEqual([0])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('starts anew with each batch', async () => {
    const { far, send } = rig({ periodMs: 1_000, count: 2, concurrency: 9 })
    send('a')
    await vi.advanceTimersByTimeAsync(900)
    send('b', 'c')
    await vi.advanceTimersByTimeAsync(999)
    expect(far.values).toEqual([['a', 'b']])
    await vi.advanceTimersByTimeAsync(1)
    expect(far.values).toEqual([['a', 'b'], ['c']])
  })

  it('is remembered while every slot is busy', async () => {
    const { far, send } = rig({ periodMs: 1_000, count: 2 })
    send('a', 'b', 'c')
    await vi.advanceTimersByTimeAsync(2_000)
    expect(far.values).toEqual([['a', 'b']])
    far.call(0).done()
    await settle()
    expect(far.values).toEqual([['a', 'b'], ['c']])
  })

  it('has no timer for what the next free slot takes anyway', async () => {
    const { batcher, send } = rig({ count: 2 })
    send('a', 'b', 'c')
    const inFlight = 1
    expect(vi.getTimerCount()).toBe(inFlight + 1)
    batcher.flush()
    expect(vi.getTimerCount()).toBe(inFlight)
  })

  it('has one timer at most, however much is sent, and none when nothing is held', async () => {
    const { far, batcher, send } = rig({ periodMs: 1_000, count: 10 })
    for (let number = 0; number < 95; number++) {
      send('x')
      if (far.open > 0) far.call(far.calls.length - 1).done()
      await settle()
      expect(vi.getTimerCount()).toBeLessThanOrEqual(1)
    }
    expect(vi.getTimerCount()).toBe(1)
    batcher.flush()
    far.call(far.calls.length - 1).done()
    await settle()
    expect(vi.getTimerCount()).toBe(0)
  })
})

/** Those that keep the process alive. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

describe('Batcher and the life of the process', () => {
  it('keeps it alive while something is held or being flushed, and not longer', async () => {
    const idle = timers()
    const { far, batcher, send } = rig()
    send('a')
    expect(timers()).toBe(idle + 1)
    batcher.flush()
    expect(timers()).toBe(idle + 1)
    far.call(0).done()
    await settle()
    expect(timers()).toBe(idle)
  })

  it('does not keep it alive for a flush that ignores an abort from outside', async () => {
    const idle = timers()
    const { far, batcher } = rig({ count: 1 })
    const drain = new AbortController()
    void batcher.send(messages('a'), new Receipt(1), drain.signal)
    drain.abort()
    expect(timers()).toBe(idle)
    far.call(0).done()
    await batcher.close()
  })
})
