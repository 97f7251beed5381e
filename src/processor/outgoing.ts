import type { Settlement } from '../destination.ts'
import type { Message } from '../message.ts'
import { checkSettlementRange } from '../util/settlement-range.ts'
import type { LaneState } from './lane-state.ts'
import type { Piece } from './piece.ts'

/** Who learns what became of outputs. */
export interface OutgoingListener {
  /** These outputs are durable, or were given up with a reason; `[from, to)` of the send. */
  onSettled(outgoing: Outgoing, from: number, to: number, reason: Error | undefined): void
}

/**
 * One `send`: its messages, which source message each was made from, and which of them are settled. Its settlement can be
 * kept, called twice and called late: each output settles once, and the first report wins.
 */
export class Outgoing implements Settlement {
  readonly lane: LaneState
  readonly messages: Message<never>[] = []
  /** Of each output: the sequence of its source message. */
  readonly sequences: number[] = []
  /** Of each output: the reply that holds its bytes. */
  readonly pieces: Piece[] = []
  readonly #listener: OutgoingListener
  #settled: Uint8Array | undefined

  constructor(lane: LaneState, listener: OutgoingListener) {
    this.lane = lane
    this.#listener = listener
  }

  get settlement(): Settlement {
    return this
  }

  add(message: Message<unknown>, sequence: number, piece: Piece): void {
    this.messages.push(message as Message<never>)
    this.sequences.push(sequence)
    this.pieces.push(piece)
  }

  ack(from = 0, to: number = this.sequences.length): void {
    this.#settle(from, to, undefined)
  }

  nack(reason: Error, from = 0, to: number = this.sequences.length): void {
    this.#settle(from, to, reason)
  }

  /** The index of this output among those of its source message. */
  ordinal(index: number): number {
    const sequence = this.sequences[index]
    let first = index
    while (first > 0 && this.sequences[first - 1] === sequence) first--
    return index - first
  }

  /** Reports the parts of the range that were not settled before. */
  #settle(from: number, to: number, reason: Error | undefined): void {
    checkSettlementRange(from, to, this.sequences.length)
    const settled = (this.#settled ??= new Uint8Array(this.sequences.length))
    let start = from
    for (let index = from; index <= to; index++) {
      if (index < to && settled[index] === 0) {
        settled[index] = 1
        continue
      }
      if (index > start) this.#listener.onSettled(this, start, index, reason)
      start = index + 1
    }
  }
}
