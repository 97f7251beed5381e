import { messageOf, MillraceError } from '../errors.ts'
import type { Release } from '../ack/ack-ledger.ts'
import type { Delivery, Source } from '../source.ts'
import { isThenable } from '../util/is-thenable.ts'
import type { Account } from './account.ts'
import type { LaneState } from './lane-state.ts'
import type { RunHub } from './run-hub.ts'
import type { Window } from './window.ts'

/** Hands settled messages to the source: in order, each once, at most `maxInFlight` pending (G2). */
export class Acker {
  readonly #source: Source<unknown>
  readonly #account: Account
  readonly #window: Window
  readonly #hub: RunHub
  readonly #onReleased: (lane: LaneState) => void
  /** Lanes that had more to release than may be pending. */
  readonly #held = new Set<LaneState>()
  #pending = 0
  #isClosed = false
  #onIdle: (() => void) | undefined

  constructor(
    source: Source<unknown>,
    account: Account,
    window: Window,
    hub: RunHub,
    onReleased: (lane: LaneState) => void,
  ) {
    this.#source = source
    this.#account = account
    this.#window = window
    this.#hub = hub
    this.#onReleased = onReleased
  }

  /** Acks and nacks that were called and have not resolved. */
  get pending(): number {
    return this.#pending
  }

  /** Resolves once no ack is pending. */
  async whenIdle(): Promise<void> {
    while (this.#pending > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
  }

  /** Nothing is handed to the source any more: it is being closed. */
  close(): void {
    this.#isClosed = true
  }

  /** Releases the settled prefix of the lane. */
  release(lane: LaneState): void {
    // An ack may settle messages further on: they must not overtake those that are being handed over.
    if (lane.isReleasing) return
    lane.isReleasing = true
    this.#releaseAll(lane)
    lane.isReleasing = false
  }

  #releaseAll(lane: LaneState): void {
    while (!lane.isClosed && !this.#isClosed) {
      const room = this.#window.maxMessages - this.#pending
      if (room <= 0) {
        this.#held.add(lane)
        return
      }
      const release = lane.ledger.release(room)
      if (release === undefined) return
      this.#account.release(release.outcomes)
      this.#window.messages -= release.deliveries.length
      this.#window.bytes -= release.bytes
      this.#hand(lane, release)
      this.#onReleased(lane)
    }
  }

  #hand(lane: LaneState, release: Release<Delivery<unknown>>): void {
    const { deliveries } = release
    if (release.nacked) {
      this.#each(lane, release, (delivery, index) => {
        const trouble = lane.troubles.get(release.from + index)
        lane.troubles.delete(release.from + index)
        return delivery.nack?.(trouble?.error ?? new MillraceError('MR_MESSAGE_FAILED', 'The message was given up.'))
      })
    } else if (this.#source.ackBatch === undefined) {
      this.#each(lane, release, (delivery) => delivery.ack())
    } else {
      this.#call(lane, release.outcomes, () => this.#source.ackBatch?.(deliveries))
    }
  }

  #each(
    lane: LaneState,
    { deliveries, outcomes }: Release<Delivery<unknown>>,
    settle: (delivery: Delivery<unknown>, index: number) => unknown,
  ): void {
    for (let index = 0; index < deliveries.length; index++) {
      const delivery = deliveries[index] as Delivery<unknown>
      this.#call(lane, outcomes.subarray(index, index + 1), () => settle(delivery, index))
      if (lane.isClosed) {
        this.#undo(outcomes.subarray(index + 1))
        return
      }
    }
  }

  #call(lane: LaneState, outcomes: Uint8Array, settle: () => unknown): void {
    let settled: unknown
    try {
      settled = settle()
      if (!isThenable(settled)) return
    } catch (error) {
      this.#fail(lane, outcomes, error)
      return
    }
    this.#pending += outcomes.length
    lane.pendingAcks += outcomes.length
    settled.then(
      () => this.#resolved(lane, outcomes.length),
      (error: unknown) => {
        this.#fail(lane, outcomes, error)
        this.#resolved(lane, outcomes.length)
      },
    )
  }

  #resolved(lane: LaneState, count: number): void {
    this.#pending -= count
    lane.pendingAcks -= count
    const held = [...this.#held]
    this.#held.clear()
    for (const lane of held) this.release(lane)
    this.#onReleased(lane)
    if (this.#pending === 0) this.#onIdle?.()
  }

  #fail(lane: LaneState, outcomes: Uint8Array, error: unknown): void {
    lane.isClosed = true
    this.#undo(outcomes)
    this.#hub.fail(
      new MillraceError(
        'MR_ACK_FAILED',
        `The source failed to take an ack of lane "${lane.lane.name}": ${messageOf(error)}. Its messages may come again.`,
        { cause: error },
      ),
    )
    this.#onReleased(lane)
  }

  #undo(outcomes: Uint8Array): void {
    this.#account.undo(outcomes)
    this.#window.messages += outcomes.length
  }
}
