import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ChunkSizer } from '../../../src/processor/chunk-sizer.ts'

/** The target after this many chunks of its own size, at a steady cost per message. */
function settled(perMessageMs: number, chunks = 60): number {
  const sizer = new ChunkSizer()
  for (let chunk = 0; chunk < chunks; chunk++) sizer.observe(sizer.target, sizer.target * perMessageMs)
  return sizer.target
}

describe('ChunkSizer', () => {
  it('starts at one message: the first chunk is the first measure', () => {
    expect(new ChunkSizer().target).toBe(1)
  })

  it.each([
    [0.01, 200],
    [0.1, 20],
    [1, 2],
    [5, 1],
    [1_000, 1],
    [0.000_01, 1_000],
    [0, 1_000],
  ])('aims at 2 ms a chunk: at %d ms a message, %i messages', (cost, target) => {
    expect(settled(cost)).toBe(target)
  })

  it('follows a cost that changes, within a few chunks', () => {
    const sizer = new ChunkSizer()
    for (let chunk = 0; chunk < 20; chunk++) sizer.observe(100, 1)
    expect(sizer.target).toBe(200)
    for (let chunk = 0; chunk < 10; chunk++) sizer.observe(10, 20)
    expect(sizer.target).toBeLessThanOrEqual(2)
    for (let chunk = 0; chunk < 30; chunk++) sizer.observe(10, 0.1)
    expect(sizer.target).toBeGreaterThan(150)
  })

  it('learns nothing from a reply without messages', () => {
    const sizer = new ChunkSizer()
    sizer.observe(0, 50)
    expect(sizer.target).toBe(1)
  })

  it('is a whole number from 1 to 1,000, whatever it saw', () => {
    const seen = fc.array(fc.tuple(fc.nat({ max: 1_000 }), fc.double({ min: 0, max: 1e6, noNaN: true })))
    fc.assert(
      fc.property(seen, (observations) => {
        const sizer = new ChunkSizer()
        for (const [messages, elapsedMs] of observations) sizer.observe(messages, elapsedMs)
        expect(Number.isInteger(sizer.target)).toBe(true)
        expect(sizer.target).toBeGreaterThanOrEqual(1)
        expect(sizer.target).toBeLessThanOrEqual(1_000)
      }),
    )
  })
})
