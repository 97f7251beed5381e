import { performance } from 'node:perf_hooks'
import { MillraceError, toMillraceError } from '../errors.ts'
import type { BufferStock } from '../wire/buffer-stock.ts'
import { ReplyReader } from '../wire/reply.ts'
import { timedOut } from '../worker/message-context.ts'
import type { ReplyDocument } from '../worker/open-chunk.ts'
import { culprits, type Running } from '../worker/progress-mark.ts'
import type { Chunk } from './chunk.ts'
import type { Executor, ExecutorFactory } from './executor.ts'
import { workerEnd } from './piscina-executor.ts'
import { Watchdog } from './watchdog.ts'

/** A chunk that a worker took with it. */
export interface LostChunk<L> {
  readonly chunk: Chunk<L>
  /** Indexes of the messages that the worker was running, or that it was at for too long. */
  readonly blamed: ReadonlySet<number>
  /** The worker was unpacking it, or was done with a message of it: where nobody is blamed, any of its messages may be. */
  readonly suspect: boolean
}

/** What the pool tells its owner. */
export interface PoolListener<L> {
  /**
   * Results of a chunk, or a piece of them. Where there is a buffer, the outputs are views of it, and it goes back to the
   * stock when the last one is settled.
   */
  onReply(chunk: Chunk<L>, reply: ReplyReader, buffer: ArrayBuffer | undefined): void
  /** A worker ended, and is being replaced. */
  onLost(worker: number, lost: readonly LostChunk<L>[], error: MillraceError): void
  /** A worker has room. */
  onRoom(): void
  /** The pool cannot go on. */
  onFatal(error: MillraceError): void
}

/** How the pool is run. */
export interface PoolConfig {
  /** Workers, numbered from 0. */
  readonly size: number
  readonly handlerTimeoutMs: number
  /** Chunks that a worker may hold, so that it never waits for the main thread between two. */
  readonly chunksPerWorker: number
}

/** One worker's place in the pool: its current life, and what it owes. */
interface Slot<L> {
  readonly number: number
  readonly chunks: Map<number, Chunk<L>>
  executor: Executor | undefined
  watchdog: Watchdog | undefined
  /** The end of a life that is being replaced. */
  ending: Promise<void> | undefined
  /** The start of the life that replaces it. */
  starting: Promise<void> | undefined
  isReady: boolean
  /** It has an isolated chunk. */
  isReserved: boolean
  handledBefore: number
  restarts: number
}

const MAX_ENDS_IN_A_ROW = 10

/**
 * The workers: which has room, what each owes, and the replacement of those that end (G5). It relies on an executor's
 * promises only to learn that a worker has ended; what was lost with it is known here.
 */
export class HandlerPool<L> {
  readonly #config: PoolConfig
  readonly #create: ExecutorFactory
  readonly #buffers: BufferStock
  readonly #listener: PoolListener<L>
  readonly #slots: Slot<L>[]
  #watch: NodeJS.Timeout | undefined
  #endsInARow = 0
  #isStopping = false

