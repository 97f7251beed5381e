import { messageOf, MillraceError } from '../errors.ts'
import type { Lane } from '../source.ts'
import { isThenable } from '../util/is-thenable.ts'
import { LaneState } from './lane-state.ts'
import type { RunHub } from './run-hub.ts'

/**
 * The lanes of a source. Where there are several, or may be, one that holds half of the window is paused until it holds a quarter, so
 * that it cannot keep the others out (G2).
 */
export class Lanes {
  readonly #own: Lane
  readonly #maxInFlight: number
  readonly #hub: RunHub
  /** Weak: partitions come and go, and with them what is known of them. */
  readonly #known = new WeakMap<Lane, LaneState>()
  /** Those that hold messages. */
  readonly #active = new Set<LaneState>()
  areSeveral = false
  #first: LaneState | undefined

  constructor(ackMode: Lane['ackMode'], maxInFlight: number, hub: RunHub) {
    this.#own = { name: 'source', ackMode }
    this.#maxInFlight = maxInFlight
    this.#hub = hub
  }

  /** Lanes that hold messages. */
  get active(): ReadonlySet<LaneState> {
    return this.#active
  }

  /** The state of a delivery's lane. */
  of(lane: Lane | undefined): LaneState {
    const key = lane ?? this.#own
    let state = this.#known.get(key)
    if (state === undefined) {
      state = new LaneState(key)
      this.#known.set(key, state)
      this.areSeveral ||= this.#first !== undefined
      this.#first ??= state
    }
    return state
  }

  /** The lane got messages. */
  received(state: LaneState): void {
    this.#active.add(state)
    // A lane that can be paused may have siblings that were not heard of yet.
    if ((!this.areSeveral && state.lane.pause === undefined) || state.isPaused || held(state) * 2 < this.#maxInFlight)
      return
    state.isPaused = true
    this.#call(() => state.lane.pause?.())
    this.#hub.event({ type: 'paused', reason: 'lane', lane: state.lane.name })
  }

  /** The lane released messages. */
  released(state: LaneState): void {
    if (state.ledger.size === 0) this.#active.delete(state)
    if (!state.isPaused || held(state) * 4 >= this.#maxInFlight) return
    state.isPaused = false
    this.#call(() => state.lane.resume?.())
    this.#hub.event({ type: 'resumed', reason: 'lane', lane: state.lane.name })
  }

  /** The oldest lane's oldest message: when it was received, and its lane. */
  oldest(): { readonly state: LaneState; readonly at: number } | undefined {
    let oldest: { state: LaneState; at: number } | undefined
    for (const state of this.#active) {
      const at = state.ledger.oldestAt
      if (at !== undefined && (oldest === undefined || at < oldest.at)) oldest = { state, at }
    }
    return oldest
  }

  #call(step: () => unknown): void {
    const failed = (error: unknown): void => {
      const message = `A lane of the source could not be paused or resumed: ${messageOf(error)}`
      this.#hub.fail(new MillraceError('MR_SOURCE_FAILED', message, { cause: error }))
    }
    try {
      const done = step()
      if (isThenable(done)) done.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }
}

function held({ ledger, pendingAcks }: LaneState): number {
  return ledger.size + pendingAcks
}
