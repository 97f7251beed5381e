import { MillraceError, toError } from '../errors.ts'
import type { ProgressMark } from './progress-mark.ts'
import type { RuntimeHandler } from './runtime-handler.ts'
import { type RunnerLimits, TaskRunner } from './task-runner.ts'

/** What a session is opened with. */
export interface SessionConfig {
  readonly worker: number
  readonly options: unknown
  readonly limits: RunnerLimits
  readonly setupTimeoutMs: number
}

/** A handler's life in one worker: its setup, its messages, its teardown. */
export class HandlerSession {
  readonly runner: TaskRunner
  readonly #handler: RuntimeHandler
  readonly #state: unknown

  private constructor(handler: RuntimeHandler, state: unknown, limits: RunnerLimits, mark: ProgressMark) {
    this.#handler = handler
    this.#state = state
    this.runner = new TaskRunner(handler, state, limits, mark)
  }

  /** Runs the setup. Throws `MR_HANDLER_SETUP`, or `MR_HANDLER_SETUP_TIMEOUT` where it can be told from here. */
  static async open(handler: RuntimeHandler, config: SessionConfig, mark: ProgressMark): Promise<HandlerSession> {
    const state = handler.setup === undefined ? undefined : await HandlerSession.#setup(handler, config)
    return new HandlerSession(handler, state, config.limits, mark)
  }

  static async #setup(handler: RuntimeHandler, config: SessionConfig): Promise<unknown> {
    const controller = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const error = setupTimedOut(config.setupTimeoutMs)
        controller.abort(error)
        reject(error)
      }, config.setupTimeoutMs)
    })
    try {
      const context = { worker: config.worker, signal: controller.signal }
      return await Promise.race([handler.setup?.(config.options, context), timeout])
    } catch (error) {
      if (error === controller.signal.reason) throw error
      throw new MillraceError('MR_HANDLER_SETUP', `The handler's setup threw: ${toError(error).message}`, {
        cause: error,
      })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Runs the teardown. Throws `MR_HANDLER_TEARDOWN`. */
  async close(): Promise<void> {
    try {
      await this.#handler.teardown?.(this.#state)
    } catch (error) {
      throw new MillraceError('MR_HANDLER_TEARDOWN', `The handler's teardown threw: ${toError(error).message}`, {
        cause: error,
      })
    }
  }
}

export function setupTimedOut(setupTimeoutMs: number): MillraceError {
  return new MillraceError(
    'MR_HANDLER_SETUP_TIMEOUT',
    `The handler's module and setup took longer than ${setupTimeoutMs} ms (worker.setupTimeoutMs).`,
  )
}
