import { describe, expect, it } from 'vitest'
import { culprits, ProgressMark } from '../../../src/worker/progress-mark.ts'

/** The mark as the worker has it, and as the main thread does: over the same memory. */
function twoSides(slots: number): { worker: ProgressMark; main: ProgressMark } {
  const main = new ProgressMark(slots)
  return { main, worker: new ProgressMark(slots, main.buffer) }
}

describe('ProgressMark', () => {
  it('G5: says on the main thread which messages run in the worker', () => {
    const { main, worker } = twoSides(3)
    expect(main.running()).toEqual([])
    worker.begin(0, 5, 0)
    worker.yielded()
    worker.begin(2, 6, 41)
    expect(main.running()).toEqual([
      { slot: 0, chunk: 5, index: 0, holdsThread: false },
      { slot: 2, chunk: 6, index: 41, holdsThread: true },
    ])
    worker.end(2)
    expect(main.running().map(({ index }) => index)).toEqual([0])
    expect([main.handled, worker.handled]).toEqual([1, 1])
  })

  it('G5: blames the handler that holds the thread, or else all that run', () => {
    const { main, worker } = twoSides(2)
    worker.begin(0, 1, 0)
    worker.yielded()
    worker.begin(1, 1, 1)
    expect(culprits(main.running()).map(({ index }) => index)).toEqual([1])
    worker.yielded()
    expect(culprits(main.running()).map(({ index }) => index)).toEqual([0, 1])
  })

  it('says which chunk is being unpacked, and which were touched', () => {
    const { main, worker } = twoSides(1)
    worker.opening(9)
    expect([main.openingChunk, main.hasTouched(9)]).toEqual([9, false])
    worker.opened()
    worker.begin(0, 9, 0)
    worker.end(0)
    expect([main.openingChunk, main.hasTouched(9), main.hasTouched(8)]).toEqual([0, true, false])
  })

  it('keeps the last words of a worker, in any script', () => {
    const { main, worker } = twoSides(4)
    expect(main.readLastWords()).toBeUndefined()
    expect(worker.lastWords('Ende: 終わり 💥')).toBe(true)
    expect(main.readLastWords()).toBe('Ende: 終わり 💥')
  })

  it('keeps no words at all rather than a part of them', () => {
    const { main, worker } = twoSides(1)
    expect(worker.lastWords('語'.repeat(100_000))).toBe(false)
    expect(main.readLastWords()).toBeUndefined()
    expect(worker.lastWords('short')).toBe(true)
    expect(main.readLastWords()).toBe('short')
  })
})
