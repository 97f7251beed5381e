import { performance } from 'node:perf_hooks'
import { outcome } from '../ack/outcome.ts'
import { MillraceError, toError } from '../errors.ts'
import type { Chunk } from '../pool/chunk.ts'
import { HandlerPool, type LostChunk } from '../pool/handler-pool.ts'
import type { Delivery } from '../source.ts'
import { messageSize } from '../util/message-size.ts'
import { BufferStock } from '../wire/buffer-stock.ts'
import type { ReplyReader } from '../wire/reply.ts'
import { fromWireError } from '../wire/wire-error.ts'
import { Account } from './account.ts'
import { Acker } from './acker.ts'
import { DeadLetters } from './dead-letters.ts'
import { Dispatcher } from './dispatcher.ts'
import { Emitter } from './emitter.ts'
import { executorFactory } from './executor-factory.ts'
import { Failures } from './failures.ts'
import { Intake } from './intake.ts'
import type { LaneState } from './lane-state.ts'
import { Lanes } from './lanes.ts'
import { Piece } from './piece.ts'
import { ReadAhead } from './read-ahead.ts'
import type { ResolvedOptions } from './resolve-options.ts'
import type { RunHub } from './run-hub.ts'
import { Sender } from './sender.ts'
import { Settler } from './settler.ts'
import { StallGuard } from './stall-guard.ts'
import { Window } from './window.ts'

/** What the pipeline tells whoever runs it. */
export interface PipelineListener {
  /** The source has ended. */
  onEnd(): void
  /** Something was settled: all may be. */
  onProgress(): void
}

/**
 * The parts of one run, joined: what is received goes through ledger, workers and destination, and comes back as acks.
 * Each step is synchronous; the parts that wait (source, workers, destinations) call back in here.
 */
export class Pipeline {
  readonly account: Account = new Account()
  readonly window: Window
  readonly lanes: Lanes
  readonly intake: Intake
  readonly pool: HandlerPool<LaneState>
  readonly acker: Acker
  readonly #options: ResolvedOptions
  readonly #hub: RunHub
  readonly #listener: PipelineListener
  readonly #buffers: BufferStock
  readonly #dispatcher: Dispatcher
  readonly #sender: Sender
  readonly #emitter: Emitter
  readonly #settler: Settler
  readonly #failures: Failures
  readonly #deadLetters: DeadLetters | undefined
  readonly #stall: StallGuard
  readonly #readAhead: ReadAhead
  /** Messages in flight that have no result yet. */
  #handling = 0
  #isDraining = false

