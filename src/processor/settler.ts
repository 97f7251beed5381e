import { outcome } from '../ack/outcome.ts'
import { toMillraceError } from '../errors.ts'
import type { Account } from './account.ts'
import type { Acker } from './acker.ts'
import type { Failures } from './failures.ts'
import type { LaneState } from './lane-state.ts'
import type { Outgoing, OutgoingListener } from './outgoing.ts'

/** Turns what destinations report about outputs into ends of messages. */
export class Settler implements OutgoingListener {
  readonly #account: Account
  readonly #acker: Acker
  readonly #failures: () => Failures
  readonly #onSettled: () => void
  #isClosed = false

  constructor(account: Account, acker: Acker, failures: () => Failures, onSettled: () => void) {
    this.#account = account
    this.#acker = acker
    this.#failures = failures
    this.#onSettled = onSettled
  }

  /** From here on reports are too late: the run is over, and their messages stay unacked. */
  close(): void {
    this.#isClosed = true
  }

  onSettled(outgoing: Outgoing, from: number, to: number, reason: Error | undefined): void {
    if (this.#isClosed) return
    const { lane, sequences, pieces } = outgoing
    if (reason === undefined) this.#account.emitted += to - from
    for (let index = from; index < to; index++) {
      const sequence = sequences[index] as number
      pieces[index]?.settle(1)
      if (reason !== undefined) {
        const error = toMillraceError(reason, 'MR_FLUSH_FAILED', 'The destination gave up an output')
        this.#failures().outputFailed(lane, sequence, outgoing.ordinal(index), error)
      }
      if (lane.ledger.pay(sequence)) this.#conclude(lane, sequence)
    }
    this.#acker.release(lane)
    this.#onSettled()
  }

  /** All outputs of the message are settled. */
  #conclude(lane: LaneState, sequence: number): void {
    if (lane.troubles.size > 0) {
      if ((lane.troubles.get(sequence)?.outputs.length ?? 0) > 0) {
        this.#failures().giveUp(lane, sequence)
        return
      }
      lane.troubles.delete(sequence)
    }
    lane.ledger.settle(sequence, outcome.delivered)
  }
}
