import type { DeadLetters } from './dead-letters.ts'
import type { LaneState } from './lane-state.ts'
import type { Lanes } from './lanes.ts'

/** How long a full window whose workers have enough to do waits for a fuller batch, in milliseconds. */
const PATIENCE_MS = 10

/**
 * Sees to it that no window waits for a batch timer (G4): where the intake has stopped because the window, or a lane's half
 * of it, is full, and the oldest message is with a destination, that is told to flush. At once where most of the window is
 * behind the workers; a moment later where they are still busy with most of it, since the batch then fills by itself.
 */
export class StallGuard {
  readonly #lanes: Lanes
  readonly #deadLetters: DeadLetters | undefined
  readonly #flush: () => void
  #timer: NodeJS.Timeout | undefined

  constructor(lanes: Lanes, deadLetters: DeadLetters | undefined, flush: () => void) {
    this.#lanes = lanes
    this.#deadLetters = deadLetters
    this.#flush = flush
  }

  /**
   * @param isFull whether the window is
   * @param inFlight messages in it
   * @param handling those of them that have no result yet
   */
  check(isFull: boolean, inFlight: number, handling: number): void {
    if (!this.#isStalled(isFull)) this.close()
    else if (handling * 2 < inFlight) this.#now()
    else this.#timer ??= setTimeout(() => this.#now(), PATIENCE_MS)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #now(): void {
    this.close()
    this.#flush()
  }

  /** Whether room is wanted, and the oldest message of a lane that could make some waits for a destination. */
  #isStalled(isFull: boolean): boolean {
    for (const lane of this.#lanes.active) if ((isFull || lane.isPaused) && this.#isWithDestination(lane)) return true
    return false
  }

  #isWithDestination({ ledger, troubles }: LaneState): boolean {
    return ledger.isExpected(ledger.head) || ((this.#deadLetters?.unwritten ?? 0) > 0 && troubles.has(ledger.head))
  }
}
