import type { Destination, Settlement } from '../destination.ts'
import { MillraceError } from '../errors.ts'
import type { Message } from '../message.ts'
import { checkSettlementRange } from '../util/settlement-range.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { LaneState } from './lane-state.ts'
import type { RunHub } from './run-hub.ts'
import { type Sendable, Sender } from './sender.ts'

/** A dead letter on its way, and the message that it is of. */
interface Pending {
  readonly message: Message<DeadLetter>
  readonly lane: LaneState
  readonly sequence: number
}

const MAX_SEND = 1_000

/** Writes messages that were given up to the dead-letter destination; one that this gives up too is fatal. */
export class DeadLetters {
  readonly #sender: Sender
  readonly #hub: RunHub
  readonly #onWritten: (lane: LaneState, sequence: number) => void
  #waiting: Pending[] = []
  #unwritten = 0

  constructor(
    destination: Destination<DeadLetter>,
    hub: RunHub,
    signal: AbortSignal,
    onSent: () => void,
    onWritten: (lane: LaneState, sequence: number) => void,
  ) {
    this.#sender = new Sender(destination, 'dead-letter destination', hub, signal, onSent)
    this.#hub = hub
    this.#onWritten = onWritten
  }

  /** Dead letters that the destination has not settled. */
  get unwritten(): number {
    return this.#unwritten
  }

  write(lane: LaneState, sequence: number, message: Message<DeadLetter>): void {
    this.#unwritten++
    this.#waiting.push({ lane, sequence, message })
    this.#sender.pump(() => this.#next())
  }

  flush(): void {
    this.#sender.flush()
  }

  #next(): Sendable | undefined {
    if (this.#waiting.length === 0) return undefined
    const letters = this.#waiting.splice(0, MAX_SEND)
    return {
      messages: letters.map((letter) => letter.message as Message<never>),
      settlement: this.#settlementOf(letters),
    }
  }

  #settlementOf(letters: readonly Pending[]): Settlement {
    const settled = new Uint8Array(letters.length)
    const settle = (from: number, to: number, each: (letter: Pending) => void): void => {
      checkSettlementRange(from, to, letters.length)
      for (let index = from; index < to; index++) {
        if (settled[index] === 1) continue
        settled[index] = 1
        each(letters[index] as Pending)
      }
    }
    return {
      ack: (from = 0, to = letters.length) =>
        settle(from, to, ({ lane, sequence }) => {
          this.#unwritten--
          this.#onWritten(lane, sequence)
        }),
      nack: (reason, from = 0, to = letters.length) =>
        settle(from, to, ({ message }) =>
          this.#hub.fail(
            new MillraceError(
              'MR_DEAD_LETTER_FAILED',
              `The dead letter of message ${message.id ?? '(no id)'} was not written: ${reason.message}. The message stays unacked.`,
              { cause: reason },
            ),
          ),
        ),
    }
  }
}
