import { bufferSize } from './chunk-buffer.ts'

/** A larger one, from a rare large reply, goes back to the system. */
const LARGEST_KEPT = 4 * 1024 * 1024

/**
 * Buffers to write the next chunks into: those that came with earlier chunks. As many travel back as come, so that none is
 * allocated while sizes are steady.
 */
export class BufferStock {
  readonly #free: ArrayBuffer[] = []
  readonly #limit: number

  constructor(limit = 4) {
    this.#limit = limit
  }

  /** A buffer of at least this size where one is held, else a new one. */
  take(needed = 0): ArrayBuffer {
    for (let index = this.#free.length - 1; index >= 0; index--) {
      const buffer = this.#free[index] as ArrayBuffer
      if (buffer.byteLength >= needed) {
        this.#free.splice(index, 1)
        return buffer
      }
    }
    return new ArrayBuffer(bufferSize(needed))
  }

  /** The buffer is free: nobody holds a view of it that is still read. */
  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength > LARGEST_KEPT) return
    if (this.#free.length >= this.#limit) this.#free.shift()
    this.#free.push(buffer)
  }
}
