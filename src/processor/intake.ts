import { setImmediate as turn } from 'node:timers/promises'
import { MillraceError, toMillraceError } from '../errors.ts'
import type { Delivery, Source } from '../source.ts'
import { checkDelivery } from './delivery-check.ts'
import type { RunHub } from './run-hub.ts'
import type { Window } from './window.ts'

/** What the intake tells. */
export interface IntakeListener {
  onDeliveries(deliveries: readonly Delivery<unknown>[]): void
  /** The source has ended, or was given up after an abort. */
  onEnd(): void
  /** The intake stopped because the window is full. */
  onFull(): void
  /** It goes on. */
  onRoom(): void
  /** Whether as many messages wait for a worker as pays. */
  hasEnough(): boolean
}

/** What one `recvBatch` is asked for, at most. */
const MAX_BATCH = 1_000
/** Deliveries taken in without a turn of the event loop: a source that always has one would starve timers and sockets. */
const MESSAGES_PER_TURN = 1_000

/** Asks the source for messages, one call at a time, while the window has room and nobody said to pause (G4). */
export class Intake {
  readonly #source: Source<unknown>
  readonly #window: Window
  readonly #hub: RunHub
  readonly #listener: IntakeListener
  readonly #abort = new AbortController()
  #isPaused = false
  #isFull = false
  #isAsking = false
  #wasHeldBack = false
  #wake: (() => void) | undefined

  constructor(source: Source<unknown>, window: Window, hub: RunHub, listener: IntakeListener) {
    this.#source = source
    this.#window = window
    this.#hub = hub
    this.#listener = listener
  }

  /** Runs until the source ends, the intake is stopped, or the source fails. Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#abort
    let sinceTurn = 0
    for (;;) {
      if (!(await this.#mayAsk())) return
      let deliveries: readonly Delivery<unknown>[]
      try {
        this.#isAsking = true
        deliveries = await this.#ask(signal)
      } catch (error) {
        if (!signal.aborted) this.#fail(error)
        return
      }
      this.#isAsking = false
      if (deliveries.length === 0) {
        if (!signal.aborted) this.#listener.onEnd()
        return
      }
      if (this.#hub.isHalted) return
      this.#listener.onDeliveries(deliveries)
      sinceTurn += deliveries.length
      if (sinceTurn >= MESSAGES_PER_TURN) {
        sinceTurn = 0
        await turn()
      }
    }
  }

  /** No more `recv`; one that is under way is told, and may still bring something. */
  stop(reason: Error): void {
    this.#abort.abort(reason)
    this.#wake?.()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    this.#wake?.()
  }

  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Whether the source is being waited for, and was not asked earlier because enough messages were waiting. */
  get isLate(): boolean {
    return this.#isAsking && this.#wasHeldBack
  }

  /** The window may have room again, or the workers may want more. */
  wake(): void {
    if (this.#wake !== undefined && this.#canAsk()) this.#wake()
  }

  #canAsk(): boolean {
    return !this.#isPaused && this.#window.room > 0 && !this.#listener.hasEnough()
  }

  async #mayAsk(): Promise<boolean> {
    this.#wasHeldBack = this.#listener.hasEnough()
    while (!this.#abort.signal.aborted && !this.#canAsk()) {
      if (this.#window.room === 0 && !this.#isFull) {
        this.#isFull = true
        this.#listener.onFull()
      }
      // What `onFull` did may have made room.
      if (this.#canAsk()) break
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    if (this.#isFull) {
      this.#isFull = false
      this.#listener.onRoom()
    }
    return !this.#abort.signal.aborted
  }

  async #ask(signal: AbortSignal): Promise<readonly Delivery<unknown>[]> {
    if (this.#source.recvBatch === undefined) {
      const delivery = await this.#source.recv(signal)
      return delivery === undefined ? [] : [checkDelivery(delivery)]
    }
    const max = Math.min(MAX_BATCH, this.#window.room)
    const batch: unknown = await this.#source.recvBatch(max, this.#window.roomBytes, signal)
    if (!Array.isArray(batch) || batch.length > max) {
      const got = Array.isArray(batch) ? `${batch.length}` : typeof batch
      throw new MillraceError(
        'MR_SOURCE_DELIVERY',
        `Expected recvBatch to resolve with an array of at most ${max} deliveries, got ${got}.`,
      )
    }
    for (const delivery of batch) checkDelivery(delivery)
    return batch as readonly Delivery<unknown>[]
  }

  #fail(error: unknown): void {
    this.#hub.fail(toMillraceError(error, 'MR_SOURCE_FAILED', 'The source failed'))
  }
}
