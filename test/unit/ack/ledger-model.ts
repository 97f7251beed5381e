import { AckLedger, type Release } from '../../../src/ack/ack-ledger.ts'
import { outcome, type FinalOutcome } from '../../../src/ack/outcome.ts'

/** All ends of a message. */
export const ends: readonly FinalOutcome[] = [
  outcome.delivered,
  outcome.filtered,
  outcome.dropped,
  outcome.deadLettered,
  outcome.nacked,
]

/** One delivery, as the model sees it. */
export interface Entry {
  readonly sequence: number
  readonly bytes: number
  readonly at: number
  owed: number
  how: FinalOutcome | undefined
}

/** The ledger as a plain array of objects: slow, and too simple to be wrong. */
export class NaiveLedger {
  readonly entries: Entry[] = []
  #opened = 0

  get head(): number {
    return this.#opened - this.entries.length
  }

  get tail(): number {
    return this.#opened
  }

  open(bytes: number, at: number): number {
    this.entries.push({ sequence: this.#opened, bytes, at, owed: 0, how: undefined })
    return this.#opened++
  }

  release(limit: number): readonly Entry[] {
    const isNack = this.entries[0]?.how === outcome.nacked
    const end = this.entries.findIndex(({ how }) => how === undefined || (how === outcome.nacked) !== isNack)
    return this.entries.splice(0, Math.min(limit, end === -1 ? this.entries.length : end))
  }
}

/** What a release of the ledger says, in the model's terms. */
export function told(release: Release<string> | undefined): unknown {
  if (release === undefined) return undefined
  const { from, deliveries, outcomes, nacked, bytes } = release
  return { from, deliveries, outcomes: [...outcomes], nacked, bytes }
}

/** What a release of the model would be for the ledger. */
export function expected(entries: readonly Entry[]): unknown {
  const [first] = entries
  if (first === undefined) return undefined
  return {
    from: first.sequence,
    deliveries: entries.map(({ sequence }) => `d${sequence}`),
    outcomes: entries.map(({ how }) => how),
    nacked: first.how === outcome.nacked,
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** A ledger with this many open deliveries, `d0`, `d1` and so on, of a byte each. */
export function ledgerOf(count: number): AckLedger<string> {
  const ledger = new AckLedger<string>()
  for (let index = 0; index < count; index++) ledger.open(`d${index}`, 1, index)
  return ledger
}

/** The deliveries that the ledger releases now. */
export function releaseAll(ledger: AckLedger<string>, limit = Infinity): string[] {
  const released: string[] = []
  for (let run = ledger.release(limit); run !== undefined; run = ledger.release(limit)) released.push(...run.deliveries)
  return released
}
