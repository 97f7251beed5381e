import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DispatchQueue, type Take } from '../../../src/processor/dispatch-queue.ts'

const one = (): number => 1

/** A queue of this many fresh messages of lane `a`. */
function queueOf(count: number): DispatchQueue<string> {
  const queue = new DispatchQueue<string>()
  for (let sequence = 0; sequence < count; sequence++) queue.push('a', sequence)
  return queue
}

function told(take: Take<string> | undefined): string[] | undefined {
  const messages = take?.runs.flatMap(({ lane, from, to }) =>
    Array.from({ length: to - from }, (_, index) => `${lane}${from + index}`),
  )
  if (take !== undefined) expect(take.count).toBe(messages?.length)
  return messages
}

describe('DispatchQueue', () => {
  it('gives what was received in order, as runs, across lanes', () => {
    const queue = queueOf(3)
    queue.push('b', 0)
    queue.push('a', 3)
    expect(queue.size).toBe(5)
    expect(queue.take(10, 10, one)?.runs).toEqual([
      { lane: 'a', from: 0, to: 3 },
      { lane: 'b', from: 0, to: 1 },
      { lane: 'a', from: 3, to: 4 },
    ])
    expect([queue.size, queue.take(1, 1, one)]).toEqual([0, undefined])
  })

  it('gives nothing between two messages that were not received one after the other', () => {
    const queue = queueOf(1)
    queue.push('a', 2)
    expect(told(queue.take(10, 10, one))).toEqual(['a0', 'a2'])
  })

  it('gives at most so many, and goes on behind them', () => {
    const queue = queueOf(5)
    expect(told(queue.take(2, 100, one))).toEqual(['a0', 'a1'])
    queue.push('a', 5)
    expect(told(queue.take(100, 100, one))).toEqual(['a2', 'a3', 'a4', 'a5'])
  })

  it('gives bytes up to the bound, and one message beyond it, so that a large one goes at all', () => {
    const sizes = [10, 10, 500, 10]
    const queue = queueOf(4)
    const bytesOf = (_lane: string, sequence: number): number => sizes[sequence] ?? 0
    expect(told(queue.take(10, 21, bytesOf))).toEqual(['a0', 'a1', 'a2'])
    expect(told(queue.take(10, 21, bytesOf))).toEqual(['a3'])
  })

  it('G5: gives lost messages before fresh ones, never both at once, and no more than their limit', () => {
    const queue = queueOf(1)
    queue.giveBack(
      [
        { lane: 'b', from: 4, to: 7 },
        { lane: 'a', from: 9, to: 10 },
      ],
      2,
    )
    expect(queue.size).toBe(5)
    expect([1, 2, 3].map(() => told(queue.take(10, 10, one)))).toEqual([['b4', 'b5'], ['b6', 'a9'], ['a0']])
  })

  it('G5: gives a message that failed alone, before all others, and says which may have ended its worker', () => {
    const queue = queueOf(2)
    queue.giveBack([{ lane: 'a', from: 8, to: 9 }], 1)
    queue.retry('b', 3, true)
    queue.retry('b', 4, false)
    const isolation: boolean[] = []
    const taken = [1, 2, 3, 4].map(() => {
      isolation.push(queue.isNextIsolated)
      const take = queue.take(10, 10, one)
      expect(take?.isIsolated).toBe(isolation[isolation.length - 1])
      return told(take)
    })
    expect(taken).toEqual([['b3'], ['b4'], ['a8'], ['a0', 'a1']])
    expect(isolation).toEqual([true, false, false, false])
  })

  it('G4: gives a message that its lane waits for alone, wherever it is queued', () => {
    const heads = new Map([
      ['a', 0],
      ['b', 6],
      ['c', 1],
    ])
    const isOldest = (lane: string, sequence: number): boolean => heads.get(lane) === sequence
    const queue = queueOf(2)
    queue.push('c', 0)
    queue.giveBack([{ lane: 'b', from: 6, to: 8 }], 5)
    queue.retry('c', 1, true)
    expect([1, 2, 3, 4].map(() => told(queue.takeOldest(isOldest)))).toEqual([['c1'], ['b6'], ['a0'], undefined])
    heads.set('a', 1)
    expect(told(queue.takeOldest(isOldest))).toEqual(['a1'])
    expect(queue.size).toBe(2)
    expect([told(queue.take(9, 9, one)), told(queue.take(9, 9, one))]).toEqual([['b7'], ['c0']])
  })
})

describe('DispatchQueue, any schedule', () => {
  const step = fc.record({
    do: fc.constantFrom('push', 'push', 'push', 'take', 'take', 'oldest', 'lost', 'retry'),
    lane: fc.constantFrom('a', 'b'),
    max: fc.integer({ min: 1, max: 7 }),
    bytes: fc.integer({ min: 1, max: 9 }),
  })

  it('G1: gives each message exactly once, in lane order while nothing is given back', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const queue = new DispatchQueue<string>()
        const pushed = { a: 0, b: 0 }
        const waiting = new Set<string>()
        const out: string[] = []
        let wasGivenBack = false
        const took = (messages: readonly string[] | undefined): void => {
          for (const message of messages ?? []) {
            expect(waiting.delete(message)).toBe(true)
            out.push(message)
          }
        }
        for (const { do: what, lane, max, bytes } of steps) {
          const last = out[out.length - 1]
          if (what === 'push') {
            waiting.add(`${lane}${pushed[lane as 'a']}`)
            queue.push(lane, pushed[lane as 'a']++)
          } else if (what === 'take') {
            const messages = told(queue.take(max, bytes, (_lane, sequence) => (sequence % 3) + 1))
            expect(messages === undefined).toBe(waiting.size === 0)
            expect(messages?.length ?? 0).toBeLessThanOrEqual(max)
            took(messages)
          } else if (what === 'oldest') {
            const oldest = [...waiting]
              .filter((message) => message.startsWith(lane))
              .sort((x, y) => numberOf(x) - numberOf(y))[0]
            wasGivenBack ||= oldest !== undefined && waiting.size > 1
            const messages = told(queue.takeOldest((name, sequence) => `${name}${sequence}` === oldest))
            expect(messages?.length ?? 0).toBeLessThanOrEqual(1)
            took(messages)
          } else if (last !== undefined) {
            const from = numberOf(last)
            if (what === 'retry') queue.retry(last.charAt(0), from, false)
            else queue.giveBack([{ lane: last.charAt(0), from, to: from + 1 }], max)
            out.pop()
            waiting.add(last)
            wasGivenBack = true
          }
          expect(queue.size).toBe(waiting.size)
        }
        while (waiting.size > 0) took(told(queue.take(3, 5, one)))
        expect(out).toHaveLength(pushed.a + pushed.b)
        if (wasGivenBack) return
        for (const lane of ['a', 'b']) {
          const inLane = out.filter((message) => message.startsWith(lane)).map(numberOf)
          expect(inLane).toEqual(inLane.map((_, index) => index))
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

function numberOf(message: string): number {
  return Number(message.slice(1))
}
