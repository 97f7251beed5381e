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
      this.#live.add(this)
      this.#timer = setTimeout(() => this.abort(timedOut(this.#timeoutMs)), this.#timeoutMs)
      this.#timer.unref()
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

  /** The handler has returned: its signal never aborts from here on. */
  close(): void {
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
