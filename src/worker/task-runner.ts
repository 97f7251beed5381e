import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import { encodeShared, type SharedEncode } from '../codec/shared-encode.ts'
import type { Codec } from '../handler/handler.ts'
import { describe, type MillraceError } from '../errors.ts'
import { isThenable } from '../util/is-thenable.ts'
import { ReplyWriter } from '../wire/reply.ts'
import { BufferStock } from '../wire/buffer-stock.ts'
import { Failure } from './failure.ts'
import { LiveContexts, MessageContext } from './message-context.ts'
import { OpenChunk, type ReplyDocument } from './open-chunk.ts'
import { checkOutputs } from './output-check.ts'
import type { ProgressMark } from './progress-mark.ts'
import type { RuntimeHandler } from './runtime-handler.ts'

/** What bounds a worker's handlers. */
export interface RunnerLimits {
  readonly maxOutputs: number
  readonly handlerConcurrency: number
  readonly handlerTimeoutMs: number
  /** A reply is sent once it holds this many bytes, and the rest of the chunk waits to be asked for. */
  readonly pieceBytes: number
}

/** Work without a turn of the event loop, at most: the user's timers and sockets run between messages. */
const TURN_MS = 5

/**
 * Decodes, handles and encodes the messages of chunks, in the order in which the chunks came, `handlerConcurrency` at a
 * time. Knows no threads: it is the same in a worker, on the main thread and in a user's unit test.
 */
export class TaskRunner {
  readonly #handler: RuntimeHandler
  readonly #state: unknown
  readonly #limits: RunnerLimits
  readonly #mark: ProgressMark
  readonly #buffers = new BufferStock()
  readonly #live = new LiveContexts()
  /** Reused, since their code and their lists are warm. */
  readonly #writers: ReplyWriter[] = []
  readonly #idleSlots: number[]
  #chunks: OpenChunk[] = []
  /** When the event loop last got its turn. Not per chunk: many small ones in a row would starve it too. */
  #turnedAt = performance.now()

  constructor(handler: RuntimeHandler, state: unknown, limits: RunnerLimits, mark: ProgressMark) {
    this.#handler = handler
    this.#state = state
    this.#limits = limits
    this.#mark = mark
    this.#idleSlots = Array.from({ length: limits.handlerConcurrency }, (_, slot) => slot)
  }

  /** Handles a chunk; resolves with its reply, or its first piece. The buffer is the runner's from here on. */
  run(id: number, buffer: ArrayBuffer, length: number): Promise<ReplyDocument> {
    this.#mark.opening(id)
    const chunk = new OpenChunk(id, buffer, length, this.#buffers, this.#writers.pop() ?? new ReplyWriter())
    this.#mark.opened()
    this.#chunks.push(chunk)
    const reply = chunk.nextReply()
    this.#start()
    return reply
  }

  /** Goes on with a chunk whose last reply was a piece; resolves with the next one. */
  more(id: number): Promise<ReplyDocument> {
    const chunk = this.#chunks.find((candidate) => candidate.id === id)
    if (chunk === undefined) return Promise.reject(new Error(`chunk ${id} has no more`))
    const reply = chunk.nextReply()
    if (chunk.isDone) this.#finish(chunk)
    else this.#start()
    return reply
  }

  /** Starts nothing more, and replies to nothing: the worker was given up, and its messages are with another one. */
  abandon(): void {
    this.#chunks = []
  }

  /** Aborts the signals of the handlers that are running. */
  abort(reason: MillraceError): void {
    this.#live.abort(reason)
  }

  #start(): void {
    while (this.#idleSlots.length > 0 && this.#head() !== undefined) {
      void this.#loop(this.#idleSlots.pop() as number)
    }
  }