  /** @param signal aborts at the drain's time-out */
  constructor(options: ResolvedOptions, hub: RunHub, signal: AbortSignal, listener: PipelineListener) {
    const { source, destination, deadLetter } = options
    this.#options = options
    this.#hub = hub
    this.#listener = listener
    this.window = new Window(options.maxInFlight, options.maxInFlightBytes)
    this.lanes = new Lanes(source.ackMode ?? 'cumulative', options.maxInFlight, hub)
    const chunksPerWorker = Math.max(CHUNKS_PER_WORKER, options.handlerConcurrency + 1)
    const workers = Math.max(1, options.threads)
    this.#buffers = new BufferStock(workers * chunksPerWorker * 2)
    const sizes = { size: workers, handlerTimeoutMs: options.handlerTimeoutMs, chunksPerWorker }
    this.pool = new HandlerPool(sizes, executorFactory(options), this.#buffers, {
      onReply: (chunk, reply, buffer) => this.#onReply(chunk, reply, buffer),
      onLost: (worker, lost, error) => this.#onLost(worker, lost, error),
      onRoom: () => this.#dispatch(),
      onFatal: (error) => hub.fail(error),
    })
    const onSent = (): void => this.#onSent()
    const failures = (): Failures => this.#failures
    this.#dispatcher = new Dispatcher(this.pool, this.window, this.#buffers, hub, failures)
    this.acker = new Acker(source, this.account, this.window, hub, (lane) => this.#onReleased(lane))
    this.#settler = new Settler(this.account, this.acker, failures, () => this.#onSettled())
    this.#sender = new Sender(destination, 'destination', hub, signal, onSent)
    this.#emitter = new Emitter(options.ordering, this.#sender, this.#settler)
    this.#deadLetters =
      deadLetter && new DeadLetters(deadLetter, hub, signal, onSent, (lane, sequence) => this.#onLetter(lane, sequence))
    this.#failures = new Failures(options.onError, this.#deadLetters, hub, {
      onRetry: (lane, sequence) => this.#dispatcher.retry(lane, sequence),
      onConcluded: (lane) => {
        this.pool.noteProgress()
        this.acker.release(lane)
      },
      onNoOutputs: (lane, sequence) => {
        this.pool.noteProgress()
        this.#handling--
        this.#emitter.skip(lane, sequence)
        this.#emitter.pump()
      },
    })
    this.#readAhead = new ReadAhead(workers)
    this.#stall = new StallGuard(this.lanes, this.#deadLetters, () => this.flush())
    this.intake = new Intake(source, this.window, hub, {
      onDeliveries: (deliveries) => this.#onDeliveries(deliveries),
      onEnd: () => listener.onEnd(),
      onFull: () => {
        hub.event({ type: 'paused', reason: 'window' })
        this.#checkStall()
      },
      onRoom: () => hub.event({ type: 'resumed', reason: 'window' }),
      hasEnough: () => this.#readAhead.isEnough(this.#dispatcher.waiting, this.#dispatcher.sizer.target),
    })
  }

  /** Whether everything received is settled, and every ack has resolved. */
  get isDrained(): boolean {
    return this.account.inFlight === 0 && this.acker.pending === 0
  }

  /** No batch is waited for any more: what is sent from here on is flushed at once. */
  drain(): void {
    this.#isDraining = true
    this.flush()
  }

  /** Nothing new is flushed after a fatal error (G7). */
  flush(): void {
    if (this.#hub.isHalted) return
    this.#sender.flush()
    this.#deadLetters?.flush()
  }

  /** Ends the timers; what is still being flushed may be acked. */
  halt(): void {
    this.#failures.close()
    this.#stall.close()
  }

  /** Nothing is acked any more. */
  close(): void {
    this.halt()
    this.#settler.close()
    this.acker.close()
  }

  #onDeliveries(deliveries: readonly Delivery<unknown>[]): void {
    const now = performance.now()
    for (const delivery of deliveries) {
      const lane = this.lanes.of(delivery.lane)
      const bytes = messageSize(delivery.message)
      const sequence = lane.ledger.open(delivery, bytes, now)
      this.account.received++
      this.window.messages++
      this.window.bytes += bytes
      this.#handling++
      this.lanes.received(lane)
      if (this.#mayHandle(lane, sequence, delivery, bytes)) this.#dispatcher.add(lane, sequence)
    }
    this.#dispatcher.pump()
    this.#checkStall()
  }

  #mayHandle(lane: LaneState, sequence: number, { redelivered = 0 }: Delivery<unknown>, bytes: number): boolean {
    const { maxMessageBytes, onError } = this.#options
    if (bytes > maxMessageBytes) {
      const message = `Expected a message of at most ${maxMessageBytes} bytes (maxMessageBytes), got ${bytes}.`
      this.#failures.refused(lane, sequence, 'size', new MillraceError('MR_MESSAGE_TOO_LARGE', message))
      return false
    }
    if (redelivered + 1 > onError.maxDeliveries) {
      const message = `Expected at most ${onError.maxDeliveries} deliveries (onError.maxDeliveries), this is number ${redelivered + 1}.`
      this.#failures.refused(lane, sequence, 'deliveries', new MillraceError('MR_DELIVERIES_EXCEEDED', message))
      return false
    }
    return true
  }

  #onReply(chunk: Chunk<LaneState>, reply: ReplyReader, buffer: ArrayBuffer | undefined): void {
    if (this.#hub.isHalted) return
    this.#dispatcher.sizer.observe(reply.entries, reply.elapsedMs)
    const piece = new Piece(reply, buffer, this.#buffers, this.window)
    const touched = new Set<LaneState>()
    for (let entry = 0; entry < reply.entries; entry++) {
      const index = reply.indexOf(entry)
      const { lane, sequence } = chunk.locate(index)
      chunk.reply(index)
      if (this.#take(lane, sequence, piece, entry)) touched.add(lane)
    }
    this.#emitter.pump()
    for (const lane of touched) this.acker.release(lane)
    this.#dispatch()
    this.#checkStall()
    this.#listener.onProgress()
  }

  /** One result. True where the message has ended by it. */
  #take(lane: LaneState, sequence: number, piece: Piece, entry: number): boolean {
    const failure = piece.reply.failureOf(entry)
    if (failure !== undefined) {
      const cause = failure.error === undefined ? {} : { cause: fromWireError(failure.error) }
      const error = new MillraceError(failure.code, failure.message, cause)
      this.#failures.attemptFailed(lane, sequence, failure.stage, error, failure.code === 'MR_HANDLER_TIMEOUT')
      return false
    }
    this.#handling--
    const outputs = piece.reply.outputsOf(entry)
    if (outputs > 0) {
      lane.ledger.expect(sequence, outputs)
      this.#emitter.offer(lane, sequence, piece, entry)
      return false
    }
    lane.troubles.delete(sequence)
    lane.ledger.settle(sequence, outcome.filtered)
    this.#emitter.skip(lane, sequence)
    return true
  }

  #onLost(worker: number, lost: readonly LostChunk<LaneState>[], error: MillraceError): void {
    this.#hub.event({ type: 'restart', worker, error })
    this.#dispatcher.lost(lost, error)
    this.#dispatch()
  }

  #onLetter(lane: LaneState, sequence: number): void {
    if (!lane.ledger.isOpen(sequence)) return
    lane.troubles.delete(sequence)
    lane.ledger.settle(sequence, outcome.deadLettered)
    this.acker.release(lane)
    this.#onSettled()
  }

  #onSettled(): void {
    if (!this.#hub.isHalted) {
      this.#dispatch()
      this.#checkStall()
    }
    this.#listener.onProgress()
  }

  #onReleased(lane: LaneState): void {
    this.lanes.released(lane)
    this.intake.wake()
    this.#listener.onProgress()
  }

  #onSent(): void {
    if (this.#isDraining) this.flush()
    else this.#checkStall()
  }

  /** Gives the workers what they have room for, and asks for more where little is left. */
  #dispatch(): void {
    this.#dispatcher.pump()
    if (this.#dispatcher.waiting === 0 && this.intake.isLate && this.pool.room(false) !== undefined) {
      this.#readAhead.ranDry()
    }
    this.intake.wake()
  }

  #checkStall(): void {
    if (!this.#hub.isHalted) this.#stall.check(this.window.room === 0, this.window.messages, this.#handling)
  }
}

/** Three, so that one can be on its way each way while the worker is at the third. */
const CHUNKS_PER_WORKER = 3

/** Why a run that was cut short did not end well, for whoever reads the error. */
export function drainTimedOut(inFlight: number, drainTimeoutMs: number, cause?: unknown): MillraceError {
  return new MillraceError(
    'MR_DRAIN_TIMEOUT',
    `The drain took longer than ${drainTimeoutMs} ms (drainTimeoutMs): ${inFlight} messages were not settled and may come again.`,
    cause === undefined ? undefined : { cause: toError(cause) },
  )
}
