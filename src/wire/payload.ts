import { ChunkBuffer } from './chunk-buffer.ts'
import { packColumns, SequencePacker, unpack } from './msgpack.ts'

/**
 * The form of every chunk, both ways: one msgpack array of three elements in one ArrayBuffer.
 *
 * ```
 *   [ bin: all byte values, one after the other │ array: all other values │ array: name, column, name, column … ]
 * ```
 *
 * `lengths`, one of the columns, says of each value how long it is, or that it is one of the others. Byte values are
 * copied once on the way in and are views on the way out (G10).
 */
const DOCUMENT = 0x93
const BIN32 = 0xc6
const ARRAY32 = 0xdd
const HEADER_BYTES = 6

/** In `lengths`: this value is not bytes, but the next element of the array. */
const STRUCTURED = 0xffff_ffff

/** Where a writer stood, to take back what was written since. */
export interface PayloadMark {
  readonly bytes: number
  readonly structuredBytes: number
  readonly structured: number
  readonly count: number
}

/** Writes one chunk after the other; each one ends up in an ArrayBuffer that the caller gave, or in a larger new one. */
export class PayloadWriter {
  #buffer: ChunkBuffer | undefined
  /** The other values; made when the first of them comes, since most chunks have none. */
  #structured: ChunkBuffer | undefined
  #structuredCount = 0
  readonly #packer = new SequencePacker()
  #lengths: number[] = []

  begin(buffer: ArrayBuffer): void {
    this.#buffer = new ChunkBuffer(buffer)
    this.#buffer.appendByte(DOCUMENT)
    this.#buffer.appendByte(BIN32)
    this.#buffer.appendUint32(0)
    if (this.#structured !== undefined) this.#structured.length = 0
    this.#structuredCount = 0
    this.#packer.reset()
    this.#lengths = []
  }

  /** Values added since `begin`. */
  get count(): number {
    return this.#lengths.length
  }

  /** Bytes that the values take. */
  get byteLength(): number {
    return this.#open().length - HEADER_BYTES + this.#structuredBytes
  }

  /** Adds a value. Throws where it holds a function or a symbol, or cannot be packed otherwise; nothing is added then. */
  add(value: unknown): void {
    if (value instanceof Uint8Array) {
      this.#open().append(value)
      this.#lengths.push(value.length)
      return
    }
    this.#structured ??= new ChunkBuffer(new ArrayBuffer(64 * 1024))
    this.#structured.append(this.#packer.pack(value))
    this.#structuredCount++
    this.#lengths.push(STRUCTURED)
  }

  mark(): PayloadMark {
    return {
      bytes: this.#open().length,
      structuredBytes: this.#structuredBytes,
      structured: this.#structuredCount,
      count: this.#lengths.length,
    }
  }

  /** Takes back what was added since the mark, with the records that it defined. */
  rollback(mark: PayloadMark): void {
    this.#open().length = mark.bytes
    if (this.#structured !== undefined && this.#structured.length !== mark.structuredBytes) {
      this.#packer.reset()
      this.#structured.length = mark.structuredBytes
    }
    this.#structuredCount = mark.structured
    this.#lengths.length = mark.count
  }

  /** Ends the document with its columns. The buffer is the caller's to transfer. */
  finish(columns: object): { readonly buffer: ArrayBuffer; readonly length: number } {
    const target = this.#open()
    target.writeUint32(2, target.length - HEADER_BYTES)
    target.appendByte(ARRAY32)
    target.appendUint32(this.#structuredCount)
    if (this.#structured !== undefined) target.append(this.#structured.view())
    target.append(packColumns(Object.entries({ ...columns, lengths: Uint32Array.from(this.#lengths) }).flat()))
    this.#buffer = undefined
    return { buffer: target.buffer, length: target.length }
  }

  get #structuredBytes(): number {
    return this.#structured?.length ?? 0
  }

  #open(): ChunkBuffer {
    if (this.#buffer === undefined) throw new TypeError('PayloadWriter: begin() comes first')
    return this.#buffer
  }
}

/** Reads what a {@link PayloadWriter} wrote. Its byte values are views, valid as long as the buffer is not reused. */
export class PayloadReader<Columns> {
  readonly columns: Columns
  readonly count: number
  /** Bytes that the values take. */
  readonly byteLength: number
  readonly #bytes: Uint8Array
  readonly #values: readonly unknown[]
  readonly #lengths: Uint32Array
  /** Of bytes: where they begin. Of other values: their index. */
  readonly #positions: Uint32Array

  constructor(document: Uint8Array) {
    const [bytes, values, list] = unpack(document) as [Uint8Array, unknown[], unknown[]]
    const columns = byName(list) as Columns & { lengths: Uint32Array }
    this.columns = columns
    this.#bytes = bytes
    this.#values = values
    this.#lengths = columns.lengths
    this.count = columns.lengths.length
    this.byteLength = document.length
    this.#positions = new Uint32Array(this.count)
    let offset = 0
    let structured = 0
    for (let index = 0; index < this.count; index++) {
      const length = this.#lengths[index] as number
      if (length === STRUCTURED) this.#positions[index] = structured++
      else {
        this.#positions[index] = offset
        offset += length
      }
    }
  }

  value(index: number): unknown {
    const length = this.#lengths[index] as number
    const position = this.#positions[index] as number
    if (length === STRUCTURED) return this.#values[position]
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + position, length)
  }
}

function byName(list: readonly unknown[]): object {
  const columns: Record<string, unknown> = {}
  for (let index = 0; index < list.length; index += 2) columns[list[index] as string] = list[index + 1]
  return columns
}
