import type { FileHandle } from 'node:fs/promises'
import type { ByteInput } from './byte-input.ts'

const chunkBytes = 1024 * 1024
/** Enough to notice that a file has grown past the size that it had when it was opened. */
const probeBytes = 4 * 1024

/** Reads a regular file from an offset on, one chunk ahead. Each chunk is fresh memory. */
export class FileInput implements ByteInput {
  readonly #handle: FileHandle
  readonly #size: number
  #position: number
  #ahead: Promise<Uint8Array | undefined> | undefined
  #closed = false

  constructor(handle: FileHandle, size: number, offset: number) {
    this.#handle = handle
    this.#size = size
    this.#position = offset
  }

  async read(): Promise<Uint8Array | undefined> {
    this.#ahead ??= this.#fill()
    const chunk = await this.#ahead
    // The end stays what is ahead, and so does a failure.
    if (chunk !== undefined && !this.#closed) {
      this.#ahead = this.#fill()
      this.#ahead.catch(() => {})
    }
    return chunk
  }

  /** Waits for the read under way: closed beneath it, its descriptor might by then be another file's. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#ahead?.catch(() => {})
    await this.#handle.close()
  }

  async #fill(): Promise<Uint8Array | undefined> {
    const wanted = Math.min(chunkBytes, Math.max(probeBytes, this.#size - this.#position))
    const { bytesRead, buffer } = await this.#handle.read(Buffer.allocUnsafeSlow(wanted), 0, wanted, this.#position)
    this.#position += bytesRead
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead)
  }
}
