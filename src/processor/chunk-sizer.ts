/** What a chunk should cost a worker: long enough to drown the cost of handing it over, short enough to share the work. */
const TARGET_MS = 2
const MAX_MESSAGES = 1_000
/** Bytes of one chunk, but for one message beyond it. */
export const MAX_CHUNK_BYTES: number = 1024 * 1024
/** The weight of the newest chunk. */
const WEIGHT = 0.3

/** How many messages make a chunk, learnt from what chunks cost. PURE. Starts at one: the first chunk is the first measure. */
export class ChunkSizer {
  #perMessageMs: number | undefined

  /** A worker took this long for this many messages. */
  observe(messages: number, elapsedMs: number): void {
    if (messages === 0) return
    const cost = elapsedMs / messages
    this.#perMessageMs = this.#perMessageMs === undefined ? cost : this.#perMessageMs * (1 - WEIGHT) + cost * WEIGHT
  }

  get target(): number {
    if (this.#perMessageMs === undefined) return 1
    return Math.max(1, Math.min(MAX_MESSAGES, Math.floor(TARGET_MS / Math.max(this.#perMessageMs, Number.EPSILON))))
  }
}
