import * as fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { BatchBuffer } from '../../../src/batch/batch-buffer.ts'
import type { Cut, Origin } from '../../../src/batch/cut.ts'
import { MillraceError } from '../../../src/errors.ts'
import type { Message } from '../../../src/message.ts'
import { calm, messages, Receipt } from './support.ts'

function buffer(policy: { count?: number; bytes?: number; sizeOf?: (message: Message<unknown>) => number }) {
  return new BatchBuffer<string>({
    count: 1_000,
    bytes: Infinity,
    periodMs: 1_000,
    sizeOf: ({ value }) => String(value).length,
    ...policy,
  })
}

function origin(length: number): Origin {
  return { settlement: new Receipt(length), signal: calm }
}

function drain(held: BatchBuffer<string>, partial: boolean): string[] {
  const cuts: string[] = []
  for (let cut = held.take(partial); cut !== undefined; cut = held.take(partial)) cuts.push(values(cut))
  return cuts
}

const values = (cut: Cut<string>): string => cut.messages.map(({ value }) => value).join(' ')

describe('BatchBuffer', () => {
  it('cuts a batch when the count is reached, across sends', () => {
    const held = buffer({ count: 3 })
    held.add(messages('a', 'b'), origin(2), 0)
    expect(held.full).toBe(0)
    held.add(messages('c', 'd', 'e', 'f', 'g'), origin(5), 0)
    expect(held.full).toBe(2)
    expect(drain(held, false)).toEqual(['a b c', 'd e f'])
    expect(drain(held, true)).toEqual(['g'])
    expect(held.full).toBe(0)
  })

  it('cuts before a batch would pass its bytes, at the limit, and lets a larger message go alone', () => {
    const held = buffer({ bytes: 5 })
    held.add(messages('aa', 'bb', 'cc', 'ddddd', 'e', 'ffffffff', 'g', 'hhhh', 'i'), origin(9), 0)
    expect(drain(held, true)).toEqual(['aa bb', 'cc', 'ddddd', 'e', 'ffffffff', 'g hhhh', 'i'])
  })

  it('leaves no batch open that has just the bytes', () => {
    const held = buffer({ bytes: 4 })
    held.add(messages('aa', 'bb'), origin(2), 0)
    expect(held.full).toBe(1)
    expect(held.dueAt).toBeUndefined()
  })

  it('gives the open batch only where a partial one is asked for', () => {
    const held = buffer({ count: 2 })
    held.add(messages('a'), origin(1), 0)
    expect(held.take(false)).toBeUndefined()
    expect(values(held.take(true) ?? expect.unreachable())).toBe('a')
    expect(held.take(true)).toBeUndefined()
  })

  it('is due by its oldest message, and not by what waits in full batches', () => {
    const held = buffer({ count: 3 })
    expect(held.dueAt).toBeUndefined()
    held.add(messages('a'), origin(1), 100)
    held.add(messages('b'), origin(1), 900)
    expect(held.dueAt).toBe(1_100)
    held.add(messages('c'), origin(1), 950)
    expect(held.dueAt).toBeUndefined()
    held.add(messages('d'), origin(1), 1_000)
    expect(held.dueAt).toBe(2_000)
    held.take(false)
    held.take(true)
    expect(held.dueAt).toBeUndefined()
  })

  it('asks for the size of each message once', () => {
    const sizeOf = vi.fn(() => 3)
    const held = buffer({ count: 4, bytes: 7, sizeOf })
    held.add(messages('a', 'b', 'c', 'd', 'e'), origin(5), 0)
    drain(held, true)
    expect(sizeOf).toHaveBeenCalledTimes(5)
  })

  it.each([NaN, -1, '5', undefined, null])('refuses %s for a size', (size) => {
    const held = buffer({ sizeOf: () => size as number })
    const error = refused(() => held.add(messages('a'), origin(1), 0))
    expect(error.code).toBe('MR_OPTION_INVALID')
    expect(error.message).toContain('sizeOf')
  })

  it('tells a throw of sizeOf as its cause', () => {
    const cause = new Error('no size')
    const held = buffer({
      sizeOf: () => {
        throw cause
      },
    })
    expect(refused(() => held.add(messages('a'), origin(1), 0)).cause).toBe(cause)
  })

  it('keeps one range a send, not an entry a message', () => {
    const held = buffer({ count: 5 })
    const [first, second] = [origin(3), origin(4)]
    held.add(messages('a', 'b', 'c'), first, 0)
    held.add(messages('d', 'e', 'f', 'g'), second, 0)
    expect(held.take(false)?.segments).toEqual([
      { origin: first, from: 0, to: 3 },
      { origin: second, from: 0, to: 2 },
    ])
    expect(held.take(true)?.segments).toEqual([{ origin: second, from: 2, to: 4 }])
  })

  it('keeps its own copy of what was sent', () => {
    const held = buffer({})
    const sent = messages('a', 'b')
    held.add(sent, origin(2), 0)
    sent.reverse()
    expect(drain(held, true)).toEqual(['a b'])
  })

  it('forgets everything when cleared', () => {
    const held = buffer({ count: 2 })
    held.add(messages('a', 'b', 'c'), origin(3), 0)
    held.clear()
    expect(held.full).toBe(0)
    expect(held.dueAt).toBeUndefined()
    expect(drain(held, true)).toEqual([])
    held.add(messages('d', 'e', 'f'), origin(3), 0)
    expect(drain(held, true)).toEqual(['d e', 'f'])
  })

  it('holds any policy to its word: order, sizes, nothing lost, nothing twice', () => {
    const sends = fc.array(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 8 }), { maxLength: 12 })
    const take = fc.array(fc.boolean(), { maxLength: 12 })
    const limits = fc.record({ count: fc.integer({ min: 1, max: 5 }), bytes: fc.integer({ min: 1, max: 20 }) })
    fc.assert(
      fc.property(sends, take, limits, (sends, take, { count, bytes }) => {
        const held = buffer({ count, bytes })
        const receipts: Receipt[] = []
        const seen: string[] = []
        const check = (cut: Cut<string>): void => {
          const size = cut.messages.reduce((sum, { value }) => sum + value.length, 0)
          expect(cut.messages.length).toBeGreaterThan(0)
          expect(cut.messages.length).toBeLessThanOrEqual(count)
          if (cut.messages.length > 1) expect(size).toBeLessThanOrEqual(bytes)
          seen.push(...cut.messages.map(({ value }) => value))
          cut.ack()
        }
        for (const [index, sizes] of sends.entries()) {
          const settlement = new Receipt(sizes.length)
          receipts.push(settlement)
          held.add(messages(...sizes.map((size) => 'x'.repeat(size))), { settlement, signal: calm }, 0)
          const cut = held.take(take[index] ?? false)
          if (cut !== undefined) check(cut)
        }
        for (let cut = held.take(true); cut !== undefined; cut = held.take(true)) check(cut)
        expect(seen.map((value) => value.length)).toEqual(sends.flat())
        for (const [index, sizes] of sends.entries()) {
          expect(receipts[index]?.acked).toEqual([...sizes.keys()])
        }
      }),
      { numRuns: 2_000 },
    )
  })
})

function refused(act: () => unknown): MillraceError {
  try {
    act()
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  return expect.unreachable()
}
