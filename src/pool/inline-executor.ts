import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import type { MillraceError } from '../errors.ts'
import { HandlerSession, type SessionConfig } from '../worker/handler-session.ts'
import type { ReplyDocument } from '../worker/open-chunk.ts'
import { ProgressMark } from '../worker/progress-mark.ts'
import type { RuntimeHandler } from '../worker/runtime-handler.ts'
import type { Executor } from './executor.ts'
import { Utilization } from './utilization.ts'

/**
 * `threads: 0`: the handler on the main thread, with everything packed the same way, so that it sees and returns the same.
 * What only a thread gives, ending a handler that does not return, it cannot give (G5).
 */
export class InlineExecutor implements Executor {
  readonly mark: ProgressMark
  onIdleEnd: (error: unknown) => void = () => {}
  readonly #load: () => Promise<RuntimeHandler>
  readonly #config: SessionConfig
  #session: HandlerSession | undefined
  readonly #utilization = new Utilization()

  constructor(load: () => Promise<RuntimeHandler>, config: SessionConfig) {
    this.mark = new ProgressMark(config.limits.handlerConcurrency)
    this.#load = load
    this.#config = config
  }

  async start(): Promise<void> {
    this.#session = await HandlerSession.open(await this.#load(), this.#config, this.mark)
  }

  async run(id: number, buffer: ArrayBuffer, length: number): Promise<ReplyDocument> {
    await turn()
    return this.#opened().runner.run(id, buffer, length)
  }

  more(id: number): Promise<ReplyDocument> {
    return this.#opened().runner.more(id)
  }

  abort(reason: MillraceError): void {
    this.#session?.runner.abort(reason)
  }

  async stop(): Promise<void> {
    await this.#session?.close()
  }

  async kill(): Promise<void> {
    this.#session?.runner.abandon()
  }

  busy(): number {
    return this.#utilization.since(performance.eventLoopUtilization())
  }

  #opened(): HandlerSession {
    if (this.#session === undefined) throw new TypeError('InlineExecutor: start() comes first')
    return this.#session
  }
}
