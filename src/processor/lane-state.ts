import { AckLedger } from '../ack/ack-ledger.ts'
import type { Delivery, Lane } from '../source.ts'
import type { Piece } from './piece.ts'
import { ReorderBuffer } from './reorder-buffer.ts'
import type { Trouble } from './trouble.ts'

/** All that a run knows of one lane. */
export class LaneState {
  readonly lane: Lane
  readonly ledger: AckLedger<Delivery<unknown>> = new AckLedger()
  readonly reorder: ReorderBuffer<Piece> = new ReorderBuffer()
  /** Only of messages that failed somewhere: by sequence. */
  readonly troubles: Map<number, Trouble> = new Map()
  /** An ack failed: nothing more of this lane is acked (G2). */
  isClosed = false
  isPaused = false
  /** Acks that were called and have not resolved: the lane holds them against the others. */
  pendingAcks = 0
  /** Its acks are being handed to the source. */
  isReleasing = false
  /** Listed among those that have outputs to send. */
  isReady = false

  constructor(lane: Lane) {
    this.lane = lane
  }
}
