import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Chunk, type Run } from '../../../src/pool/chunk.ts'

const runs: readonly Run<string>[] = [
  { lane: 'a', from: 10, to: 13 },
  { lane: 'b', from: 0, to: 1 },
  { lane: 'a', from: 20, to: 22 },
]

/** The messages of runs, one by one. */
function messagesOf(runs: readonly Run<string>[]): string[] {
  return runs.flatMap(({ lane, from, to }) => Array.from({ length: to - from }, (_, index) => `${lane}${from + index}`))
}

function locateAll(chunk: Chunk<string>, indexes: readonly number[]): string[] {
  return indexes.map((index) => {
    const { lane, sequence } = chunk.locate(index)
    return `${lane}${sequence}`
  })
}

describe('Chunk', () => {
  it('finds each message by its index, forwards, backwards and at random', () => {
    const chunk = new Chunk(1, runs)
    expect(chunk.count).toBe(6)
    expect(locateAll(chunk, [0, 1, 2, 3, 4, 5])).toEqual(['a10', 'a11', 'a12', 'b0', 'a20', 'a21'])
    expect(locateAll(chunk, [5, 4, 3, 2, 1, 0])).toEqual(['a21', 'a20', 'b0', 'a12', 'a11', 'a10'])
    expect(locateAll(chunk, [3, 3, 0, 5, 2])).toEqual(['b0', 'b0', 'a10', 'a21', 'a12'])
  })

  it('knows which messages have come back, and gives the rest as runs', () => {
    const chunk = new Chunk(1, runs)
    for (const index of [1, 3]) chunk.reply(index)
    expect([chunk.open, chunk.hasReplied(1), chunk.hasReplied(2)]).toEqual([4, true, false])
    expect(chunk.unreplied(new Set())).toEqual([
      { lane: 'a', from: 10, to: 11 },
      { lane: 'a', from: 12, to: 13 },
      { lane: 'a', from: 20, to: 22 },
    ])
    expect(chunk.unreplied(new Set([0, 5]))).toEqual([
      { lane: 'a', from: 12, to: 13 },
      { lane: 'a', from: 20, to: 21 },
    ])
  })

  it('has nothing left once every message is back or left out', () => {
    const chunk = new Chunk(1, runs)
    for (let index = 0; index < 5; index++) chunk.reply(index)
    expect(chunk.unreplied(new Set([5]))).toEqual([])
    chunk.reply(5)
    expect([chunk.open, chunk.unreplied(new Set())]).toEqual([0, []])
  })

  it('G1: gives back exactly what is neither back nor left out, for any runs', () => {
    const run = fc
      .record({
        lane: fc.constantFrom('a', 'b', 'c'),
        from: fc.nat({ max: 50 }),
        length: fc.integer({ min: 1, max: 6 }),
      })
      .map(({ lane, from, length }) => ({ lane, from, to: from + length }))
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1, maxLength: 6 }),
        fc.infiniteStream(fc.nat({ max: 2 })),
        (runs, fates) => {
          const chunk = new Chunk(1, runs)
          const all = messagesOf(runs)
          expect(locateAll(chunk, [...all.keys()])).toEqual(all)
          const except = new Set<number>()
          const rest: string[] = []
          for (const [index, message] of all.entries()) {
            const fate = fates.next().value
            if (fate === 0) rest.push(message)
            else if (fate === 1) chunk.reply(index)
            else except.add(index)
          }
          const given = chunk.unreplied(except)
          expect(messagesOf(given)).toEqual(rest)
          expect(chunk.open).toBe(rest.length + except.size)
          for (const { from, to } of given) expect(to).toBeGreaterThan(from)
        },
      ),
    )
  })
})
