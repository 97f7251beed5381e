import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, MillraceError, toMillraceError } from '../errors.ts'
import { isThenable } from '../util/is-thenable.ts'
import { claimEnds, Ends, type NamedEnd } from './ends.ts'
import { drainTimedOut, Pipeline } from './pipeline.ts'
import type { ProcessorEvent } from './processor-event.ts'
import type { ProcessorOptions } from './processor-options.ts'
import { isHalted, type ProcessorState, transition } from './processor-state.ts'
import { type ResolvedOptions, resolveOptions } from './resolve-options.ts'
import { invalidOption } from '../util/options.ts'
import type { Stats, Summary } from './summary.ts'

/** What an abort or a fatal error leaves to `close` past the drain's time-out, in milliseconds. */
const CLOSE_GRACE_MS = 2_000
/** What handlers get between the abort of their signals and the end of their worker, in milliseconds. */
const ABORT_GRACE_MS = 50

/**
 * The runner that joins a source, a handler and a destination: messages are handled by worker threads, outputs flushed by
 * the destination, and acks reach the source in its order, after that (G1, G2). It runs once.
 *
 * @example
 * ```ts
 * import { iterable, memoryDestination, Processor } from 'millrace'
 * import { pipe } from 'millrace/handler'
 *
 * const processor = new Processor({
 *   source: iterable(['a', 'b']),
 *   handler: pipe,
 *   destination: memoryDestination<string>(),
 *   threads: 1,
 * })
 * const summary = await processor.run()
 * console.log(summary.delivered) // 2
 * ```
 */