  constructor(config: PoolConfig, create: ExecutorFactory, buffers: BufferStock, listener: PoolListener<L>) {
    this.#config = config
    this.#buffers = buffers
    this.#create = create
    this.#listener = listener
    this.#slots = Array.from({ length: config.size }, (_, number) => ({
      number,
      chunks: new Map(),
      executor: undefined,
      watchdog: undefined,
      ending: undefined,
      starting: undefined,
      isReady: false,
      isReserved: false,
      handledBefore: 0,
      restarts: 0,
    }))
  }

  /** Resolves when every worker has set up its handler; rejects with the first failure. */
  async start(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => this.#startSlot(slot)))
    if (this.#isStopping) return
    const period = Math.min(250, Math.max(5, this.#config.handlerTimeoutMs / 10))
    this.#watch = setInterval(() => this.#look(), period)
    this.#watch.unref()
  }

  /**
   * The worker that the next chunk goes to: an idle one, or, for a full chunk, one that has not its fill yet. A part of a
   * chunk does not wait behind another chunk: it grows until a worker is idle. An isolated chunk is for an idle worker, and
   * keeps it for itself.
   */
  room(isFull: boolean): number | undefined {
    let best: Slot<L> | undefined
    for (const slot of this.#slots) {
      if (!slot.isReady || slot.isReserved) continue
      if (best === undefined || slot.chunks.size < best.chunks.size) best = slot
    }
    if (best === undefined) return undefined
    const fits = best.chunks.size === 0 || (isFull && best.chunks.size < this.#config.chunksPerWorker)
    return fits ? best.number : undefined
  }

  /** Gives a chunk to the worker that `room` named. */
  send(worker: number, chunk: Chunk<L>, document: ReplyDocument): void {
    const slot = this.#slots[worker] as Slot<L>
    slot.chunks.set(chunk.id, chunk)
    slot.isReserved = chunk.isIsolated
    this.#work(slot, slot.executor as Executor, chunk, document).catch((error: unknown) => {
      this.#listener.onFatal(
        error instanceof MillraceError
          ? error
          : new MillraceError('MR_INTERNAL', 'A reply of a worker could not be taken in. Please report it.', {
              cause: error,
            }),
      )
    })
  }

  /** A message was given up: the ends of its workers were its own fault, and no crash loop. */
  noteProgress(): void {
    this.#endsInARow = 0
  }

  /** Aborts the signals of the running handlers. */
  abort(reason: MillraceError): void {
    for (const { executor } of this.#slots) executor?.abort(reason)
  }

  /**
   * Runs the teardowns, then ends the workers; rejects with the first teardown that failed. A worker that is being replaced
   * is waited for, since a setup that has begun is to be torn down.
   */
  async stop(): Promise<void> {
    this.#isStopping = true
    await Promise.allSettled(this.#slots.map(async ({ starting }) => starting))
    const started = this.#slots.filter((slot) => slot.isReady)
    const ends = await Promise.allSettled(started.map(async ({ executor }) => executor?.stop()))
    await this.kill()
    for (const end of ends) {
      if (end.status === 'rejected') {
        throw end.reason instanceof MillraceError
          ? end.reason
          : new MillraceError('MR_HANDLER_TEARDOWN', 'A worker ended in its teardown.', { cause: end.reason })
      }
    }
  }

  /** Ends the workers now. */
  async kill(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#watch)
    await Promise.all(
      this.#slots.map(async ({ executor, ending }) => {
        await executor?.kill()
        await ending
      }),
    )
  }

  stats(): { readonly busy: number; readonly handled: number; readonly restarts: number }[] {
    return this.#slots.map(({ executor, handledBefore, restarts }) => ({
      busy: executor?.busy() ?? 0,
      handled: handledBefore + (executor?.mark.handled ?? 0),
      restarts,
    }))
  }

  async #startSlot(slot: Slot<L>): Promise<void> {
    const executor = this.#create(slot.number)
    slot.executor = executor
    executor.onIdleEnd = (error) => this.#ended(slot, executor, workerEnd(error, executor.mark))
    await executor.start()
    const { handlerTimeoutMs } = this.#config
    slot.watchdog = new Watchdog(executor.mark, handlerTimeoutMs + Math.min(250, handlerTimeoutMs / 4))
    slot.isReady = true
    slot.isReserved = false
  }

  async #work(slot: Slot<L>, executor: Executor, chunk: Chunk<L>, document: ReplyDocument): Promise<void> {
    let more = false
    do {
      let reply: ReplyDocument
      try {
        reply = more ? await executor.more(chunk.id) : await executor.run(chunk.id, document.buffer, document.length)
      } catch (error) {
        this.#ended(slot, executor, workerEnd(error, executor.mark))
        return
      }
      // A worker that was given up may still have replied: its messages are with another one by now.
      if (slot.executor !== executor || !slot.chunks.has(chunk.id)) return
      more = this.#reply(slot, chunk, reply)
    } while (more)
  }

  #reply(slot: Slot<L>, chunk: Chunk<L>, { buffer, length }: ReplyDocument): boolean {
    let document = new Uint8Array(buffer, 0, length)
    // Few bytes in a large buffer would keep it from being reused for as long as a slow destination takes.
    const isSparse = length * 4 < buffer.byteLength
    if (isSparse) {
      document = document.slice()
      this.#buffers.give(buffer)
    }
    const reader = new ReplyReader(document)
    if (!reader.more) {
      slot.chunks.delete(chunk.id)
      slot.isReserved = false
    }
    this.#endsInARow = 0
    this.#listener.onReply(chunk, reader, isSparse ? undefined : buffer)
    return reader.more
  }

  #ended(slot: Slot<L>, executor: Executor, error: MillraceError, overdue?: readonly Running[]): void {
    if (this.#isStopping || slot.executor !== executor || !slot.isReady) return
    const { mark } = executor
    const running = overdue ?? culprits(mark.running())
    const lost = [...slot.chunks.values()].map((chunk) => ({
      chunk,
      blamed: new Set(running.filter((message) => message.chunk === chunk.id).map((message) => message.index)),
      suspect: mark.openingChunk === chunk.id || mark.hasTouched(chunk.id),
    }))
    this.#endsInARow = mark.handled === 0 ? this.#endsInARow + 1 : 1
    slot.isReady = false
    slot.executor = undefined
    slot.chunks.clear()
    slot.handledBefore += mark.handled
    slot.restarts++
    this.#listener.onLost(slot.number, lost, error)
    void this.#replace(slot, executor, error)
  }

  async #replace(slot: Slot<L>, executor: Executor, error: MillraceError): Promise<void> {
    slot.ending = executor.kill()
    await slot.ending
    if (this.#isStopping) return
    if (this.#endsInARow >= MAX_ENDS_IN_A_ROW) {
      this.#listener.onFatal(
        new MillraceError(
          'MR_WORKER_CRASH_LOOP',
          `Workers ended ${MAX_ENDS_IN_A_ROW} times in a row without a message handled or given up between.`,
          { cause: error },
        ),
      )
      return
    }
    slot.starting = this.#startSlot(slot)
    try {
      await slot.starting
    } catch (failure) {
      const fatal = toMillraceError(failure, 'MR_HANDLER_SETUP', 'A worker could not be started')
      if (!this.#isStopping) this.#listener.onFatal(fatal)
      return
    }
    if (!this.#isStopping) this.#listener.onRoom()
  }

  #look(): void {
    const now = performance.now()
    for (const slot of this.#slots) {
      if (!slot.isReady || slot.executor === undefined) continue
      const overdue = slot.watchdog?.look(now, slot.chunks.size > 0)
      if (overdue === undefined) continue
      this.#ended(slot, slot.executor, timedOut(this.#config.handlerTimeoutMs), overdue)
    }
  }
}
