import type { Destination, Settlement } from '../destination.ts'
import { toMillraceError } from '../errors.ts'
import type { Message } from '../message.ts'
import { isThenable } from '../util/is-thenable.ts'
import type { RunHub } from './run-hub.ts'

/** What is to be sent next: the messages of one `send`, and where their settlement goes. */
export interface Sendable {
  readonly messages: readonly Message<never>[]
  readonly settlement: Settlement
}

/** Calls a destination's `send`, never twice at once. */
export class Sender {
  readonly #destination: Destination<never>
  readonly #name: string
  readonly #hub: RunHub
  readonly #signal: AbortSignal
  readonly #onSent: () => void
  #isBusy = false

  /** @param onSent called after each `send` that was taken */
  constructor(destination: Destination<never>, name: string, hub: RunHub, signal: AbortSignal, onSent: () => void) {
    this.#destination = destination
    this.#name = name
    this.#hub = hub
    this.#signal = signal
    this.#onSent = onSent
  }

  /** Sends what `next` gives until it gives nothing; does nothing while a `send` is under way, which then goes on itself. */
  pump(next: () => Sendable | undefined): void {
    if (this.#isBusy) return
    this.#isBusy = true
    let sendable: Sendable | undefined
    while (!this.#hub.isHalted && (sendable = next()) !== undefined) {
      let ready: unknown
      try {
        ready = this.#destination.send(sendable.messages, sendable.settlement, this.#signal)
      } catch (error) {
        this.#fail(error)
        return
      }
      if (isThenable(ready)) {
        ready.then(
          () => {
            this.#isBusy = false
            this.#onSent()
            this.pump(next)
          },
          (error: unknown) => this.#fail(error),
        )
        return
      }
      this.#onSent()
    }
    this.#isBusy = false
  }

  flush(): void {
    try {
      const flushed: unknown = this.#destination.flush?.()
      if (isThenable(flushed)) flushed.then(undefined, (error: unknown) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** A sender that has failed stays busy: nothing is sent behind an error. */
  #fail(error: unknown): void {
    this.#hub.fail(toMillraceError(error, 'MR_SEND_FAILED', `The ${this.#name} failed`))
  }
}
