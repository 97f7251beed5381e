import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AckLedger } from '../../../src/ack/ack-ledger.ts'
import { outcome } from '../../../src/ack/outcome.ts'
import { ends, expected, type Entry, NaiveLedger, told } from './ledger-model.ts'

/**
 * A schedule is an array of numbers: each is one action, on a lane and a message that are there. So every schedule is a
 * valid one, and fast-check shrinks it well.
 */
const schedule = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 30, size: 'max' })
const RUNS = 100_000

/** A lane: the ledger, and the model that it must agree with. */
interface Lane {
  readonly ledger: AckLedger<string>
  readonly model: NaiveLedger
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what)
}

/** One action of a schedule, done to both; says which it was. */
function act(lanes: readonly Lane[], code: number): string {
  const lane = lanes[code % lanes.length] as Lane
  const { ledger, model } = lane
  const what = Math.floor(code / 3) % 16
  const which = Math.floor(code / 48)
  const open = model.entries.filter(({ how }) => how === undefined)
  const entry = open[which % Math.max(1, open.length)]
  if (what < 5 || entry === undefined) {
    const bytes = which % 1_000
    check(ledger.open(`d${model.tail}`, bytes, which) === model.open(bytes, which), 'open')
    return 'open'
  }
  if (what < 7) return release(lane, 1 + (which % 4))
  return entry.owed === 0 ? begin(lane, entry, what, which) : pay(lane, entry, open, what)
}

function begin({ ledger }: Lane, entry: Entry, what: number, which: number): string {
  if (what < 12) {
    entry.owed = 1 + (which % 3)
    ledger.expect(entry.sequence, entry.owed)
    return 'expect'
  }
  entry.how = ends[which % ends.length] as Entry['how'] & number
  ledger.settle(entry.sequence, entry.how)
  return 'settle'
}

function pay({ ledger }: Lane, entry: Entry, open: readonly Entry[], what: number): string {
  if (what < 9 && entry.owed === 1) {
    let end = entry.sequence + 1
    while (open.some(({ sequence, owed }) => sequence === end && owed === 1)) end++
    for (let sequence = entry.sequence; sequence < end; sequence++) {
      check(ledger.pay(sequence), 'pay')
      ledger.settle(sequence, outcome.delivered)
    }
    for (const paid of open) {
      if (paid.sequence < entry.sequence || paid.sequence >= end) continue
      paid.owed = 0
      paid.how = outcome.delivered
    }
    return 'deliver'
  }
  check(ledger.pay(entry.sequence) === (--entry.owed === 0), 'pay')
  return 'pay'
}

function release({ ledger, model }: Lane, limit: number): string {
  const wanted = expected(model.release(limit))
  const got = told(ledger.release(limit))
  if (JSON.stringify(got) !== JSON.stringify(wanted)) expect(got).toEqual(wanted)
  return wanted === undefined ? 'held' : 'release'
}

/** Everything that can be read of a ledger is what the model says. */
function compare({ ledger, model }: Lane): void {
  const [oldest] = model.entries
  check(ledger.head === model.head && ledger.tail === model.tail && ledger.size === model.entries.length, 'bounds')
  check(ledger.oldestAt === oldest?.at, 'oldestAt')
  for (const { sequence, bytes, owed, how } of model.entries) {
    check(ledger.delivery(sequence) === `d${sequence}` && ledger.bytes(sequence) === bytes, `columns of ${sequence}`)
    check(ledger.isOpen(sequence) === (how === undefined), `isOpen(${sequence})`)
    check(ledger.isExpected(sequence) === (how === undefined && owed > 0), `isExpected(${sequence})`)
  }
  check(!ledger.isOpen(model.tail) && !ledger.isOpen(model.head - 1), 'isOpen outside')
}

describe('AckLedger, any schedule', () => {
  it(`G1, G2, G9: releases what a plain array of objects would, over ${RUNS} schedules of three lanes`, () => {
    const done = new Map<string, number>()
    let runs = 0
    fc.assert(
      fc.property(schedule, (codes) => {
        const lanes = Array.from({ length: 3 }, () => ({ ledger: new AckLedger<string>(), model: new NaiveLedger() }))
        for (const code of codes) {
          const what = act(lanes, code)
          done.set(what, (done.get(what) ?? 0) + 1)
        }
        for (const lane of lanes) {
          compare(lane)
          release(lane, Infinity)
        }
        runs++
      }),
      { numRuns: RUNS },
    )
    expect(runs).toBeGreaterThanOrEqual(RUNS)
    for (const what of ['open', 'expect', 'pay', 'deliver', 'settle', 'release', 'held']) {
      expect(done.get(what), what).toBeGreaterThan(RUNS / 20)
    }
  }, 120_000)

  it('G2: keeps every column right while the ring grows and wraps around, over long schedules', () => {
    const long = fc.array(fc.nat({ max: 2 ** 31 - 1 }), { minLength: 4_000, maxLength: 6_000, size: 'max' })
    let largest = 0
    fc.assert(
      fc.property(long, (codes) => {
        const lane = { ledger: new AckLedger<string>(), model: new NaiveLedger() }
        for (const [index, code] of codes.entries()) {
          // Phases of filling and of emptying: more than one growth of the ring, each at another offset.
          const isFilling = Math.floor(index / 1_000) % 2 === 0
          if (isFilling && code % 4 !== 0) act([lane], 0)
          else act([lane], isFilling ? code : Math.floor(code / 48) * 48 + (15 + (code % 33)))
          largest = Math.max(largest, lane.ledger.size)
          if (index % 500 === 0) compare(lane)
        }
        compare(lane)
      }),
      { numRuns: 20 },
    )
    expect(largest).toBeGreaterThan(1_024)
  }, 60_000)
})
