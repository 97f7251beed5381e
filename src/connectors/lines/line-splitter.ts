import { MillraceError } from '../../errors.ts'

/** How a {@link LineSplitter} cuts. */
export interface SplitOptions {
  readonly delimiter: Uint8Array
  /** Whether one `\r` at the end of a line is stripped too. */
  readonly stripCarriageReturn: boolean
  /** The longest line, without its delimiter. */
  readonly maxLineBytes: number
}

const nothing = Buffer.alloc(0)
const carriageReturn = 13

/**
 * Cuts a byte stream into lines: pure and synchronous. A line inside one chunk is a view of that chunk; one that crosses
 * chunks is copied together, once. A chunk must not be written to after it was fed.
 */
export class LineSplitter {
  readonly #name: string
  readonly #delimiter: Buffer
  readonly #byte: number | undefined
  readonly #options: SplitOptions
  #chunk: Buffer = nothing
  #position = 0
  /** The start of the current line, from earlier chunks; never given out before the line is whole. */
  #held: Buffer = nothing
  #heldBytes = 0
  #offset: number
  #start: number

  constructor(name: string, options: SplitOptions, offset: number) {
    this.#name = name
    this.#options = options
    this.#delimiter = Buffer.from(options.delimiter)
    this.#byte = options.delimiter.length === 1 ? options.delimiter[0] : undefined
    this.#offset = offset
    this.#start = offset
  }

  /** The offset of the first byte of the line that was returned last. */
  get start(): number {
    return this.#start
  }

  /** The offset just after the delimiter of the line that was returned last. */
  get end(): number {
    return this.#offset
  }

  /** Takes the next chunk; only once `next` has returned `undefined` for the one before. */
  feed(chunk: Uint8Array): void {
    this.#chunk = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    this.#position = 0
  }

  /** The next whole line; `undefined` when another chunk is needed. Throws `MR_LINE_TOO_LONG`. */
  next(): Uint8Array | undefined {
    if (this.#heldBytes > 0) return this.#nextHeld()
    const from = this.#position
    const at = this.#chunk.indexOf(this.#byte ?? this.#delimiter, from)
    if (at < 0) {
      this.#hold(from, this.#chunk.length)
      return undefined
    }
    this.#position = at + this.#delimiter.length
    return this.#cut(this.#chunk, from, at, this.#delimiter.length)
  }

  /** The last line, without a delimiter, once there is no further chunk; `undefined` when it would be empty. */
  last(): Uint8Array | undefined {
    return this.#heldBytes > 0 ? this.#cutHeld(0) : undefined
  }

  #nextHeld(): Uint8Array | undefined {
    const length = this.#delimiter.length
    const seam = this.#seam()
    if (seam !== undefined) {
      this.#position = length - seam
      this.#heldBytes -= seam
      return this.#cutHeld(length)
    }
    const at = this.#chunk.indexOf(this.#byte ?? this.#delimiter, this.#position)
    this.#hold(this.#position, at < 0 ? this.#chunk.length : at)
    if (at < 0) return undefined
    this.#position = at + length
    return this.#cutHeld(length)
  }

  /** How many bytes of a delimiter that ends in this chunk are held; `undefined` when none lies across the seam. */
  #seam(): number | undefined {
    const reach = this.#delimiter.length - 1
    if (reach === 0 || this.#position > 0) return undefined
    const tail = Math.min(reach, this.#heldBytes)
    const around = Buffer.concat([
      this.#held.subarray(this.#heldBytes - tail, this.#heldBytes),
      this.#chunk.subarray(0, reach),
    ])
    const at = around.indexOf(this.#delimiter)
    // Less than a whole delimiter of this chunk is looked at, so a match begins in what is held.
    return at < 0 ? undefined : tail - at
  }

  #hold(from: number, to: number): void {
    const needed = this.#heldBytes + to - from
    // A carriage return and all but the last byte of a delimiter may be held with a line that is not too long.
    if (needed > this.#options.maxLineBytes + this.#delimiter.length) throw this.#tooLong()
    if (needed > this.#held.length) {
      const larger = Buffer.allocUnsafeSlow(needed * 2)
      this.#held.copy(larger, 0, 0, this.#heldBytes)
      this.#held = larger
    }
    this.#chunk.copy(this.#held, this.#heldBytes, from, to)
    this.#heldBytes = needed
    this.#position = to
  }

  #cutHeld(delimiterBytes: number): Uint8Array {
    const held = this.#held
    const bytes = this.#heldBytes
    this.#held = nothing
    this.#heldBytes = 0
    return this.#cut(held, 0, bytes, delimiterBytes)
  }

  #cut(bytes: Buffer, from: number, to: number, delimiterBytes: number): Uint8Array {
    const strip = this.#options.stripCarriageReturn && to > from && bytes[to - 1] === carriageReturn
    const length = to - from - (strip ? 1 : 0)
    if (length > this.#options.maxLineBytes) throw this.#tooLong()
    this.#start = this.#offset
    this.#offset += to - from + delimiterBytes
    return new Uint8Array(bytes.buffer, bytes.byteOffset + from, length)
  }

  #tooLong(): MillraceError {
    return new MillraceError(
      'MR_LINE_TOO_LONG',
      `Expected lines of at most ${this.#options.maxLineBytes} bytes in ${this.#name}, got a longer one at byte offset ` +
        `${this.#offset}. Raise \`maxLineBytes\`, or check \`delimiter\`.`,
    )
  }
}
