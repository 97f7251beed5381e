import type { Run } from '../pool/chunk.ts'

/** What a queue was taken from, and the most that the chunk may hold. */
export interface Take<L> {
  readonly runs: readonly Run<L>[]
  readonly count: number
  /** The message may have ended its worker: it must not take others with it. */
  readonly isIsolated: boolean
}

/**
 * Messages that wait for a worker, as runs. PURE. Those that were lost with a worker come first, since others may wait
 * behind them; a message that failed goes alone, so that it takes no other with it.
 */
export class DispatchQueue<L> {
  readonly #fresh: { lane: L; from: number; to: number }[] = []
  #freshHead = 0
  readonly #lost: { lane: L; from: number; to: number; readonly limit: number }[] = []
  readonly #alone: { readonly run: Run<L>; readonly isIsolated: boolean }[] = []
  #size = 0

  /** Messages that wait. */
  get size(): number {
    return this.#size
  }

  /** A message was received. */
  push(lane: L, sequence: number): void {
    this.#size++
    const last = this.#fresh[this.#fresh.length - 1]
    if (last !== undefined && this.#freshHead < this.#fresh.length && last.lane === lane && last.to === sequence) {
      last.to++
    } else this.#fresh.push({ lane, from: sequence, to: sequence + 1 })
  }

  /** Messages were lost with a worker that was not theirs to lose: they go again, at most `limit` at a time. */
  giveBack(runs: readonly Run<L>[], limit: number): void {
    for (const { lane, from, to } of runs) {
      this.#lost.push({ lane, from, to, limit })
      this.#size += to - from
    }
  }

  /** A message failed and is tried again; isolated where it may have ended its worker. */
  retry(lane: L, sequence: number, isIsolated: boolean): void {
    this.#alone.push({ run: { lane, from: sequence, to: sequence + 1 }, isIsolated })
    this.#size++
  }

  /** Whether what `take` gives next needs a worker of its own. */
  get isNextIsolated(): boolean {
    return this.#alone[0]?.isIsolated === true
  }

  /** Takes the next messages, at most `max`, until `bytesOf` them adds up to `maxBytes`. */
  take(max: number, maxBytes: number, bytesOf: (lane: L, sequence: number) => number): Take<L> | undefined {
    const alone = this.#alone.shift()
    if (alone !== undefined) {
      this.#size--
      return { runs: [alone.run], count: 1, isIsolated: alone.isIsolated }
    }
    const runs: Run<L>[] = []
    const lost = this.#lost[0]
    const limit = lost === undefined ? max : Math.min(max, lost.limit)
    let count = 0
    let bytes = 0
    while (count < limit && bytes < maxBytes) {
      const run = lost === undefined ? this.#fresh[this.#freshHead] : this.#lost[0]
      if (run === undefined) break
      const { lane, from } = run
      while (run.from < run.to && count < limit && bytes < maxBytes) {
        bytes += bytesOf(lane, run.from++)
        count++
      }
      runs.push({ lane, from, to: run.from })
      if (run.from === run.to) {
        if (lost === undefined) this.#dropFresh()
        else this.#lost.shift()
      }
    }
    this.#size -= count
    return count === 0 ? undefined : { runs, count, isIsolated: false }
  }

  /** Takes a message that its lane waits for, alone; `undefined` where every lane's oldest is already on its way. */
  takeOldest(isOldest: (lane: L, sequence: number) => boolean): Take<L> | undefined {
    const alone = this.#alone.findIndex(({ run }) => isOldest(run.lane, run.from))
    const [found] = alone < 0 ? [] : this.#alone.splice(alone, 1)
    if (found !== undefined) {
      this.#size--
      return { runs: [found.run], count: 1, isIsolated: found.isIsolated }
    }
    const lost = this.#lost.findIndex(({ lane, from }) => isOldest(lane, from))
    if (lost >= 0) return this.#takeFirst(this.#lost, lost)
    for (let index = this.#freshHead; index < this.#fresh.length; index++) {
      const run = this.#fresh[index] as Run<L>
      if (isOldest(run.lane, run.from)) return this.#takeFirst(this.#fresh, index)
    }
    return undefined
  }

  #takeFirst(list: { lane: L; from: number; to: number }[], index: number): Take<L> {
    const run = list[index] as { lane: L; from: number; to: number }
    const taken = { lane: run.lane, from: run.from, to: run.from + 1 }
    run.from++
    if (run.from === run.to) list.splice(index, 1)
    this.#size--
    return { runs: [taken], count: 1, isIsolated: false }
  }

  #dropFresh(): void {
    this.#freshHead++
    if (this.#freshHead * 2 > this.#fresh.length) {
      this.#fresh.splice(0, this.#freshHead)
      this.#freshHead = 0
    }
  }
}
