import { messageOf, MillraceError } from '../../errors.ts'
import type { Delivery, Lane, Source } from '../../source.ts'
import { messageSize } from '../../util/message-size.ts'
import { checkDelivery } from '../../util/source-shape.ts'
import { wrapDelivery, type WrappedDelivery } from '../../util/wrapped-delivery.ts'

/** One source of a fan-in: at most one `recv` of it is under way, and what that brought waits here to be taken. */
export class MultiChild {
  readonly name: string
  readonly source: Source<unknown>
  /** For the deliveries that name none: the source's own lane, as it is seen from outside. */
  readonly #lane: Lane
  readonly #changed: () => void
  #ready: readonly Delivery<unknown>[] = []
  #receiving = false
  #paused = false
  #ended = false
  #failure: MillraceError | undefined

  /** `changed` is called whenever there may be more to take, or the source has ended or failed. */
  constructor(name: string, source: Source<unknown>, changed: () => void) {
    this.name = name
    this.source = source
    this.#changed = changed
    this.#lane = {
      name,
      ackMode: source.ackMode ?? 'cumulative',
      pause: () => {
        this.#paused = true
      },
      resume: () => {
        this.#paused = false
        changed()
      },
    }
  }

  /** Whether deliveries can be taken. */
  get ready(): boolean {
    return this.#ready.length > 0 && !this.#paused
  }

  /** Whether nothing more will come, and nothing is waiting. */
  get ended(): boolean {
    return this.#ended && this.#ready.length === 0
  }

  get failure(): MillraceError | undefined {
    return this.#failure
  }

  /** Asks the source for at most this much, unless it is being asked, has ended, is paused, or more is waiting here. */
  ask(max: number, maxBytes: number, signal: AbortSignal): void {
    if (this.#receiving || this.#ended || this.#paused || this.#ready.length > 0) return
    this.#receiving = true
    void this.#receive(max, maxBytes, signal)
  }

  /** Adds what waits here, at most `max`, to `deliveries`, until `bytes.left` is used up. */
  take(max: number, bytes: { left: number }, deliveries: Delivery<unknown>[]): void {
    let count = 0
    for (const delivery of this.#ready) {
      if (count >= max || bytes.left <= 0) break
      bytes.left -= messageSize(delivery.message)
      deliveries.push(delivery)
      count += 1
    }
    this.#ready = this.#ready.slice(count)
  }

  async #receive(max: number, maxBytes: number, signal: AbortSignal): Promise<void> {
    try {
      const deliveries = await this.#recv(max, maxBytes, signal)
      this.#ended = deliveries.length === 0
      this.#ready = deliveries.map((delivery) => this.#wrap(delivery))
    } catch (thrown) {
      this.#ended = true
      // After an abort a rejection is the end.
      if (!signal.aborted) this.#failure = childFailed(this.name, thrown)
    }
    this.#receiving = false
    this.#changed()
  }

  async #recv(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<unknown>[]> {
    if (this.source.recvBatch !== undefined) return this.source.recvBatch(max, maxBytes, signal)
    const delivery = await this.source.recv(signal)
    return delivery === undefined ? [] : [delivery]
  }

  #wrap(delivery: Delivery<unknown>): WrappedDelivery<unknown> {
    const { message, lane } = checkDelivery(delivery, `source '${this.name}'`)
    return wrapDelivery(this.source, delivery, message, lane ?? this.#lane)
  }
}

/** The failure of one source, which is that of the whole. */
export function childFailed(name: string, thrown: unknown): MillraceError {
  return new MillraceError(
    'MR_SOURCE_FAILED',
    `Expected source '${name}' of multi to go on, and it failed: ${messageOf(thrown)}. The cause says why.`,
    { cause: thrown },
  )
}
