import type { LaneState } from './lane-state.ts'
import { Outgoing, type OutgoingListener } from './outgoing.ts'
import { outputMessage } from './output-message.ts'
import type { Piece } from './piece.ts'
import type { Sender } from './sender.ts'

/** Outputs of one `send`, at most; the outputs of one source message stay together. */
const MAX_SEND = 1_000
const MAX_SEND_BYTES = 1024 * 1024

/** Results that may be sent: messages that follow each other, both in their lane and in their reply. */
interface Finished {
  readonly lane: LaneState
  readonly piece: Piece
  sequence: number
  entry: number
  count: number
}

/** Sends outputs in the order that was asked for (G3): per lane in source order, or as they are finished. */
export class Emitter {
  readonly #inSourceOrder: boolean
  readonly #sender: Sender
  readonly #listener: OutgoingListener
  /** Lanes whose next result is there. */
  #ready: LaneState[] = []
  /** Without an order: results that were not sent yet. */
  #finished: Finished[] = []

  constructor(ordering: 'source' | 'none', sender: Sender, listener: OutgoingListener) {
    this.#inSourceOrder = ordering === 'source'
    this.#sender = sender
    this.#listener = listener
  }

  /** The outputs of this message are there: one entry of a reply. */
  offer(lane: LaneState, sequence: number, piece: Piece, entry: number): void {
    if (!this.#inSourceOrder) {
      this.#finish(lane, sequence, piece, entry)
      return
    }
    lane.reorder.put(sequence, piece, entry)
    if (sequence === lane.reorder.next) this.#list(lane)
  }

  /** This message has no outputs, and never will. */
  skip(lane: LaneState, sequence: number): void {
    if (!this.#inSourceOrder) return
    lane.reorder.skip(sequence)
    if (sequence === lane.reorder.next) this.#list(lane)
  }

  /** Sends all that is ready. */
  pump(): void {
    this.#sender.pump(() => (this.#inSourceOrder ? this.#nextInOrder() : this.#nextFinished()))
  }

  #list(lane: LaneState): void {
    if (lane.isReady) return
    lane.isReady = true
    this.#ready.push(lane)
  }

  /** What the first ready lane has, up to a chunk; the lane then goes to the end, so that none starves another. */
  #nextInOrder(): Outgoing | undefined {
    for (let lane = this.#ready.shift(); lane !== undefined; lane = this.#ready.shift()) {
      lane.isReady = false
      const outgoing = new Outgoing(lane, this.#listener)
      let bytes = 0
      for (let piece = lane.reorder.peek(); piece !== undefined; piece = lane.reorder.peek()) {
        const { entry, next } = lane.reorder
        if (isFull(outgoing, piece, entry, bytes)) {
          this.#list(lane)
          break
        }
        bytes += this.#add(outgoing, next, piece, entry)
        lane.reorder.advance()
      }
      if (outgoing.messages.length > 0) return outgoing
    }
    return undefined
  }

  #finish(lane: LaneState, sequence: number, piece: Piece, entry: number): void {
    const last = this.#finished[this.#finished.length - 1]
    const follows =
      last?.lane === lane &&
      last.piece === piece &&
      last.sequence + last.count === sequence &&
      last.entry + last.count === entry
    if (follows) last.count++
    else this.#finished.push({ lane, piece, sequence, entry, count: 1 })
  }

  #nextFinished(): Outgoing | undefined {
    const lane = this.#finished[0]?.lane
    if (lane === undefined) return undefined
    const outgoing = new Outgoing(lane, this.#listener)
    let bytes = 0
    for (let run = this.#finished[0]; run?.lane === lane; run = this.#finished[0]) {
      while (run.count > 0 && !isFull(outgoing, run.piece, run.entry, bytes)) {
        bytes += this.#add(outgoing, run.sequence++, run.piece, run.entry++)
        run.count--
      }
      if (run.count > 0) break
      this.#finished.shift()
    }
    return outgoing
  }

  #add(outgoing: Outgoing, sequence: number, piece: Piece, entry: number): number {
    const { reply } = piece
    const input = outgoing.lane.ledger.delivery(sequence).message
    const first = reply.firstOutput(entry)
    const count = reply.outputsOf(entry)
    let bytes = 0
    for (let ordinal = 0; ordinal < count; ordinal++) {
      const message = outputMessage(input, reply, first + ordinal, ordinal)
      if (message.value instanceof Uint8Array) bytes += message.value.length
      outgoing.add(message, sequence, piece)
    }
    return bytes
  }
}

function isFull(outgoing: Outgoing, piece: Piece, entry: number, bytes: number): boolean {
  if (outgoing.messages.length === 0) return false
  return outgoing.messages.length + piece.reply.outputsOf(entry) > MAX_SEND || bytes >= MAX_SEND_BYTES
}
