import type { BufferStock } from '../wire/buffer-stock.ts'
import type { ReplyReader } from '../wire/reply.ts'
import type { Window } from './window.ts'

/**
 * The outputs of one reply, until the last of them is settled: only then is its buffer free (G10), and only then do its
 * bytes leave the window (G4).
 */
export class Piece {
  readonly reply: ReplyReader
  readonly #buffer: ArrayBuffer | undefined
  readonly #buffers: BufferStock
  readonly #window: Window
  #unsettled: number

  constructor(reply: ReplyReader, buffer: ArrayBuffer | undefined, buffers: BufferStock, window: Window) {
    this.reply = reply
    this.#buffer = buffer
    this.#buffers = buffers
    this.#window = window
    this.#unsettled = reply.outputs
    window.bytes += reply.byteLength
    if (this.#unsettled === 0) this.#release()
  }

  settle(outputs: number): void {
    this.#unsettled -= outputs
    if (this.#unsettled === 0) this.#release()
  }

  #release(): void {
    this.#window.bytes -= this.reply.byteLength
    if (this.#buffer !== undefined) this.#buffers.give(this.#buffer)
  }
}
