import { culprits, type ProgressMark, type Running } from '../worker/progress-mark.ts'

/** What was seen of one slot, and since when. */
interface Seen {
  readonly chunk: number
  readonly index: number
  readonly since: number
}

/**
 * Finds the messages that a worker has been at for too long, from what its mark shows at each look. PURE: time is a
 * parameter. A message is seen to start at the first look that finds it, so that it never gets less than its time; and a
 * process that was stopped for a while blames nobody for it.
 */
export class Watchdog {
  readonly #mark: ProgressMark
  readonly #limitMs: number
  readonly #seen = new Map<number, Seen>()
  /** Time as it counts here: what passes between two looks counts for a third of the limit at most. */
  #clock = 0
  #lookedAt: number | undefined
  #handled = 0
  #silentSince: number | undefined

  constructor(mark: ProgressMark, limitMs: number) {
    this.#mark = mark
    this.#limitMs = limitMs
  }

  /**
   * @param owes whether the worker has chunks that have not come back
   * @returns the overdue messages; none of them where the worker owes and runs nothing for as long, as when a timer of the
   * user's never returns; `undefined` where all is well
   */
  look(now: number, owes: boolean): readonly Running[] | undefined {
    this.#clock += Math.min(now - (this.#lookedAt ?? now), this.#limitMs / 3)
    this.#lookedAt = now
    const running = this.#mark.running()
    const overdue: Running[] = []
    for (const message of running) {
      const seen = this.#seen.get(message.slot)
      if (seen === undefined || seen.chunk !== message.chunk || seen.index !== message.index) {
        this.#seen.set(message.slot, { chunk: message.chunk, index: message.index, since: this.#clock })
      } else if (this.#clock - seen.since >= this.#limitMs) overdue.push(message)
    }
    if (overdue.length > 0) return culprits(overdue)
    const { handled } = this.#mark
    if (running.length > 0 || !owes || handled !== this.#handled || this.#silentSince === undefined) {
      this.#silentSince = this.#clock
      this.#handled = handled
    } else if (this.#clock - this.#silentSince >= this.#limitMs) return []
    return undefined
  }
}
