import type { Destination, Settlement } from '../destination.ts'
import { MillraceError } from '../errors.ts'
import type { Message } from '../message.ts'
import { observe, type DestinationEvent, type Observable } from '../util/observe.ts'
import { AbortWatch } from './abort-watch.ts'
import { BatchBuffer } from './batch-buffer.ts'
import type { ResolvedBatchPolicy } from './batch-policy.ts'
import type { Cut } from './cut.ts'
import { FlushAttempt, type Outcome } from './flush-attempt.ts'
import type { Flush } from './flush.ts'
import { judgeFailure, type Part } from './judge-failure.ts'
import { RetrySchedule } from './retry-schedule.ts'

/** A promise that callers of `send` wait for. */
interface Room {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

/**
 * The destination behind `batch`: promises and timers around the buffer and the judgement of failures.
 *
 * It is over once something was fatal, it was closed, or a signal of unsettled messages has aborted. From then on nothing is
 * started and nothing held is kept; what is running ends, and is still acked where it succeeds.
 */
export class Batcher<T> implements Destination<T>, Observable {
  readonly #flush: Flush<T>
  readonly #policy: ResolvedBatchPolicy
  readonly #schedule: RetrySchedule
  readonly #buffer: BatchBuffer<T>
  readonly #signals = new AbortWatch((reason) => this.#abort(reason))
  readonly #attempts = new Set<FlushAttempt<T>>()
  readonly #waits = new Set<() => void>()
  /** Batches being flushed, or between two attempts: the slots in use. */
  #busy = 0
  /** What is held goes out as soon as a slot is free, full or not. */
  #urgent = false
  #timer: NodeJS.Timeout | undefined
  #timerDueAt: number | undefined
  #room: Room | undefined
  #over: MillraceError | undefined
  #fatal: MillraceError | undefined
  /** Whether a promise or a throw has carried the fatal error out. */
  #reported = false
  #rejectRun: ((reason: Error) => void) | undefined
  #closing: Promise<void> | undefined
  #onIdle: (() => void) | undefined
  #listener: ((event: DestinationEvent) => void) | undefined

  constructor(flush: Flush<T>, policy: ResolvedBatchPolicy, random?: () => number) {
    this.#flush = flush
    this.#policy = policy
    this.#schedule = new RetrySchedule(policy.retry, random)
    this.#buffer = new BatchBuffer(policy)
  }

