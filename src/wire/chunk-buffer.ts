/**
 * A byte buffer that grows, over an ArrayBuffer that we own: the one thing that is transferred between threads. Never
 * built on Node's or msgpackr's pools, whose transfer would detach somebody else's bytes.
 */
export class ChunkBuffer {
  #bytes: Uint8Array<ArrayBuffer>
  length = 0

  constructor(buffer: ArrayBuffer) {
    this.#bytes = new Uint8Array(buffer)
  }

  get buffer(): ArrayBuffer {
    return this.#bytes.buffer
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  appendByte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.length++] = byte
  }

  appendUint32(value: number): void {
    this.#reserve(4)
    this.writeUint32(this.length, value)
    this.length += 4
  }

  /** Overwrites four bytes, in msgpack's big-endian order. */
  writeUint32(at: number, value: number): void {
    this.#bytes[at] = value >>> 24
    this.#bytes[at + 1] = value >>> 16
    this.#bytes[at + 2] = value >>> 8
    this.#bytes[at + 3] = value
  }

  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length)
  }

  #reserve(more: number): void {
    const needed = this.length + more
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(new ArrayBuffer(bufferSize(needed)))
    grown.set(this.#bytes.subarray(0, this.length))
    this.#bytes = grown
  }
}

const SMALLEST = 64 * 1024

/** The next power of two, so that buffers fit again: from 64 KiB up. */
export function bufferSize(needed: number): number {
  let size = SMALLEST
  while (size < needed) size *= 2
  return size
}
