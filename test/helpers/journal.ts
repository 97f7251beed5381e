/** What happened at the ends of a processor, in order: the oracle of the guarantees' tests. */
export class Journal {
  readonly entries: { readonly what: string; readonly id: string }[] = []

  add(what: string, id = ''): void {
    this.entries.push({ what, id })
  }

  /** The ids of all entries of this kind, in order. */
  ids(what: string): string[] {
    return this.entries.filter((entry) => entry.what === what).map((entry) => entry.id)
  }

  /** Where this happened first; -1 where it never did. */
  at(what: string, id = ''): number {
    return this.entries.findIndex((entry) => entry.what === what && entry.id === id)
  }
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