  /** Room is left while fewer full batches wait than may be flushed at once. */
  send(messages: readonly Message<T>[], settlement: Settlement, signal: AbortSignal): Promise<void> | undefined {
    if (this.#over !== undefined) throw this.#report(this.#fatal ?? this.#over)
    if (signal.aborted) throw aborted('the signal of `send` had aborted', signal.reason)
    if (messages.length === 0) return undefined
    this.#signals.hold(signal, messages.length)
    try {
      this.#buffer.add(messages, { settlement, signal }, performance.now())
    } catch (thrown) {
      this.#fail(thrown)
      throw this.#report(this.#fatal ?? thrown)
    }
    this.#startFlushes()
    if (this.#buffer.full < this.#policy.concurrency) return undefined
    this.#room ??= newRoom()
    return this.#room.promise
  }

  flush(): void {
    if (this.#over !== undefined || this.#urgent) return
    this.#urgent = true
    this.#startFlushes()
  }

  async run(signal: AbortSignal): Promise<void> {
    if (this.#fatal !== undefined) throw this.#report(this.#fatal)
    if (this.#rejectRun !== undefined) {
      throw new MillraceError(
        'MR_ALREADY_RUN',
        'Expected `run` of a batcher once at a time. Make one batcher for each use.',
      )
    }
    if (signal.aborted) return
    await new Promise<void>((resolve, reject) => {
      const settle = (act: () => void): void => {
        signal.removeEventListener('abort', onAbort)
        this.#rejectRun = undefined
        act()
      }
      const onAbort = (): void => settle(resolve)
      signal.addEventListener('abort', onAbort)
      this.#rejectRun = (reason) => settle(() => reject(reason))
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [observe](listener: (event: DestinationEvent) => void): void {
    this.#listener = listener
  }

  async #close(): Promise<void> {
    this.#halt(aborted('the batcher was closed'))
    if (this.#busy > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve
      })
    }
    if (this.#fatal !== undefined && !this.#reported) throw this.#report(this.#fatal)
  }

  #startFlushes(): void {
    while (this.#over === undefined && this.#busy < this.#policy.concurrency) {
      const cut = this.#buffer.take(this.#urgent)
      if (cut === undefined) {
        this.#urgent = false
        break
      }
      this.#busy += 1
      void this.#occupySlot(cut)
    }
    this.#setTimer()
    if (this.#room !== undefined && this.#buffer.full < this.#policy.concurrency) {
      this.#room.resolve()
      this.#room = undefined
    }
  }

  async #occupySlot(cut: Cut<T>): Promise<void> {
    try {
      await this.#deliver(cut)
    } catch (thrown) {
      this.#fail(thrown)
    }
    for (const { origin, from, to } of cut.segments) this.#signals.release(origin.signal, to - from)
    this.#busy -= 1
    this.#startFlushes()
    this.#endWhenIdle()
  }

  /** Holds its slot until every message of the cut is settled, so that with one slot a retry holds back what comes after. */
  async #deliver(cut: Cut<T>): Promise<void> {
    const parts: Part<T>[] = [{ cut, attempt: 1, isolated: false }]
    for (let part = parts.shift(); part !== undefined && this.#over === undefined; part = parts.shift()) {
      const outcome = await this.#attempt(part.cut)
      if (outcome.type === 'flushed') {
        part.cut.ack()
        continue
      }
      if (outcome.type === 'fatal') {
        this.#tell(part, part.cut.messages.length, undefined, outcome.error)
        this.#fail(outcome.error)
        return
      }
      const { durable, givenUp, next, delayMs, fatal } = judgeFailure(part, outcome.error, this.#schedule)
      durable?.ack()
      const failed = part.cut.messages.length - (durable?.messages.length ?? 0)
      this.#tell(part, failed, this.#over === undefined ? delayMs : undefined, outcome.error)
      if (this.#over !== undefined) return
      if (fatal !== undefined) this.#fail(fatal)
      part.cut.nack(givenUp)
      parts.unshift(...next)
      if (delayMs !== undefined && delayMs > 0) await this.#wait(delayMs)
    }
  }

  async #attempt(cut: Cut<T>): Promise<Outcome> {
    const attempt = new FlushAttempt(this.#flush, cut.messages.slice(), this.#policy.timeoutMs)
    this.#attempts.add(attempt)
    try {
      return await attempt.run()
    } finally {
      this.#attempts.delete(attempt)
    }
  }

  /** Ends early when the batcher is over. The timer keeps the process alive: the messages are still owed. */
  #wait(delayMs: number): Promise<void> | undefined {
    if (this.#over !== undefined) return undefined
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#waits.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, delayMs)
      this.#waits.add(wake)
    })
  }

  /** One timer at most, and only while a batch is open that nothing else will flush; it keeps the process alive. */
  #setTimer(): void {
    const dueAt = this.#urgent ? undefined : this.#buffer.dueAt
    if (dueAt === this.#timerDueAt) return
    clearTimeout(this.#timer)
    this.#timerDueAt = dueAt
    if (dueAt === undefined) return
    this.#timer = setTimeout(
      () => {
        this.#timerDueAt = undefined
        this.flush()
      },
      Math.max(0, dueAt - performance.now()),
    )
  }

  #tell(part: Part<T>, messages: number, delayMs: number | undefined, error: Error): void {
    this.#listener?.({ type: 'flushFailed', messages, attempt: part.attempt, delayMs, error })
  }

  #fail(thrown: unknown): void {
    const error = thrown instanceof MillraceError ? thrown : internal(thrown)
    if (this.#fatal === undefined) {
      this.#fatal = error
      this.#reported = this.#rejectRun !== undefined || this.#room !== undefined
      this.#rejectRun?.(error)
    }
    this.#halt(error)
  }

  #abort(reason: unknown): void {
    this.#halt(aborted('the signal of `send` aborted', reason))
    for (const attempt of this.#attempts) attempt.abort(reason)
  }

  #halt(reason: MillraceError): void {
    if (this.#over !== undefined) return
    this.#over = reason
    this.#buffer.clear()
    this.#setTimer()
    for (const wake of this.#waits) wake()
    this.#rejectRoom(reason)
    this.#endWhenIdle()
  }

  /** Who closes or aborts knows that it waits in vain: only a fatal error may surface as an unhandled rejection. */
  #rejectRoom(reason: MillraceError): void {
    const room = this.#room
    if (room === undefined) return
    this.#room = undefined
    if (reason !== this.#fatal) room.promise.catch(() => undefined)
    room.reject(reason)
  }

  #endWhenIdle(): void {
    if (this.#over === undefined || this.#busy > 0) return
    this.#signals.clear()
    this.#onIdle?.()
  }

  #report<E>(error: E): E {
    if (error === this.#fatal) this.#reported = true
    return error
  }
}

function newRoom(): Room {
  let settle: Pick<Room, 'resolve' | 'reject'> | undefined
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, resolve: () => settle?.resolve(), reject: (reason) => settle?.reject(reason) }
}

function aborted(why: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'MR_ABORTED',
    `Expected to flush what was sent, but ${why}. What is not acked may come again. Make a new batcher to go on.`,
    cause === undefined ? undefined : { cause },
  )
}

function internal(cause: unknown): MillraceError {
  return new MillraceError(
    'MR_INTERNAL',
    'Expected the settlement of a send and the listener of the batcher not to throw. Correct the one that the cause names.',
    { cause },
  )
}
