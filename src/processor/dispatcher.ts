import { type ErrorCode, messageOf, MillraceError } from '../errors.ts'
import { Chunk, type Run } from '../pool/chunk.ts'
import type { HandlerPool, LostChunk } from '../pool/handler-pool.ts'
import type { BufferStock } from '../wire/buffer-stock.ts'
import { RequestWriter } from '../wire/request.ts'
import { ChunkSizer, MAX_CHUNK_BYTES } from './chunk-sizer.ts'
import { DispatchQueue, type Take } from './dispatch-queue.ts'
import type { Failures } from './failures.ts'
import type { LaneState } from './lane-state.ts'
import type { RunHub } from './run-hub.ts'
import type { Trouble } from './trouble.ts'
import type { Window } from './window.ts'

/** Room for the columns beside the values, in a request's buffer. */
const COLUMN_BYTES = 16 * 1024

/** Packs waiting messages into chunks, as large as pays, and gives them to workers as soon as one has room. */
export class Dispatcher {
  readonly sizer: ChunkSizer = new ChunkSizer()
  readonly #queue = new DispatchQueue<LaneState>()
  readonly #writer = new RequestWriter()
  readonly #window: Window
  readonly #buffers: BufferStock
  readonly #hub: RunHub
  readonly #pool: HandlerPool<LaneState>
  readonly #failures: () => Failures
  #lastId = 0
  #isPumping = false

  constructor(
    pool: HandlerPool<LaneState>,
    window: Window,
    buffers: BufferStock,
    hub: RunHub,
    failures: () => Failures,
  ) {
    this.#pool = pool
    this.#window = window
    this.#buffers = buffers
    this.#hub = hub
    this.#failures = failures
  }

  /** Messages that no worker has. */
  get waiting(): number {
    return this.#queue.size
  }

  /** A message was received. */
  add(lane: LaneState, sequence: number): void {
    this.#queue.push(lane, sequence)
  }

  /** A message failed and is tried again. */
  retry(lane: LaneState, sequence: number): void {
    this.#queue.retry(lane, sequence, mayHaveEndedWorker(lane.troubles.get(sequence)))
    this.pump()
  }

  /**
   * A worker took these chunks with it. The messages that it was at are charged; where that cannot be told, a chunk of one
   * is, and a larger one is split. All others go again, uncharged, in smaller chunks.
   */
  lost(chunks: readonly LostChunk<LaneState>[], error: MillraceError): void {
    const isToldApart = chunks.some(({ blamed }) => blamed.size > 0)
    for (const { chunk, blamed, suspect } of chunks) {
      const charged = !isToldApart && suspect && chunk.open === 1 ? openIndexes(chunk) : blamed
      this.#queue.giveBack(chunk.unreplied(charged), Math.max(1, Math.floor(chunk.count / 2)))
      for (const index of charged) {
        if (chunk.hasReplied(index)) continue
        const { lane, sequence } = chunk.locate(index)
        this.#failures().attemptFailed(lane, sequence, 'handle', error, true)
      }
    }
  }

  /** Sends chunks while there are messages and a worker has room. */
  pump(): void {
    // A message that is refused while its chunk is packed may lead back here, to the same writer.
    if (this.#isPumping) return
    this.#isPumping = true
    while (!this.#hub.isHalted && this.#queue.size > 0 && this.#sendNext());
    this.#isPumping = false
  }

  #sendNext(): boolean {
    const { target } = this.sizer
    const mayQueue = !this.#window.isOverBytes && !this.#queue.isNextIsolated && this.#queue.size >= target
    const worker = this.#pool.room(mayQueue)
    const take = worker === undefined ? undefined : this.#take(target)
    if (worker === undefined || take === undefined) return false
    const chunk = this.#pack(take)
    if (chunk !== undefined) this.#pool.send(worker, chunk, this.#writer.finish())
    return true
  }

  #take(target: number): Take<LaneState> | undefined {
    if (this.#window.isOverBytes) {
      return this.#queue.takeOldest((lane, sequence) => lane.ledger.head === sequence)
    }
    return this.#queue.take(target, MAX_CHUNK_BYTES, (lane, sequence) => lane.ledger.bytes(sequence))
  }

  /** Leaves out, and fails, what cannot cross to a worker. */
  #pack({ runs, count, isIsolated }: Take<LaneState>): Chunk<LaneState> | undefined {
    let bytes = COLUMN_BYTES
    for (const { lane, from, to } of runs) {
      for (let sequence = from; sequence < to; sequence++) bytes += lane.ledger.bytes(sequence)
    }
    this.#writer.begin(this.#buffers.take(bytes + count))
    const packed: Run<LaneState>[] = []
    for (const { lane, from, to } of runs) {
      let start = from
      for (let sequence = from; sequence < to; sequence++) {
        if (this.#add(lane, sequence)) continue
        if (sequence > start) packed.push({ lane, from: start, to: sequence })
        start = sequence + 1
      }
      if (to > start) packed.push({ lane, from: start, to })
    }
    if (packed.length === 0) return undefined
    this.#lastId = (this.#lastId % 0x7fff_ffff) + 1
    return new Chunk(this.#lastId, packed, isIsolated)
  }

  #add(lane: LaneState, sequence: number): boolean {
    const attempt = lane.troubles.size === 0 ? 1 : (lane.troubles.get(sequence)?.attempts ?? 0) + 1
    try {
      this.#writer.add(lane.ledger.delivery(sequence).message, attempt)
      return true
    } catch (thrown) {
      const error = new MillraceError(
        'MR_VALUE_UNSUPPORTED',
        `A received value cannot cross to a worker: ${messageOf(thrown)}. docs/values.md lists what can.`,
        { cause: thrown },
      )
      this.#failures().refused(lane, sequence, 'encode', error)
      return false
    }
  }
}

function openIndexes(chunk: Chunk<LaneState>): Set<number> {
  const open = new Set<number>()
  for (let index = 0; index < chunk.count; index++) if (!chunk.hasReplied(index)) open.add(index)
  return open
}

const workerEnds: ReadonlySet<ErrorCode> = new Set([
  'MR_WORKER_EXIT',
  'MR_WORKER_CRASH',
  'MR_WORKER_OUT_OF_MEMORY',
  'MR_HANDLER_TIMEOUT',
])

function mayHaveEndedWorker(trouble: Trouble | undefined): boolean {
  return trouble !== undefined && workerEnds.has(trouble.error.code)
}
