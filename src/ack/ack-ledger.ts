import { MillraceError } from '../errors.ts'
import { outcome, type FinalOutcome, type Outcome } from './outcome.ts'

/** A run of settled deliveries at the head of a lane, all to be acked, or all to be nacked. */
export interface Release<D> {
  /** The sequence of the first one. */
  readonly from: number
  readonly deliveries: readonly D[]
  readonly outcomes: Uint8Array
  readonly nacked: boolean
  readonly bytes: number
}

const FIRST_CAPACITY = 256

/**
 * The record of what one lane still owes its source: a ring of columns, indexed by sequence number.
 *
 * ```
 *   released │ head ──────────────── tail │ not yet received
 *            │  settled? settled? open …  │
 * ```
 *
 * Invariants: a delivery leaves only from the head, only once, and only when it is settled (G2); it is settled only when
 * its last output is (G1). Pure and synchronous: whoever calls owns time, promises and the source.
 */
export class AckLedger<D> {
  #head = 0
  #tail = 0
  #mask = FIRST_CAPACITY - 1
  #deliveries: (D | undefined)[] = Array.from({ length: FIRST_CAPACITY })
  #bytes = new Float64Array(FIRST_CAPACITY)
  #openedAt = new Float64Array(FIRST_CAPACITY)
  /** Outputs not yet settled; 0 while the handler has the message, and at the end. */
  #owed = new Uint32Array(FIRST_CAPACITY)
  #outcomes = new Uint8Array(FIRST_CAPACITY)

  /** The sequence of the oldest delivery that was not released. */
  get head(): number {
    return this.#head
  }

  /** The sequence that the next delivery gets. */
  get tail(): number {
    return this.#tail
  }

  /** Deliveries received and not released. */
  get size(): number {
    return this.#tail - this.#head
  }

  /** When the oldest delivery was opened; `undefined` when there is none. */
  get oldestAt(): number | undefined {
    return this.size === 0 ? undefined : this.#openedAt[this.#head & this.#mask]
  }

  /** Receives a delivery; returns its sequence, which is one more than that of the delivery before. */
  open(delivery: D, bytes: number, now: number): number {
    if (this.size > this.#mask) this.#grow()
    const sequence = this.#tail++
    const slot = sequence & this.#mask
    this.#deliveries[slot] = delivery
    this.#bytes[slot] = bytes
    this.#openedAt[slot] = now
    this.#owed[slot] = 0
    this.#outcomes[slot] = outcome.open
    return sequence
  }

  delivery(sequence: number): D {
    return this.#deliveries[this.#slot(sequence)] as D
  }

  bytes(sequence: number): number {
    return this.#bytes[this.#slot(sequence)] as number
  }

  isOpen(sequence: number): boolean {
    return sequence >= this.#head && sequence < this.#tail && this.#outcomes[sequence & this.#mask] === outcome.open
  }

  /** The handler made this many outputs (1 or more): the message is settled when each of them is. */
  expect(sequence: number, outputs: number): void {
    const slot = this.#openSlot(sequence)
    if (this.#owed[slot] !== 0 || outputs < 1) throw misuse(`expect(${sequence}, ${outputs}) of an expected message`)
    this.#owed[slot] = outputs
  }

  /** One output was settled, whichever way. True when it was the last one. */
  pay(sequence: number): boolean {
    const slot = this.#openSlot(sequence)
    const owed = this.#owed[slot] as number
    if (owed === 0) throw misuse(`pay(${sequence}) of a message that owes nothing`)
    this.#owed[slot] = owed - 1
    return owed === 1
  }

  /** Whether outputs of the message are with a destination or on the way to it. */
  isExpected(sequence: number): boolean {
    return this.isOpen(sequence) && this.#owed[sequence & this.#mask] !== 0
  }

  /** Ends the message's life. Throws where it has ended already: a message is settled exactly once. */
  settle(sequence: number, how: FinalOutcome): void {
    const slot = this.#openSlot(sequence)
    if (this.#owed[slot] !== 0) throw misuse(`settle(${sequence}) of a message that owes ${this.#owed[slot]} outputs`)
    this.#outcomes[slot] = how
  }

  /**
   * Takes the longest settled run of one kind (acks, or nacks) from the head, at most `limit` long; `undefined` when the
   * oldest delivery is not settled. What is taken counts as handed to the source.
   */
  release(limit: number): Release<D> | undefined {
    const from = this.#head
    const first = this.#settledAt(from)
    if (first === outcome.open || limit < 1) return undefined
    const nacked = first === outcome.nacked
    let to = from + 1
    while (to - from < limit) {
      const next = this.#settledAt(to)
      if (next === outcome.open || (next === outcome.nacked) !== nacked) break
      to++
    }
    return this.#take(from, to, nacked)
  }

  #take(from: number, to: number, nacked: boolean): Release<D> {
    const count = to - from
    const deliveries: D[] = Array.from({ length: count })
    const outcomes = new Uint8Array(count)
    let bytes = 0
    for (let index = 0; index < count; index++) {
      const slot = (from + index) & this.#mask
      deliveries[index] = this.#deliveries[slot] as D
      this.#deliveries[slot] = undefined
      outcomes[index] = this.#outcomes[slot] as number
      bytes += this.#bytes[slot] as number
    }
    this.#head = to
    return { from, deliveries, outcomes, nacked, bytes }
  }

  #settledAt(sequence: number): Outcome {
    return sequence < this.#tail ? (this.#outcomes[sequence & this.#mask] as Outcome) : outcome.open
  }

  #slot(sequence: number): number {
    if (sequence < this.#head || sequence >= this.#tail) throw misuse(`sequence ${sequence} is not in flight`)
    return sequence & this.#mask
  }

  #openSlot(sequence: number): number {
    const slot = this.#slot(sequence)
    if (this.#outcomes[slot] !== outcome.open) throw misuse(`sequence ${sequence} is settled already`)
    return slot
  }

  #grow(): void {
    const capacity = (this.#mask + 1) * 2
    const mask = capacity - 1
    const deliveries: (D | undefined)[] = Array.from({ length: capacity })
    const bytes = new Float64Array(capacity)
    const openedAt = new Float64Array(capacity)
    const owed = new Uint32Array(capacity)
    const outcomes = new Uint8Array(capacity)
    for (let sequence = this.#head; sequence < this.#tail; sequence++) {
      const from = sequence & this.#mask
      const to = sequence & mask
      deliveries[to] = this.#deliveries[from]
      bytes[to] = this.#bytes[from] as number
      openedAt[to] = this.#openedAt[from] as number
      owed[to] = this.#owed[from] as number
      outcomes[to] = this.#outcomes[from] as number
    }
    this.#mask = mask
    this.#deliveries = deliveries
    this.#bytes = bytes
    this.#openedAt = openedAt
    this.#owed = owed
    this.#outcomes = outcomes
  }
}

function misuse(what: string): MillraceError {
  return new MillraceError(
    'MR_INTERNAL',
    `The ledger was misused: ${what}. This is a bug in millrace; please report it.`,
  )
}
