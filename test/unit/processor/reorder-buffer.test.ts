import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReorderBuffer } from '../../../src/processor/reorder-buffer.ts'

/** Everything that may leave the buffer now. */
function drain(buffer: ReorderBuffer<string>): string[] {
  const out: string[] = []
  for (let result = buffer.peek(); result !== undefined; result = buffer.peek()) {
    out.push(`${buffer.next}:${result}:${buffer.entry}`)
    buffer.advance()
  }
  return out
}

describe('ReorderBuffer', () => {
  it('G3: gives results in sequence, whatever order they came in', () => {
    const buffer = new ReorderBuffer<string>()
    buffer.put(2, 'c', 20)
    buffer.put(1, 'b', 10)
    expect(drain(buffer)).toEqual([])
    buffer.put(0, 'a', 0)
    expect(drain(buffer)).toEqual(['0:a:0', '1:b:10', '2:c:20'])
    expect([buffer.next, buffer.peek()]).toEqual([3, undefined])
  })

  it('passes over what has no outputs', () => {
    const buffer = new ReorderBuffer<string>()
    buffer.skip(0)
    buffer.skip(2)
    buffer.put(1, 'b', 7)
    expect(drain(buffer)).toEqual(['1:b:7'])
    expect([buffer.peek(), buffer.next]).toEqual([undefined, 3])
  })

  it('keeps its place while only skips are behind it', () => {
    const buffer = new ReorderBuffer<string>()
    for (let sequence = 0; sequence < 1_000; sequence++) buffer.skip(sequence)
    expect([buffer.peek(), buffer.next]).toEqual([undefined, 1_000])
    buffer.put(1_000, 'x', 1)
    expect(drain(buffer)).toEqual(['1000:x:1'])
  })

  it('grows for a result far ahead, after its ring has wrapped around', () => {
    const buffer = new ReorderBuffer<string>()
    for (let sequence = 0; sequence < 200; sequence++) buffer.put(sequence, 'early', sequence)
    expect(drain(buffer)).toHaveLength(200)
    buffer.put(450, 'waits', 450)
    buffer.put(3_000, 'far', 1)
    for (let sequence = 200; sequence < 3_000; sequence++) if (sequence !== 450) buffer.put(sequence, 'late', sequence)
    expect(drain(buffer).slice(249, 252)).toEqual(['449:late:449', '450:waits:450', '451:late:451'])
    expect(buffer.next).toBe(3_001)
  })

  it('G3: agrees with a sorted list over any order of arrival', () => {
    const arrivals = fc.integer({ min: 1, max: 700 }).chain((count) =>
      fc.tuple(
        fc.shuffledSubarray(
          Array.from({ length: count }, (_, sequence) => sequence),
          { minLength: count, maxLength: count },
        ),
        fc.integer({ min: 2, max: 9 }),
      ),
    )
    fc.assert(
      fc.property(arrivals, ([order, every]) => {
        const buffer = new ReorderBuffer<string>()
        const arrived = new Set<number>()
        const out: string[] = []
        let watermark = 0
        for (const sequence of order) {
          if (sequence % every === 0) buffer.skip(sequence)
          else buffer.put(sequence, `r${sequence}`, sequence * 2)
          arrived.add(sequence)
          out.push(...drain(buffer))
          while (arrived.has(watermark)) watermark++
          expect(buffer.next).toBe(watermark)
        }
        const wanted = [...order].sort((a, b) => a - b).filter((sequence) => sequence % every !== 0)
        expect(out).toEqual(wanted.map((sequence) => `${sequence}:r${sequence}:${sequence * 2}`))
      }),
      { numRuns: 200 },
    )
  })
})
