import type { Message } from '../../message.ts'
import type { Delivery } from '../../source.ts'

/** The acks that one poll still waits for; the last of them acks the poll. */
class PollAcks {
  #owed: number
  readonly #ack: (() => void | Promise<void>) | undefined

  constructor(owed: number, ack: (() => void | Promise<void>) | undefined) {
    this.#owed = owed
    this.#ack = ack
  }

  settle(): void | Promise<void> {
    this.#owed -= 1
    return this.#owed === 0 ? this.#ack?.() : undefined
  }
}

class PolledDelivery<T> implements Delivery<T> {
  readonly message: Message<T>
  #poll: PollAcks | undefined

  constructor(message: Message<T>, poll: PollAcks) {
    this.message = message
    this.#poll = poll
  }

  /** A repeated ack must not stand for another item's. */
  ack(): void | Promise<void> {
    const poll = this.#poll
    this.#poll = undefined
    return poll?.settle()
  }
}

/** The deliveries of one poll, whose own ack is called with the last of theirs. */
export function polledDeliveries<T>(
  messages: readonly Message<T>[],
  ack: (() => void | Promise<void>) | undefined,
): readonly Delivery<T>[] {
  const acks = new PollAcks(messages.length, ack)
  return messages.map((message) => new PolledDelivery(message, acks))
}
