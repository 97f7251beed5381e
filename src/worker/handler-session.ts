import { MillraceError } from '../errors.ts'
import { toWireError } from '../wire/wire-error.ts'
import { inTime } from './in-time.ts'
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
  readonly #timeoutMs: number

  private constructor(handler: RuntimeHandler, state: unknown, config: SessionConfig, mark: ProgressMark) {
    this.#handler = handler
    this.#state = state
    this.#timeoutMs = config.setupTimeoutMs
    this.runner = new TaskRunner(handler, state, config.limits, mark)
  }

  /** Runs the setup. Throws `MR_HANDLER_SETUP`, or `MR_HANDLER_SETUP_TIMEOUT` where it can be told from here. */
  static async open(handler: RuntimeHandler, config: SessionConfig, mark: ProgressMark): Promise<HandlerSession> {
    const state = handler.setup === undefined ? undefined : await HandlerSession.#setup(handler, config)
    return new HandlerSession(handler, state, config, mark)
  }

  static async #setup(handler: RuntimeHandler, config: SessionConfig): Promise<unknown> {
    const controller = new AbortController()
    const context = { worker: config.worker, signal: controller.signal }
    const setup = async (): Promise<unknown> => handler.setup?.(config.options, context)
    try {
      return await inTime(setup(), config.setupTimeoutMs, () => {
        const error = setupTimedOut(config.setupTimeoutMs)
        controller.abort(error)
        return error
      })
    } catch (error) {
      if (controller.signal.aborted && error === controller.signal.reason) throw error
      throw new MillraceError('MR_HANDLER_SETUP', `The handler's setup threw: ${toWireError(error).message}`, {
        cause: error,
      })
    }
  }

  /** Runs the teardown. Throws `MR_HANDLER_TEARDOWN`. */
  async close(): Promise<void> {
    const late = teardownTimedOut(this.#timeoutMs)
    const teardown = async (): Promise<void> => this.#handler.teardown?.(this.#state)
    try {
      await inTime(teardown(), this.#timeoutMs, () => late)
    } catch (error) {
      if (error === late) throw late
      throw new MillraceError('MR_HANDLER_TEARDOWN', `The handler's teardown threw: ${toWireError(error).message}`, {
        cause: error,
      })
    }
  }
}

export function teardownTimedOut(timeoutMs: number): MillraceError {
  return new MillraceError(
    'MR_HANDLER_TEARDOWN',
    `The handler's teardown took longer than ${timeoutMs} ms (worker.setupTimeoutMs bounds it too).`,
  )
}

export function setupTimedOut(setupTimeoutMs: number): MillraceError {
  return new MillraceError(
    'MR_HANDLER_SETUP_TIMEOUT',
    `The handler's module and setup took longer than ${setupTimeoutMs} ms (worker.setupTimeoutMs).`,
  )
}
