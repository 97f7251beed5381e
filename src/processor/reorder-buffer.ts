const FIRST_CAPACITY = 256

/**
 * Results that wait for those before them, in a ring by sequence number. PURE. `undefined` in a slot: not there yet.
 */
export class ReorderBuffer<P> {
  #next = 0
  #mask = FIRST_CAPACITY - 1
  #results: (P | null | undefined)[] = Array.from({ length: FIRST_CAPACITY })
  #entries = new Uint32Array(FIRST_CAPACITY)

  /** The sequence that is to come next. */
  get next(): number {
    return this.#next
  }

  /** The result of this sequence, and the entry in it. */
  put(sequence: number, result: P, entry: number): void {
    this.#reserve(sequence)
    this.#results[sequence & this.#mask] = result
    this.#entries[sequence & this.#mask] = entry
  }

  /** This sequence has no outputs: those behind it need not wait for it. */
  skip(sequence: number): void {
    this.#reserve(sequence)
    this.#results[sequence & this.#mask] = null
  }

  /** The next result, or `undefined` where it is not there yet; passes over what has no outputs. */
  peek(): P | undefined {
    let result = this.#results[this.#next & this.#mask]
    while (result === null) {
      this.#results[this.#next++ & this.#mask] = undefined
      result = this.#results[this.#next & this.#mask]
    }
    return result
  }

  /** The entry of what `peek` returned. */
  get entry(): number {
    return this.#entries[this.#next & this.#mask] as number
  }

  /** Takes what `peek` returned. */
  advance(): void {
    this.#results[this.#next++ & this.#mask] = undefined
  }

  #reserve(sequence: number): void {
    while (sequence - this.#next > this.#mask) {
      const mask = this.#mask * 2 + 1
      const results: (P | null | undefined)[] = Array.from({ length: mask + 1 })
      const entries = new Uint32Array(mask + 1)
      for (let old = this.#next; old <= this.#next + this.#mask; old++) {
        results[old & mask] = this.#results[old & this.#mask]
        entries[old & mask] = this.#entries[old & this.#mask] as number
      }
      this.#mask = mask
      this.#results = results
      this.#entries = entries
    }
  }
}
