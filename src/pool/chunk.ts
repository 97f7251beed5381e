/** Messages of one lane that follow each other: [from, to), by sequence. */
export interface Run<L> {
  readonly lane: L
  readonly from: number
  readonly to: number
}

/** A chunk as the main thread knows it: which messages it holds, and which of them have come back. */
export class Chunk<L> {
  readonly id: number
  readonly count: number
  /** A worker handles nothing else meanwhile: its messages may have ended one, and must not take others with them again. */
  readonly isIsolated: boolean
  readonly #runs: readonly Run<L>[]
  readonly #replied: Uint8Array
  #open: number
  #cursor = 0
  #cursorStart = 0

  constructor(id: number, runs: readonly Run<L>[], isIsolated = false) {
    this.id = id
    this.isIsolated = isIsolated
    this.#runs = runs
    this.count = runs.reduce((sum, run) => sum + run.to - run.from, 0)
    this.#replied = new Uint8Array(this.count)
    this.#open = this.count
  }

  /** Messages that have not come back. */
  get open(): number {
    return this.#open
  }

  /** The lane and the sequence of the message at this index. Fast where indexes rise. */
  locate(index: number): { readonly lane: L; readonly sequence: number } {
    if (index < this.#cursorStart) {
      this.#cursor = 0
      this.#cursorStart = 0
    }
    let run = this.#runs[this.#cursor] as Run<L>
    while (index - this.#cursorStart >= run.to - run.from) {
      this.#cursorStart += run.to - run.from
      run = this.#runs[++this.#cursor] as Run<L>
    }
    return { lane: run.lane, sequence: run.from + index - this.#cursorStart }
  }

  reply(index: number): void {
    this.#replied[index] = 1
    this.#open--
  }

  hasReplied(index: number): boolean {
    return this.#replied[index] === 1
  }

  /** The runs of what has not come back, without the given indexes. */
  unreplied(except: ReadonlySet<number>): Run<L>[] {
    const runs: Run<L>[] = []
    let start = 0
    for (const { lane, from, to } of this.#runs) {
      let open = -1
      for (let sequence = from; sequence <= to; sequence++) {
        const index = start + sequence - from
        const lost = sequence < to && !this.hasReplied(index) && !except.has(index)
        if (lost && open < 0) open = sequence
        if (!lost && open >= 0) {
          runs.push({ lane, from: open, to: sequence })
          open = -1
        }
      }
      start += to - from
    }
    return runs
  }
}