  /** The chunk whose next message is to start: a chunk that waits to be asked for more holds back those behind it. */
  #head(): OpenChunk | undefined {
    for (const chunk of this.#chunks) {
      if (chunk.isWaiting) return undefined
      if (chunk.hasNext) return chunk
    }
    return undefined
  }

  async #loop(slot: number): Promise<void> {
    for (let chunk = this.#head(); chunk !== undefined; chunk = this.#head()) {
      const index = chunk.takeNext()
      this.#mark.begin(slot, chunk.id, index)
      const pending = this.#handle(chunk, index)
      if (pending !== undefined) await pending
      if (chunk.isDetached) {
        // The mark stays: whoever is at work now is charged, and the rest of the chunk goes elsewhere.
        chunk.giveUp(
          new Error('a handler transferred the buffer of the bytes that it was given; it must copy them instead'),
        )
        return
      }
      this.#mark.end(slot)
      if (chunk.isDone) this.#finish(chunk)
      else if (chunk.writer.byteLength >= this.#limits.pieceBytes) chunk.reply(true)
      else if (performance.now() - this.#turnedAt <= TURN_MS) continue
      // A reply leaves before the next message starts, so that no other worker's end takes it along.
      await turn()
      this.#turnedAt = performance.now()
    }
    this.#idleSlots.push(slot)
  }

  #finish(chunk: OpenChunk): void {
    if (chunk.isWaiting) return
    this.#chunks = this.#chunks.filter((candidate) => candidate !== chunk)
    chunk.reply(false)
    this.#writers.push(chunk.writer)
  }

  /** One message, from its bytes to its outputs' bytes. A promise only where the handler returned one. Never throws. */
  #handle(chunk: OpenChunk, index: number): Promise<void> | undefined {
    const context = new MessageContext(
      this.#state,
      chunk.request.attempt(index),
      this.#limits.handlerTimeoutMs,
      this.#live,
    )
    let result: unknown
    try {
      const message = chunk.request.message(index, this.#decode(chunk.request.value(index)))
      result = this.#call(() => this.#handler.handle(message, context))
      if (isThenable(result)) {
        this.#mark.yielded()
        return this.#settle(result, chunk, index, context)
      }
    } catch (failure) {
      this.#failUnwritten(chunk, index, context, failure)
      return undefined
    }
    this.#encode(chunk, index, context, result)
    return undefined
  }

  async #settle(result: PromiseLike<unknown>, chunk: OpenChunk, index: number, context: MessageContext): Promise<void> {
    let outputs: unknown
    try {
      outputs = await result
    } catch (thrown) {
      this.#failUnwritten(chunk, index, context, threw(thrown))
      return
    }
    this.#encode(chunk, index, context, outputs)
  }

  #decode(value: unknown): unknown {
    const codec = this.#handler.input
    if (codec === undefined) return value
    if (!(value instanceof Uint8Array)) {
      throw new Failure('decode', 'MR_DECODE', `Expected bytes for the handler's input codec, got ${describe(value)}.`)
    }
    try {
      return codec.decode(value)
    } catch (thrown) {
      throw Failure.of('decode', 'MR_DECODE', 'The input codec failed', thrown)
    }
  }

  #call(handle: () => unknown): unknown {
    try {
      return handle()
    } catch (thrown) {
      throw threw(thrown)
    }
  }

  #encode(chunk: OpenChunk, index: number, context: MessageContext, result: unknown): void {
    const { writer } = chunk
    writer.open()
    try {
      for (const output of checkOutputs(result, this.#limits.maxOutputs)) {
        this.#add(writer, this.#handler.output === undefined ? output.value : this.#encoded(output.value), output)
      }
    } catch (failure) {
      this.#fail(chunk, index, context, failure)
      return
    }
    context.close()
    chunk.done(index)
  }

  #encoded(value: unknown): Uint8Array {
    let bytes: unknown
    try {
      const codec: (Codec<unknown> & SharedEncode<unknown>) | undefined = this.#handler.output
      bytes = codec?.[encodeShared] === undefined ? codec?.encode(value) : codec[encodeShared](value)
    } catch (thrown) {
      throw Failure.of('encode', 'MR_ENCODE', 'The output codec failed', thrown)
    }
    if (bytes instanceof Uint8Array) return bytes
    throw new Failure('encode', 'MR_ENCODE', `Expected the output codec to return bytes, got ${describe(bytes)}.`)
  }

  #add(writer: ReplyWriter, value: unknown, fields: Parameters<ReplyWriter['add']>[1]): void {
    try {
      writer.add(value, fields)
    } catch (thrown) {
      const what = 'An output cannot cross to the main thread (docs/values.md lists what can)'
      throw Failure.of('encode', 'MR_VALUE_UNSUPPORTED', what, thrown)
    }
  }

  /** The message failed before its outputs: those that were written last are another message's. */
  #failUnwritten(chunk: OpenChunk, index: number, context: MessageContext, failure: unknown): void {
    chunk.writer.open()
    this.#fail(chunk, index, context, failure)
  }

  #fail(chunk: OpenChunk, index: number, context: MessageContext, failure: unknown): void {
    const aborted = context.aborted
    context.close()
    const told =
      aborted !== undefined && failure instanceof Failure && failure.code === 'MR_HANDLER_THREW'
        ? new Failure('handle', aborted.code, aborted.message, failure.thrown)
        : failure instanceof Failure
          ? failure
          : threw(failure)
    chunk.failed(index, told.toWire())
  }
}

function threw(thrown: unknown): Failure {
  return Failure.of('handle', 'MR_HANDLER_THREW', 'The handler threw', thrown)
}
