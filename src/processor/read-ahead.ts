/** Chunks a worker that wait for it, to begin with. */
const FIRST_CHUNKS = 4
const MAX_CHUNKS = 1_024

/**
 * How many messages are held ready for the workers. PURE. Few: what waits at the source costs no memory, dies young in the
 * collector's eyes, and does not come twice after a crash. More only where workers ran dry while the source was being waited
 * for, as with a source far away: then twice as many, up to the window.
 */
export class ReadAhead {
  readonly #workers: number
  #chunks = FIRST_CHUNKS

  constructor(workers: number) {
    this.#workers = workers
  }

  /** Whether enough messages wait; `target` makes a chunk. */
  isEnough(waiting: number, target: number): boolean {
    return waiting >= target * this.#workers * this.#chunks
  }

  /** A worker had nothing to do because the source was asked too late. */
  ranDry(): void {
    this.#chunks = Math.min(MAX_CHUNKS, this.#chunks * 2)
  }
}
