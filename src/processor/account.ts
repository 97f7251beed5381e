import { outcome } from '../ack/outcome.ts'
import type { Summary } from './summary.ts'

const columns = ['acked', 'delivered', 'filtered', 'dropped', 'deadLettered', 'nacked'] as const

/** The account of a run (G9): what came in, and what became of it. */
export class Account {
  received = 0
  /** Outputs flushed. */
  emitted = 0
  readonly #counts = new Float64Array(columns.length)

  /** These messages are handed to the source: acked, or nacked. */
  release(outcomes: Uint8Array): void {
    this.#count(outcomes, 1)
  }

  /** Their ack failed: they are in flight again. */
  undo(outcomes: Uint8Array): void {
    this.#count(outcomes, -1)
  }

  get inFlight(): number {
    return this.received - this.#of('acked') - this.#of('nacked')
  }

  summary(seconds: number): Summary {
    return {
      received: this.received,
      acked: this.#of('acked'),
      nacked: this.#of('nacked'),
      delivered: this.#of('delivered'),
      filtered: this.#of('filtered'),
      dropped: this.#of('dropped'),
      deadLettered: this.#of('deadLettered'),
      emitted: this.emitted,
      seconds,
    }
  }

  #of(column: (typeof columns)[number]): number {
    return this.#counts[columns.indexOf(column)] as number
  }

  #count(outcomes: Uint8Array, sign: 1 | -1): void {
    const counts = this.#counts
    for (const how of outcomes) {
      counts[how] = (counts[how] as number) + sign
      if (how !== outcome.nacked) counts[0] = (counts[0] as number) + sign
    }
  }
}
