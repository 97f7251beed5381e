import type { Settlement } from '../destination.ts'
import { toError } from '../errors.ts'
import { checkSettlementRange } from './settlement-range.ts'

/**
 * Settles the messages of one send once every branch has settled them: acked where all branches acked, nacked with the first
 * reason where any gave up. Waiting for all of them, also after a nack, keeps a value valid until its last reader is done
 * (G10).
 */
export class CombinedSettlement {
  readonly #settlement: Settlement
  readonly #length: number
  /** How many branches still owe each message. */
  readonly #owed: Uint16Array
  /** Branch by branch, whether it has settled each message: its first report wins. */
  readonly #settled: Uint8Array
  #reasons: Map<number, Error> | undefined

  constructor(settlement: Settlement, length: number, branches: number) {
    this.#settlement = settlement
    this.#length = length
    this.#owed = new Uint16Array(length).fill(branches)
    this.#settled = new Uint8Array(length * branches)
  }

  /** What the branch of this index reports to. */
  branch(index: number): Settlement {
    const base = index * this.#length
    return {
      ack: (from = 0, to = this.#length) => this.#settle(base, undefined, from, to),
      nack: (reason, from = 0, to = this.#length) => this.#settle(base, toError(reason), from, to),
    }
  }

  #settle(base: number, reason: Error | undefined, from: number, to: number): void {
    checkSettlementRange(from, to, this.#length)
    let start = from
    let outcome: Error | undefined
    for (let index = from; index < to; index++) {
      const complete = this.#report(base, index, reason)
      const next = complete ? this.#reasons?.get(index) : undefined
      if (!complete || next !== outcome) {
        this.#release(outcome, start, index)
        start = complete ? index : index + 1
        outcome = next
      }
    }
    this.#release(outcome, start, to)
  }

  /** Whether this was the last report that the message was waiting for. */
  #report(base: number, index: number, reason: Error | undefined): boolean {
    if (this.#settled[base + index] === 1) return false
    this.#settled[base + index] = 1
    if (reason !== undefined) {
      this.#reasons ??= new Map()
      if (!this.#reasons.has(index)) this.#reasons.set(index, reason)
    }
    const owed = (this.#owed[index] ?? 0) - 1
    this.#owed[index] = owed
    return owed === 0
  }

  #release(reason: Error | undefined, from: number, to: number): void {
    if (from === to) return
    if (reason === undefined) this.#settlement.ack(from, to)
    else this.#settlement.nack(reason, from, to)
  }
}