export class Processor<In, Out> {
  readonly #options: ResolvedOptions
  readonly #pipeline: Pipeline
  readonly #ends: Ends
  readonly #source: NamedEnd
  readonly #destinations: readonly NamedEnd[]
  /** Aborts what is being sent and flushed, at the drain's time-out. */
  readonly #abort = new AbortController()
  #state: ProcessorState = 'idle'
  #error: MillraceError | undefined
  #startedAt = 0
  #endedAt: number | undefined
  #deadline: NodeJS.Timeout | undefined
  #expire: () => void = () => {}
  readonly #expired = new Promise<void>((resolve) => {
    this.#expire = resolve
  })
  readonly #tooLate = this.#expired.then(() => sleep(CLOSE_GRACE_MS, undefined, { ref: false }))
  #finish: () => void = () => {}
  /** Resolves when all is settled, or the run has failed. */
  readonly #finished = new Promise<void>((resolve) => {
    this.#finish = resolve
  })

  /**
   * Checks the options and takes the ends: from here on the processor runs and closes them.
   *
   * @throws {MillraceError} `MR_OPTION_INVALID`, `MR_NOT_SUPPORTED`, `MR_NACK_REFUSED`, `MR_HANDLER_NOT_FOUND`,
   * `MR_HANDLER_TYPESCRIPT`, `MR_END_IN_USE`
   */
  constructor(options: ProcessorOptions<In, Out>) {
    this.#options = resolveOptions(options)
    const { source, destination, deadLetter } = this.#options
    this.#source = { name: 'source', end: source }
    this.#destinations = [
      { name: 'destination', end: destination },
      ...(deadLetter === undefined ? [] : [{ name: 'dead-letter destination', end: deadLetter }]),
    ]
    claimEnds([this.#source, ...this.#destinations])
    const state = (): ProcessorState => this.#state
    const hub = {
      fail: (error: MillraceError) => this.#fail(error),
      event: (event: ProcessorEvent) => this.#event(event),
      get isHalted() {
        return isHalted(state())
      },
    }
    this.#ends = new Ends(hub)
    this.#pipeline = new Pipeline(this.#options, hub, this.#abort.signal, {
      onEnd: () => this.#drain('ended'),
      onProgress: () => this.#check(),
    })
  }

  /**
   * Runs until the source ends or the signal aborts, and everything received is settled (G6). Resolves with the account.
   *
   * @throws {MillraceError} with `summary` set. What ended the run: a failure of the source, a destination or the handler's
   * module, a message by the policy `'stop'`, or `MR_DRAIN_TIMEOUT`. `MR_ALREADY_RUN` on a second call.
   */
  async run(signal?: AbortSignal): Promise<Summary> {
    if (this.#state !== 'idle') {
      throw new MillraceError(
        'MR_ALREADY_RUN',
        'Expected run() to be called once; a processor owns its ends, which are closed by now. Make a new one.',
      )
    }
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidOption(
        'signal',
        'an AbortSignal',
        signal,
        'Pass the signal of an AbortController, not the controller.',
      )
    }
    this.#state = transition(this.#state, 'running')
    this.#startedAt = performance.now()
    // Neither a source nor a worker need hold the process while it waits; the run does.
    const keepAlive = setInterval(() => {}, 2 ** 30)
    const onAbort = (): void => this.#drain('aborted')
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    // A listener may have thrown before, in pause().
    if (this.#error !== undefined) this.#fail(this.#error)
    try {
      await this.#work()
      await this.#shutDown()
    } finally {
      clearInterval(keepAlive)
      clearTimeout(this.#deadline)
      signal?.removeEventListener('abort', onAbort)
      this.#endedAt = performance.now()
      this.#state = transition(this.#state, 'stopped')
    }
    if (this.#error !== undefined) {
      this.#error.summary = this.#summary()
      throw this.#error
    }
    return this.#summary()
  }

  /** A snapshot, at any time; cheap enough for a progress bar. */
  stats(): Stats {
    const { account, window, lanes, pool } = this.#pipeline
    const oldest = lanes.oldest()
    return {
      ...this.#summary(),
      inFlight: account.inFlight,
      inFlightBytes: window.bytes,
      oldestMs: oldest === undefined ? 0 : performance.now() - oldest.at,
      workers: pool.stats(),
    }
  }

  /** Stops asking the source; what was received goes on. A `recv` that is under way may still bring something. */
  pause(): void {
    if (this.#pipeline.intake.isPaused) return
    this.#pipeline.intake.pause()
    this.#event({ type: 'paused', reason: 'requested' })
  }

  /** Goes on asking the source. */
  resume(): void {
    if (!this.#pipeline.intake.isPaused) return
    this.#pipeline.intake.resume()
    this.#event({ type: 'resumed', reason: 'requested' })
  }

  /**
   * Changes the number of worker threads.
   *
   * @throws {MillraceError} `MR_NOT_SUPPORTED`, always, for now: set `threads` when the processor is made.
   */
  scale(threads: number): Promise<void> {
    return Promise.reject(
      new MillraceError(
        'MR_NOT_SUPPORTED',
        `scale(${threads}) is not there yet. Set \`threads\` when the processor is made.`,
      ),
    )
  }

  async #work(): Promise<void> {
    const { pool, intake } = this.#pipeline
    if (isHalted(this.#state)) return
    this.#ends.start([this.#source, ...this.#destinations], (event) => this.#event(event))
    const starting = pool.start().then(
      () => {
        if (isHalted(this.#state)) return
        intake.run().catch((error: unknown) => {
          this.#fail(toMillraceError(error, 'MR_INTERNAL', 'What the source yielded could not be taken in'))
        })
      },
      (error: unknown) => {
        if (!isHalted(this.#state))
          this.#fail(toMillraceError(error, 'MR_HANDLER_SETUP', 'A worker could not be started'))
      },
    )
    await Promise.race([starting, this.#finished])
    await this.#finished
  }

  /** Settled and failed runs end the same way, but for the order: a failed one waits for what is being flushed. */
  async #shutDown(): Promise<void> {
    const { pool, acker } = this.#pipeline
    const all = [this.#source, ...this.#destinations]
    this.#pipeline.halt()
    if (this.#state === 'closing') {
      await this.#bounded(this.#ends.stopLoops())
      await this.#bounded(this.#stopPool())
      // A teardown that hangs must not outlive the run.
      await this.#bounded(pool.kill())
    } else {
      this.#pipeline.intake.stop(this.#error ?? new MillraceError('MR_ABORTED', 'The run failed.'))
      if (this.#abort.signal.aborted) {
        pool.abort(this.#abort.signal.reason as MillraceError)
        await sleep(ABORT_GRACE_MS)
      }
      // A worker inside a blocking call of the system cannot be ended before that returns.
      await this.#bounded(pool.kill())
      await this.#bounded(this.#ends.close(this.#destinations))
      await Promise.race([acker.whenIdle(), this.#expired])
      this.#pipeline.close()
      await this.#bounded(this.#ends.stopLoops())
    }
    this.#pipeline.close()
    await this.#bounded(this.#ends.close(all))
  }

  async #stopPool(): Promise<void> {
    try {
      await this.#pipeline.pool.stop()
    } catch (error) {
      this.#fail(error as MillraceError)
    }
  }

  /** Waits for a step of the end, but not past the deadline and the grace after it, which all of them share. */
  async #bounded(step: Promise<void>): Promise<void> {
    await Promise.race([step, this.#tooLate])
  }

  #drain(reason: 'ended' | 'aborted'): void {
    if (reason === 'aborted') this.#startDeadline()
    if (this.#state !== 'running') return
    this.#state = transition(this.#state, 'draining')
    this.#event({ type: 'draining', reason })
    this.#pipeline.intake.stop(new MillraceError('MR_ABORTED', 'The processor drains.'))
    this.#pipeline.drain()
    this.#check()
  }

  #check(): void {
    if (this.#state !== 'draining' || !this.#pipeline.isDrained) return
    this.#state = transition(this.#state, 'closing')
    this.#finish()
  }

  #fail(error: MillraceError): void {
    this.#error ??= error
    if (this.#state !== 'running' && this.#state !== 'draining' && this.#state !== 'closing') return
    this.#state = transition(this.#state, 'failing')
    this.#event({ type: 'draining', reason: 'failed' })
    this.#startDeadline()
    this.#finish()
  }

  /** An abort and a fatal error bound what is left of the run; the end of the source does not. */
  #startDeadline(): void {
    const { drainTimeoutMs } = this.#options
    this.#deadline ??= setTimeout(() => {
      const error = drainTimedOut(this.#pipeline.account.inFlight, drainTimeoutMs, this.#error)
      this.#error = error
      this.#abort.abort(error)
      this.#fail(error)
      this.#expire()
    }, drainTimeoutMs)
  }

  #event(event: ProcessorEvent): void {
    const failed = (error: unknown): void => {
      const message = `onEvent threw on '${event.type}': ${messageOf(error)}`
      this.#fail(new MillraceError('MR_LISTENER_FAILED', message, { cause: error }))
    }
    try {
      const told: unknown = this.#options.onEvent(event)
      if (isThenable(told)) told.then(undefined, failed)
    } catch (error) {
      failed(error)
    }
  }

  #summary(): Summary {
    const end = this.#endedAt ?? performance.now()
    return this.#pipeline.account.summary(this.#startedAt === 0 ? 0 : (end - this.#startedAt) / 1_000)
  }
}
