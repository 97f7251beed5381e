import type { Settlement } from '../destination.ts'
import type { Message } from '../message.ts'

/** What the messages of one `send` have in common. */
export interface Origin {
  readonly settlement: Settlement
  readonly signal: AbortSignal
}

/** Messages of one `send` that stand side by side in a cut: its indexes `[from, to)`. */
export interface Segment {
  readonly origin: Origin
  readonly from: number
  to: number
}

/** Messages that are flushed together, and in ranges, not message by message, where each came from. */
export class Cut<T> {
  /** In the order of `send`. A flush function gets a copy, since it may change what it is given. */
  readonly messages: Message<T>[] = []
  readonly segments: Segment[] = []
  #last: Segment | undefined

  add(message: Message<T>, origin: Origin, index: number): void {
    this.messages.push(message)
    if (this.#last !== undefined && this.#last.origin === origin && this.#last.to === index) {
      this.#last.to += 1
      return
    }
    this.#last = { origin, from: index, to: index + 1 }
    this.segments.push(this.#last)
  }

  /** A cut of those messages whose position in this one passes the test. */
  pick(test: (position: number) => boolean): Cut<T> {
    const picked = new Cut<T>()
    let offset = 0
    for (const { origin, from, to } of this.segments) {
      const base = from - offset
      for (const message of this.messages.slice(offset, offset + to - from)) {
        if (test(offset)) picked.add(message, origin, base + offset)
        offset += 1
      }
    }
    return picked
  }

  ack(): void {
    for (const { origin, from, to } of this.segments) origin.settlement.ack(from, to)
  }

  /** Each message whose position has a reason. */
  nack(reasons: ReadonlyMap<number, Error>): void {
    if (reasons.size === 0) return
    let position = 0
    for (const { origin, from, to } of this.segments) {
      for (let index = from; index < to; index++) {
        const reason = reasons.get(position)
        if (reason !== undefined) origin.settlement.nack(reason, index, index + 1)
        position += 1
      }
    }
  }
}
