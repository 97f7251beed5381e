import type { EventLoopUtilization } from 'node:perf_hooks'
import type { ResourceLimits } from 'node:worker_threads'
import { MillraceError } from '../errors.ts'
import { fromWireError, type WireError } from '../wire/wire-error.ts'
import { setupTimedOut } from '../worker/handler-session.ts'
import type { ReplyDocument } from '../worker/open-chunk.ts'
import { ProgressMark } from '../worker/progress-mark.ts'
import type { Executor } from './executor.ts'
import { Piscina } from './piscina.ts'
import type { WorkerConfig, WorkerFailure, WorkerTask } from './worker-task.ts'
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
  #utilization: EventLoopUtilization | undefined

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
    this.#piscina.on('error', (error: unknown) => this.onIdleEnd(error))
    this.#piscina.on('workerDestroy', () => this.onIdleEnd(new Error('the worker thread ended')))
  }

  async start(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(setupTimedOut(this.#setupTimeoutMs)), this.#setupTimeoutMs + SETUP_GRACE_MS)
    })
    try {
      const failure = (await Promise.race([this.#run({ type: 'start' }), timeout])) as WorkerFailure | undefined
      if (failure !== undefined) throw toMillraceError(failure)
    } catch (error) {
      if (error instanceof MillraceError) throw error
      throw new MillraceError('MR_HANDLER_SETUP', 'The worker ended while it loaded the handler or ran its setup.', {
        cause: workerEnd(error, this.mark),
      })
    } finally {
      clearTimeout(timer)
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
    const failure = (await this.#run({ type: 'stop' })) as WorkerFailure | undefined
    if (failure !== undefined) throw toMillraceError(failure)
  }

  async kill(): Promise<void> {
    this.onIdleEnd = () => {}
    await this.#piscina.destroy()
  }

  busy(): number {
    const [thread] = this.#piscina.threads
    if (thread === undefined) return 0
    const now = thread.performance.eventLoopUtilization()
    const since = thread.performance.eventLoopUtilization(now, this.#utilization)
    this.#utilization = now
    return Number.isFinite(since.utilization) ? since.utilization : 0
  }

  #run(task: WorkerTask, transferList: readonly ArrayBuffer[] = []): Promise<unknown> {
    return this.#piscina.run(task, { transferList: [...transferList] }) as Promise<unknown>
  }
}

/** The setup's own timer comes first where the thread is not blocked, since it knows more. */
const SETUP_GRACE_MS = 250

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
  return new MillraceError(
    'MR_WORKER_EXIT',
    'The worker ended by itself: the handler called process.exit(), or the thread crashed.',
    {
      cause: error,
    },
  )
}

function toMillraceError({ code, message, cause }: WorkerFailure): MillraceError {
  return new MillraceError(code, message, cause === undefined ? undefined : { cause: fromWireError(cause) })
}
