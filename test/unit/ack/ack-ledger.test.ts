import { describe, expect, it } from 'vitest'
import { AckLedger } from '../../../src/ack/ack-ledger.ts'
import { outcome } from '../../../src/ack/outcome.ts'
import { expectCode } from '../../helpers/collect.ts'
import { randomFrom } from '../../helpers/scripted-ends.ts'
import { ends, ledgerOf, releaseAll, told } from './ledger-model.ts'

describe('AckLedger: a delivery', () => {
  it('gets sequences from 0 up, and is kept with its bytes and its time', () => {
    const ledger = new AckLedger<string>()
    expect([ledger.open('a', 10, 5), ledger.open('b', 20, 6)]).toEqual([0, 1])
    expect([ledger.head, ledger.tail, ledger.size, ledger.oldestAt]).toEqual([0, 2, 2, 5])
    expect([ledger.delivery(1), ledger.bytes(0), ledger.bytes(1)]).toEqual(['b', 10, 20])
    ledger.settle(0, outcome.filtered)
    ledger.release(1)
    expect([ledger.head, ledger.size, ledger.oldestAt]).toEqual([1, 1, 6])
    ledger.settle(1, outcome.filtered)
    ledger.release(1)
    expect([ledger.size, ledger.oldestAt]).toEqual([0, undefined])
  })

  it('G1: is settled only by an end of its own, once its last output is paid', () => {
    const ledger = ledgerOf(1)
    expect(ledger.isOpen(0)).toBe(true)
    ledger.expect(0, 3)
    expect([ledger.isExpected(0), ledger.pay(0), ledger.pay(0)]).toEqual([true, false, false])
    expect(ledger.release(1)).toBeUndefined()
    expect([ledger.pay(0), ledger.isExpected(0), ledger.isOpen(0)]).toEqual([true, false, true])
    expect(ledger.release(1)).toBeUndefined()
    ledger.settle(0, outcome.delivered)
    expect(ledger.isOpen(0)).toBe(false)
    expect(releaseAll(ledger)).toEqual(['d0'])
  })

  it.each(ends)('G9: is released with its outcome (%i)', (how) => {
    const ledger = ledgerOf(1)
    ledger.settle(0, how)
    expect(told(ledger.release(1))).toEqual({
      from: 0,
      deliveries: ['d0'],
      outcomes: [how],
      nacked: how === outcome.nacked,
      bytes: 1,
    })
  })

  it('is released in runs of acks and of nacks, none longer than the limit', () => {
    const ledger = ledgerOf(7)
    for (const nacked of [2, 3]) ledger.settle(nacked, outcome.nacked)
    for (const acked of [0, 1, 4, 5, 6]) ledger.settle(acked, outcome.delivered)
    const runs = [ledger.release(10), ledger.release(10), ledger.release(2), ledger.release(0), ledger.release(2)]
    expect(runs.map((run) => run?.deliveries)).toEqual([['d0', 'd1'], ['d2', 'd3'], ['d4', 'd5'], undefined, ['d6']])
    expect(runs.map((run) => run?.nacked)).toEqual([false, true, false, undefined, false])
  })
})

describe('AckLedger, misused', () => {
  const cases: [what: string, misuse: (ledger: AckLedger<string>) => void][] = [
    ['settles twice', (ledger) => [0, 0].forEach((sequence) => ledger.settle(sequence, outcome.delivered))],
    ['settles what owes outputs', (ledger) => (ledger.expect(0, 1), ledger.settle(0, outcome.delivered))],
    ['pays what owes nothing', (ledger) => ledger.pay(0)],
    ['pays once too often', (ledger) => (ledger.expect(0, 1), ledger.pay(0), ledger.pay(0))],
    ['pays what is settled', (ledger) => (ledger.settle(0, outcome.delivered), ledger.pay(0))],
    ['expects no output', (ledger) => ledger.expect(0, 0)],
    ['expects twice', (ledger) => (ledger.expect(0, 1), ledger.expect(0, 1))],
    ['expects what is settled', (ledger) => (ledger.settle(0, outcome.delivered), ledger.expect(0, 1))],
    ['settles what was never opened', (ledger) => ledger.settle(2, outcome.delivered)],
    ['settles before the first', (ledger) => ledger.settle(-1, outcome.delivered)],
    [
      'reads what was released',
      (ledger) => (ledger.settle(0, outcome.filtered), ledger.release(1), ledger.delivery(0)),
    ],
    ['reads the bytes of what was never opened', (ledger) => ledger.bytes(9)],
  ]

  it.each(cases)('%s: MR_INTERNAL, and what was right before stays right', async (_, misuse) => {
    const ledger = ledgerOf(2)
    await expectCode(() => misuse(ledger), 'MR_INTERNAL', /ledger was misused: .*\d/u)
    ledger.settle(1, outcome.delivered)
    expect(ledger.tail).toBe(2)
  })
})

