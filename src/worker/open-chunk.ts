import { performance } from 'node:perf_hooks'
import type { BufferStock } from '../wire/buffer-stock.ts'
import type { ReplyWriter, WireFailure } from '../wire/reply.ts'
import { RequestReader } from '../wire/request.ts'

/** A packed reply, ready for transfer. */
export interface ReplyDocument {
  readonly buffer: ArrayBuffer
  readonly length: number
}

/** A chunk in a worker: which messages have started, which are done, and the reply that is being written. */
export class OpenChunk {
  readonly id: number
  readonly request: RequestReader
  readonly writer: ReplyWriter
  readonly #buffer: ArrayBuffer
  readonly #buffers: BufferStock
  #next = 0
  #done = 0
  #since = performance.now()
  #reply: { readonly resolve: (document: ReplyDocument) => void; readonly reject: (error: Error) => void } | undefined

  /** @param writer free again after the last reply */
  constructor(id: number, buffer: ArrayBuffer, length: number, buffers: BufferStock, writer: ReplyWriter) {
    this.id = id
    this.writer = writer
    this.#buffer = buffer
    this.#buffers = buffers
    this.request = new RequestReader(new Uint8Array(buffer, 0, length))
    this.writer.begin(buffers.take(length))
  }

  get hasNext(): boolean {
    return this.#next < this.request.count
  }

  get isDone(): boolean {
    return this.#done === this.request.count
  }

  /** A piece was sent and the next one was not asked for yet. */
  get isWaiting(): boolean {
    return this.#reply === undefined
  }

  /** Whether a handler has transferred the bytes of the messages elsewhere: those that follow cannot be read. */
  get isDetached(): boolean {
    return this.#buffer.byteLength === 0
  }

  takeNext(): number {
    if (this.#next === 0) this.#since = performance.now()
    return this.#next++
  }

  done(index: number): void {
    this.#done++
    this.writer.done(index)
  }

  failed(index: number, failure: WireFailure): void {
    this.#done++
    this.writer.failed(index, failure)
  }

  /** The promise of the next piece. */
  nextReply(): Promise<ReplyDocument> {
    return new Promise((resolve, reject) => {
      this.#reply = { resolve, reject }
    })
  }

  /** The chunk cannot be gone on with. */
  giveUp(error: Error): void {
    this.#reply?.reject(error)
    this.#reply = undefined
  }

  /** Sends what is written; with `more`, a new piece begins. Without, every handler has returned: the request is free. */
  reply(more: boolean): void {
    const reply = this.#reply
    if (reply === undefined) return
    this.#reply = undefined
    const now = performance.now()
    const document = this.writer.finish(more, now - this.#since)
    this.#since = now
    if (more) this.writer.begin(this.#buffers.take())
    else this.#buffers.give(this.#buffer)
    reply.resolve(document)
  }
}
