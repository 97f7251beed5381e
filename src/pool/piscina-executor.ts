import { setTimeout as sleep } from 'node:timers/promises'
import type { ResourceLimits } from 'node:worker_threads'
import { messageOf, MillraceError } from '../errors.ts'
import { fromWireError, type WireError } from '../wire/wire-error.ts'
import { setupTimedOut, teardownTimedOut } from '../worker/handler-session.ts'
import { inTime } from '../worker/in-time.ts'
import type { ReplyDocument } from '../worker/open-chunk.ts'
import { ProgressMark } from '../worker/progress-mark.ts'
import type { Executor } from './executor.ts'
import { Piscina } from './piscina.ts'
import type { WorkerConfig, WorkerFailure, WorkerTask } from './worker-task.ts'
import { Utilization } from './utilization.ts'
import { handlerWorkerUrl } from './worker-url.ts'

/** What Node starts a thread with. */
export interface ThreadOptions {
  readonly resourceLimits: ResourceLimits | undefined
  readonly execArgv: readonly string[] | undefined
  readonly env: Readonly<Record<string, string>> | undefined
}

/** More than the pool ever has outstanding: nothing of ours waits in piscina's queue, whose order is its own. */
const TASKS_AT_ONCE = 1024

/**
 * A worker thread: a piscina of one thread, for one life. With a pool each, work is addressed to a worker by itself, and
 * killing one touches no other (docs/decisions/0002).
 */
export class PiscinaExecutor implements Executor {
  readonly mark: ProgressMark
  onIdleEnd: (error: unknown) => void = () => {}
  readonly #piscina: Piscina
  readonly #setupTimeoutMs: number
  readonly #utilization = new Utilization()
  /** The thread has loaded our entry, or has ended. */
  readonly #loaded: Promise<void>
  /** Rejects when the thread has ended. */
  readonly #ended: Promise<never>

  constructor(config: Omit<WorkerConfig, 'mark'>, thread: ThreadOptions) {
    this.mark = new ProgressMark(config.limits.handlerConcurrency)
    this.#setupTimeoutMs = config.setupTimeoutMs
    this.#piscina = new Piscina({
      filename: handlerWorkerUrl.href,
      workerData: { ...config, mark: this.mark.buffer } satisfies WorkerConfig,
      minThreads: 0,
      maxThreads: 1,
      idleTimeout: Infinity,
      concurrentTasksPerWorker: TASKS_AT_ONCE,
      atomics: 'disabled',
      recordTiming: false,
      ...(thread.resourceLimits === undefined ? {} : { resourceLimits: thread.resourceLimits }),
      ...(thread.execArgv === undefined ? {} : { execArgv: [...thread.execArgv] }),
      ...(thread.env === undefined ? {} : { env: { ...thread.env } }),
    })
    this.#loaded = new Promise((resolve) => {
      this.#piscina.once('workerCreate', () => resolve())
      this.#piscina.once('workerDestroy', () => resolve())
    })
    this.#ended = new Promise((_, reject) => {
      this.#piscina.once('error', reject)
      this.#piscina.once('workerDestroy', () => setImmediate(reject, new Error('the worker thread ended')))
    })
    this.#ended.catch(() => {})
    this.#piscina.on('error', (error: unknown) => this.onIdleEnd(error))
    // Told before piscina rejects the tasks with the reason, and before it has let go of the thread.
    this.#piscina.on('workerDestroy', () => setImmediate(() => this.onIdleEnd(new Error('the worker thread ended'))))
  }

  async start(): Promise<void> {
    try {
      const timeoutMs = this.#setupTimeoutMs + SETUP_GRACE_MS
      // A task whose thread cannot be brought up stays in piscina's queue for ever.
      const starting = Promise.race([this.#run({ type: 'start' }), this.#ended])
      const failure = (await inTime(starting, timeoutMs, () => setupTimedOut(this.#setupTimeoutMs))) as
        | WorkerFailure
        | undefined
      if (failure !== undefined) throw toMillraceError(failure)
    } catch (error) {
      if (error instanceof MillraceError) throw error
      throw new MillraceError('MR_HANDLER_SETUP', 'The worker ended while it loaded the handler or ran its setup.', {
        cause: workerEnd(error, this.mark),
      })
    }
  }

  run(id: number, buffer: ArrayBuffer, length: number): Promise<ReplyDocument> {
    return this.#run({ type: 'run', id, buffer, length }, [buffer]) as Promise<ReplyDocument>
  }

  more(id: number): Promise<ReplyDocument> {
    return this.#run({ type: 'more', id }) as Promise<ReplyDocument>
  }

  abort(reason: MillraceError): void {
    this.#run({ type: 'abort', code: reason.code, message: reason.message }).catch(() => {
      // The worker has ended: there is nothing left to abort, and its end is reported by the chunks that it owed.
    })
  }

  async stop(): Promise<void> {
    const stopping = this.#run({ type: 'stop' })
    const timeoutMs = this.#setupTimeoutMs + SETUP_GRACE_MS
    const failure = (await inTime(stopping, timeoutMs, () => teardownTimedOut(this.#setupTimeoutMs))) as
      | WorkerFailure
      | undefined
    if (failure !== undefined) throw toMillraceError(failure)
  }

  async kill(): Promise<void> {
    this.onIdleEnd = () => {}
    // Ending a thread while it loads a module by require() aborts the process on Node 20.
    if (this.#piscina.threads.length === 0) return
    await Promise.race([this.#loaded, sleep(LOAD_GRACE_MS, undefined, { ref: false })])
    await this.#piscina.destroy()
  }

  busy(): number {
    const [thread] = this.#piscina.threads
    return thread === undefined ? 0 : this.#utilization.since(thread.performance.eventLoopUtilization())
  }

  #run(task: WorkerTask, transferList: readonly ArrayBuffer[] = []): Promise<unknown> {
    return this.#piscina.run(task, { transferList: [...transferList] }) as Promise<unknown>
  }
}

/** What a thread gets to load our entry before it is ended: far more than that takes. */
const LOAD_GRACE_MS = 2_000
/** The worker's own timer comes first where the thread is not blocked, since it knows more. */
const SETUP_GRACE_MS = 1_000

/** Why a worker ended, from what it left behind and what piscina says. */
export function workerEnd(error: unknown, mark: ProgressMark): MillraceError {
  const words = mark.readLastWords()
  if (words !== undefined) {
    const cause = fromWireError(JSON.parse(words) as WireError)
    return new MillraceError('MR_WORKER_CRASH', `An error that nothing caught ended the worker: ${cause.message}`, {
      cause,
    })
  }
  if ((error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    return new MillraceError('MR_WORKER_OUT_OF_MEMORY', 'The worker reached its heap limit (worker.resourceLimits).', {
      cause: error,
    })
  }
  const message = `The worker ended by itself (${messageOf(error)}): process.exit() was called, or the thread crashed.`
  return new MillraceError('MR_WORKER_EXIT', message, { cause: error })
}

function toMillraceError({ code, message, cause }: WorkerFailure): MillraceError {
  return new MillraceError(code, message, cause === undefined ? undefined : { cause: fromWireError(cause) })
}
