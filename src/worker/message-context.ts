import { MillraceError } from '../errors.ts'
import type { HandlerContext } from '../handler/handler.ts'

/** The contexts of the handlers that are running and asked for their signal, and whether all were told to stop. */
export class LiveContexts {
  readonly #contexts = new Set<MessageContext>()
  #reason: MillraceError | undefined

  /** The context's signal may abort from here on; at once where all were told to stop before. */
  add(context: MessageContext): void {
    this.#contexts.add(context)
    if (this.#reason !== undefined) context.abort(this.#reason)
  }

  delete(context: MessageContext): void {
    this.#contexts.delete(context)
  }

  abort(reason: MillraceError): void {
    this.#reason = reason
    for (const context of this.#contexts) context.abort(reason)
  }
}

/** A handler's context for one message. The signal is made only where it is asked for: most handlers never do. */
export class MessageContext implements HandlerContext<unknown> {
  readonly state: unknown
  readonly attempt: number
  readonly #live: LiveContexts
  readonly #timeoutMs: number
  #controller: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  readonly #startedAt = performance.now()
  #isClosed = false

  /** @param live where the context is listed while its signal can abort */
  constructor(state: unknown, attempt: number, timeoutMs: number, live: LiveContexts) {
    this.state = state
    this.attempt = attempt
    this.#timeoutMs = timeoutMs
    this.#live = live
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (!this.#isClosed) this.#start()
    }
    return this.#controller.signal
  }

  /** Whether the handler was told to stop. */
  get aborted(): MillraceError | undefined {
    return this.#controller?.signal.aborted === true ? (this.#controller.signal.reason as MillraceError) : undefined
  }

  abort(reason: MillraceError): void {
    this.#controller?.abort(reason)
  }

  /** The time counts from the start of the handler, not from when it asked. */
  #start(): void {
    const left = Math.max(0, this.#timeoutMs - (performance.now() - this.#startedAt))
    this.#live.add(this)
    this.#timer = setTimeout(() => this.abort(timedOut(this.#timeoutMs)), left)
    this.#timer.unref()
  }

  /** The handler has returned: its signal never aborts from here on. */
  close(): void {
    this.#isClosed = true
    if (this.#controller === undefined) return
    clearTimeout(this.#timer)
    this.#live.delete(this)
  }
}

export function timedOut(timeoutMs: number): MillraceError {
  return new MillraceError(
    'MR_HANDLER_TIMEOUT',
    `The handler did not return within ${timeoutMs} ms (handlerTimeoutMs). Raise the limit, or bound the work by context.signal.`,
  )
}