/** The cases of Jeffail/checkpoint, which Benthos acks with, in our terms: G2 for one cumulative lane. */
describe('AckLedger: the watermark', () => {
  it('G2: follows deliveries that are settled in sequence, one by one', () => {
    const ledger = ledgerOf(20)
    for (let sequence = 0; sequence < 20; sequence++) {
      ledger.settle(sequence, outcome.delivered)
      expect(releaseAll(ledger)).toEqual([`d${sequence}`])
    }
  })

  it('G2: waits for the oldest where they are settled out of sync', () => {
    const ledger = ledgerOf(5)
    const seen = [1, 0, 4, 2, 3].map((sequence) => {
      ledger.settle(sequence, outcome.delivered)
      return releaseAll(ledger)
    })
    expect(seen).toEqual([[], ['d0', 'd1'], [], ['d2'], ['d3', 'd4']])
  })

  it('G2: moves by chunks where the first of each chunk is settled last', () => {
    const ledger = ledgerOf(100)
    for (let chunk = 0; chunk < 10; chunk++) {
      for (let index = 9; index > 0; index--) {
        ledger.settle(chunk * 10 + index, outcome.delivered)
        expect(releaseAll(ledger)).toEqual([])
      }
      ledger.settle(chunk * 10, outcome.delivered)
      expect(releaseAll(ledger)).toEqual(Array.from({ length: 10 }, (_, index) => `d${chunk * 10 + index}`))
    }
  })

  it('G2: stays where it is until the end where they are settled in reverse', () => {
    const ledger = ledgerOf(1_000)
    for (let sequence = 999; sequence > 0; sequence--) {
      ledger.settle(sequence, outcome.delivered)
      expect(ledger.release(Infinity)).toBeUndefined()
    }
    ledger.settle(0, outcome.delivered)
    expect(releaseAll(ledger)).toHaveLength(1_000)
  })

  it.each([1, 2, 3])('G2: is the settled prefix at every moment of a random order (seed %i)', (seed) => {
    const random = randomFrom(seed)
    const ledger = ledgerOf(500)
    const order = Array.from({ length: 500 }, (_, sequence) => ({ sequence, rank: random() }))
    const settled = new Set<number>()
    let watermark = 0
    for (const { sequence } of order.sort((a, b) => a.rank - b.rank)) {
      ledger.settle(sequence, outcome.delivered)
      settled.add(sequence)
      const released = releaseAll(ledger)
      for (const delivery of released) expect(delivery).toBe(`d${watermark++}`)
      expect(settled.has(watermark)).toBe(false)
      expect(ledger.head).toBe(watermark)
    }
    expect(watermark).toBe(500)
  })

  it('G4: a capped window of any size passes through the same ring, which grows only as far as it must', () => {
    const ledger = new AckLedger<string>()
    const cap = 300
    let released = 0
    for (let sequence = 0; sequence < 5_000; sequence++) {
      if (ledger.size === cap) {
        for (let at = ledger.tail - 1; at >= ledger.head; at--) ledger.settle(at, outcome.delivered)
        for (const delivery of releaseAll(ledger, 7)) expect(delivery).toBe(`d${released++}`)
      }
      expect(ledger.open(`d${sequence}`, sequence, sequence)).toBe(sequence)
      expect(ledger.size).toBeLessThanOrEqual(cap)
      expect(ledger.bytes(sequence)).toBe(sequence)
    }
  })

  it('survives the growth of a ring that has wrapped around', () => {
    const ledger = ledgerOf(250)
    for (let sequence = 0; sequence < 200; sequence++) ledger.settle(sequence, outcome.filtered)
    expect(releaseAll(ledger)).toHaveLength(200)
    for (let sequence = 250; sequence < 1_300; sequence++) {
      ledger.open(`d${sequence}`, sequence, sequence)
      if (sequence % 3 === 0) ledger.expect(sequence, 2)
      if (sequence % 3 === 1) ledger.settle(sequence, outcome.dropped)
    }
    for (let sequence = 200; sequence < 1_300; sequence++) {
      expect(ledger.delivery(sequence)).toBe(`d${sequence}`)
      expect(ledger.bytes(sequence)).toBe(sequence < 250 ? 1 : sequence)
      expect(ledger.isExpected(sequence)).toBe(sequence >= 250 && sequence % 3 === 0)
      expect(ledger.isOpen(sequence)).toBe(sequence < 250 || sequence % 3 !== 1)
    }
    expect(ledger.oldestAt).toBe(200)
  })
})
