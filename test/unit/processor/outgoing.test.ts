import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Outgoing } from '../../../src/processor/outgoing.ts'
import { expectCode } from '../../helpers/collect.ts'
import { deliveryOf, laneOf, pieceOf } from './support.ts'

/** A send of these many outputs for each of its source messages, and what is reported of it. */
function outgoingOf(outputs: readonly number[]): { outgoing: Outgoing; reports: string[] } {
  const reports: string[] = []
  const outgoing = new Outgoing(laneOf(), {
    onSettled: (told, from, to, reason) => {
      expect(told).toBe(outgoing)
      reports.push(`${reason?.message ?? 'ack'} ${from}-${to}`)
    },
  })
  const piece = pieceOf(outputs)
  for (const [sequence, count] of outputs.entries()) {
    for (let output = 0; output < count; output++) outgoing.add(deliveryOf('m').message, sequence, piece)
  }
  return { outgoing, reports }
}

describe('Outgoing', () => {
  it('settles all of the send by default, in one report', () => {
    const { outgoing, reports } = outgoingOf([1, 1, 1])
    outgoing.settlement.ack()
    expect(reports).toEqual(['ack 0-3'])
    const other = outgoingOf([2])
    other.outgoing.settlement.nack(new Error('down'))
    expect(other.reports).toEqual(['down 0-2'])
  })

  it('settles each output once: the first report wins, and only what is new is reported', () => {
    const { outgoing, reports } = outgoingOf([1, 1, 1, 1, 1, 1])
    outgoing.ack(1, 2)
    outgoing.ack(4, 5)
    outgoing.nack(new Error('late'))
    outgoing.ack()
    expect(reports).toEqual(['ack 1-2', 'ack 4-5', 'late 0-1', 'late 2-4', 'late 5-6'])
  })

  it('settles nothing by an empty range, also at the ends', () => {
    const { outgoing, reports } = outgoingOf([2])
    for (const at of [0, 1, 2]) outgoing.ack(at, at)
    expect(reports).toEqual([])
  })

  it.each([
    [-1, 1],
    [0, 3],
    [2, 1],
    [3, 3],
    [0.5, 1],
    [0, Number.NaN],
    ['0', 1],
  ] as [number, number][])('throws MR_SETTLEMENT_RANGE for [%s, %s) of two, and settles nothing', async (from, to) => {
    const { outgoing, reports } = outgoingOf([1, 1])
    await expectCode(() => outgoing.ack(from, to), 'MR_SETTLEMENT_RANGE', /range \[from, to\) within the 2 messages/u)
    await expectCode(() => outgoing.nack(new Error('no'), from, to), 'MR_SETTLEMENT_RANGE', /2 messages/u)
    expect(reports).toEqual([])
  })

  it('works as functions that were taken off it through its settlement, and late', async () => {
    const { outgoing, reports } = outgoingOf([1])
    const { settlement } = outgoing
    await Promise.resolve()
    settlement.ack()
    expect(reports).toEqual(['ack 0-1'])
  })

  it('knows the index of each output among those of its source message', () => {
    const { outgoing } = outgoingOf([2, 0, 3, 1])
    expect(outgoing.messages.map((_, index) => outgoing.ordinal(index))).toEqual([0, 1, 0, 1, 2, 0])
  })

  it('G2: reports each output exactly once, with its first report, over any calls', () => {
    const call = fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.boolean())
    fc.assert(
      fc.property(fc.array(call, { maxLength: 12 }), (calls) => {
        const { outgoing, reports } = outgoingOf(Array.from({ length: 12 }, () => 1))
        const model: (string | undefined)[] = Array.from({ length: 12 })
        for (const [index, [a, b, isAck]] of calls.entries()) {
          const [from, to] = [Math.min(a, b), Math.max(a, b)]
          const what = isAck ? 'ack' : `nack${index}`
          if (isAck) outgoing.ack(from, to)
          else outgoing.nack(new Error(what), from, to)
          for (let output = from; output < to; output++) model[output] ??= what
        }
        const told: (string | undefined)[] = Array.from({ length: 12 })
        for (const report of reports) {
          const [what, range = ''] = report.split(' ')
          const [from = 0, to = 0] = range.split('-').map(Number)
          expect(to).toBeGreaterThan(from)
          for (let output = from; output < to; output++) {
            expect(told[output]).toBeUndefined()
            told[output] = what
          }
        }
        expect(told).toEqual(model)
      }),
    )
  })
})
