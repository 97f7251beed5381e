import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Cut } from '../../../src/batch/cut.ts'
import { calm, message, Receipt } from './support.ts'

/** A cut over several sends, of which it has the given stretches. */
function cutOf(...stretches: readonly (readonly [from: number, to: number])[]): {
  cut: Cut<string>
  receipts: Receipt[]
} {
  const cut = new Cut<string>()
  const receipts = stretches.map(([, to]) => new Receipt(to))
  for (const [number, [from, to]] of stretches.entries()) {
    const origin = { settlement: receipts[number] ?? expect.unreachable(), signal: calm }
    for (let index = from; index < to; index++) cut.add(message(`${number}.${index}`), origin, index)
  }
  return { cut, receipts }
}

const values = (cut: Cut<string>): string[] => cut.messages.map(({ value }) => value)

describe('Cut', () => {
  it('picks by position and keeps the index in each send', () => {
    const { cut, receipts } = cutOf([2, 5], [0, 2], [7, 9])
    const odd = cut.pick((position) => position % 2 === 1)
    expect(values(odd)).toEqual(['0.3', '1.0', '2.7'])
    odd.ack()
    expect(receipts.map(({ acked }) => acked)).toEqual([[3], [0], [7]])
  })

  it('picks in ranges', () => {
    const { cut } = cutOf([0, 100])
    expect(cut.pick((position) => position !== 40).segments.map(({ from, to }) => [from, to])).toEqual([
      [0, 40],
      [41, 100],
    ])
  })

  it('nacks each message with its own reason', () => {
    const { cut, receipts } = cutOf([1, 3], [0, 2])
    const [one, two] = [new Error('one'), new Error('two')]
    cut.nack(
      new Map([
        [1, one],
        [2, two],
      ]),
    )
    expect(receipts.map(({ nacked }) => nacked)).toEqual([new Map([[2, one]]), new Map([[0, two]])])
  })

  it('never mixes up two sends that follow one another at the same index', () => {
    const { cut } = cutOf([0, 2], [2, 4])
    expect(cut.segments.length).toBe(2)
  })

  it('splits into a pick and its rest without loss, for every choice', () => {
    const shape = fc.array(
      fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 4 })).map(([from, more]) => [from, from + more] as const),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(shape, fc.array(fc.boolean(), { maxLength: 25 }), (shape, chosen) => {
        const { cut, receipts } = cutOf(...shape)
        const picked = cut.pick((position) => chosen[position] === true)
        const rest = cut.pick((position) => chosen[position] !== true)
        expect(values(picked)).toEqual(values(cut).filter((_, position) => chosen[position] === true))
        picked.ack()
        rest.ack()
        for (const [number, [from, to]] of shape.entries()) {
          const indexes = Array.from({ length: to - from }, (_, offset) => from + offset)
          expect(receipts[number]?.acked.toSorted((a, b) => a - b)).toEqual(indexes)
        }
      }),
    )
  })
})
