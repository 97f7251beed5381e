/** A message that a worker was working on. */
export interface Running {
  readonly slot: number
  readonly chunk: number
  readonly index: number
  /** Its handler holds the thread: it was called and has returned nothing yet, not even a promise. */
  readonly holdsThread: boolean
}

/** Who is to blame where a worker ends: the one whose handler holds the thread, or, where none does, all that are running. */
export function culprits(running: readonly Running[]): readonly Running[] {
  const holder = running.find((message) => message.holdsThread)
  return holder === undefined ? running : [holder]
}

const HANDLED = 0
const OPENING = 1
const WORDS_LENGTH = 2
const HOLDER = 3
const SLOTS = 4
const SLOT_FIELDS = 2
/** Enough for one error, whatever it is written in; its causes are left out where they do not fit. */
const LAST_WORDS_BYTES = 80 * 1024

/**
 * What a worker is doing, in memory that outlives it: the main thread reads from it which message a worker died of, or has
 * been at for too long (G5). One writer, the worker; one reader.
 */
export class ProgressMark {
  readonly buffer: SharedArrayBuffer
  readonly #fields: Int32Array
  readonly #words: Uint8Array
  readonly #slots: number

  /** @param slots handlers that run at once in the worker */
  constructor(slots: number, buffer: SharedArrayBuffer = new SharedArrayBuffer(sizeFor(slots))) {
    this.buffer = buffer
    this.#slots = slots
    this.#fields = new Int32Array(buffer, 0, SLOTS + slots * SLOT_FIELDS)
    this.#words = new Uint8Array(buffer, this.#fields.byteLength, LAST_WORDS_BYTES)
  }

  /** Worker: a chunk is being unpacked; no message of it runs yet. */
  opening(chunk: number): void {
    Atomics.store(this.#fields, OPENING, chunk)
  }

  /** Worker: the chunk is unpacked. */
  opened(): void {
    Atomics.store(this.#fields, OPENING, 0)
  }

  /** Worker: a message starts. */
  begin(slot: number, chunk: number, index: number): void {
    const at = SLOTS + slot * SLOT_FIELDS
    this.#fields[at] = chunk
    this.#fields[HOLDER] = slot + 1
    Atomics.store(this.#fields, at + 1, index + 1)
  }

  /** Worker: the message's handler returned a promise: others have the thread until that settles. */
  yielded(): void {
    Atomics.store(this.#fields, HOLDER, 0)
  }

  /** Worker: the message of this slot is done. */
  end(slot: number): void {
    Atomics.store(this.#fields, SLOTS + slot * SLOT_FIELDS + 1, 0)
    this.#fields[HOLDER] = 0
    this.#fields[HANDLED] = (this.#fields[HANDLED] as number) + 1
  }

  /** Worker: why it ends, for whoever buries it; false where it is too long. Survives `process.exit` right after. */
  lastWords(text: string): boolean {
    const { read, written } = new TextEncoder().encodeInto(text, this.#words)
    if (read < text.length) return false
    Atomics.store(this.#fields, WORDS_LENGTH, written)
    return true
  }

  /** Main: what `lastWords` left; `undefined` when nothing. */
  readLastWords(): string | undefined {
    const length = Atomics.load(this.#fields, WORDS_LENGTH)
    return length === 0 ? undefined : new TextDecoder().decode(this.#words.slice(0, length))
  }

  /** Main: messages done in this worker's life; wraps at 2^32. */
  get handled(): number {
    return Atomics.load(this.#fields, HANDLED) >>> 0
  }

  /** Main: the chunk that was being unpacked, 0 for none. */
  get openingChunk(): number {
    return Atomics.load(this.#fields, OPENING)
  }

  /** Main: whether a message of this chunk was the last one, or is the present one, of some slot. */
  hasTouched(chunk: number): boolean {
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.#fields[SLOTS + slot * SLOT_FIELDS] === chunk) return true
    }
    return false
  }

  /** Main: the messages that are running now. */
  running(): Running[] {
    const running: Running[] = []
    const holder = Atomics.load(this.#fields, HOLDER) - 1
    for (let slot = 0; slot < this.#slots; slot++) {
      const at = SLOTS + slot * SLOT_FIELDS
      const index = Atomics.load(this.#fields, at + 1)
      if (index === 0) continue
      running.push({ slot, chunk: this.#fields[at] as number, index: index - 1, holdsThread: slot === holder })
    }
    return running
  }
}

function sizeFor(slots: number): number {
  return (SLOTS + slots * SLOT_FIELDS) * Int32Array.BYTES_PER_ELEMENT + LAST_WORDS_BYTES
}
