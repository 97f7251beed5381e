/** What became of a pushed message. `'unsettled'`: the source was closed before, as after a fatal error. */
export type MemoryOutcome =
  | { readonly status: 'acked' }
  | { readonly status: 'nacked'; readonly reason: Error }
  | { readonly status: 'unsettled' }

/** The handle of a pushed message. */
export interface Pushed {
  /** Resolves with what became of the message; never rejects. */
  readonly settled: Promise<MemoryOutcome>
  /** What became of it, or `undefined` while it is queued or in flight. */
  readonly outcome: MemoryOutcome | undefined
}

/** Settles once: the first outcome stays. The promise is made only for those who ask for it. */
export class PushedMessage implements Pushed {
  #outcome: MemoryOutcome | undefined
  #settled: Promise<MemoryOutcome> | undefined
  #resolve: (outcome: MemoryOutcome) => void = () => {}

  get outcome(): MemoryOutcome | undefined {
    return this.#outcome
  }

  get settled(): Promise<MemoryOutcome> {
    this.#settled ??= new Promise((resolve) => {
      if (this.#outcome === undefined) this.#resolve = resolve
      else resolve(this.#outcome)
    })
    return this.#settled
  }

  settle(outcome: MemoryOutcome): void {
    this.#outcome ??= outcome
    this.#resolve(this.#outcome)
  }
}
