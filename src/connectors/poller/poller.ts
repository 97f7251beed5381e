import { setTimeout as sleep } from 'node:timers/promises'
import { describe, messageOf, MillraceError } from '../../errors.ts'
import type { Delivery, Source } from '../../source.ts'
import { messageFieldNames, messageMaker, type MessageFields, type MessageMaker } from '../../util/message-fields.ts'
import { messageSize } from '../../util/message-size.ts'
import { fn, knownKeys } from '../../util/options.ts'
import { untilAborted } from '../../util/until-aborted.ts'
import { polledDeliveries } from './poll-acks.ts'
import { pollDelayMs, pollScheduleNames, resolvePollSchedule, type PollSchedule } from './poll-schedule.ts'

/** What a poll came back with: the values, or the values with an ack of the whole poll. */
export type Polled<T> =
  | readonly T[]
  | {
      readonly values: readonly T[]
      /** Called once, when the last of the values has been acked; at once for a poll without values. */
      ack?(): void | Promise<void>
    }

/** Asks a system for what is new there. The signal aborts when nothing more is wanted. */
export type Poll<T> = (signal: AbortSignal) => Promise<Polled<T>>

/** How the poller asks, and how values become messages; there is no `id` unless the option makes one. */
export interface PollerOptions<in T> extends PollSchedule, MessageFields<T> {}

class PollerSource<T> implements Source<T> {
  readonly ackMode = 'cumulative'
  readonly #poll: Poll<T>
  readonly #schedule: Readonly<Required<PollSchedule>>
  readonly #message: MessageMaker<T>
  /** What the last poll brought and nobody has taken yet; it is polled again only when this is empty. */
  #ready: readonly Delivery<T>[] = []
  #polling: Promise<void> | undefined
  #index = 0
  #empty = 0
  #failed = 0
  #notBeforeMs = 0
  #closed = false

  constructor(poll: Poll<T>, schedule: Readonly<Required<PollSchedule>>, message: MessageMaker<T>) {
    this.#poll = poll
    this.#schedule = schedule
    this.#message = message
  }

  async recv(signal: AbortSignal): Promise<Delivery<T> | undefined> {
    const [delivery] = await this.recvBatch(1, Infinity, signal)
    return delivery
  }

  async recvBatch(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<T>[]> {
    while (!signal.aborted && !this.#closed) {
      if (this.#ready.length > 0) return this.#take(Math.max(max, 1), Math.max(maxBytes, 1))
      const waitMs = this.#notBeforeMs - performance.now()
      if (this.#polling === undefined && waitMs > 0) {
        await sleep(Math.ceil(waitMs), undefined, { signal }).catch(() => {})
      } else {
        this.#polling ??= this.#pollOnce(signal)
        await untilAborted(this.#polling, signal)
      }
    }
    return []
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #take(max: number, maxBytes: number): readonly Delivery<T>[] {
    let count = 0
    let bytes = 0
    for (const { message } of this.#ready) {
      if (count >= max || bytes >= maxBytes) break
      bytes += messageSize(message)
      count += 1
    }
    const taken = this.#ready.slice(0, count)
    this.#ready = this.#ready.slice(count)
    return taken
  }

  /** One poll, whose outcome sets when the next may start; rejects when there is to be none. */
  async #pollOnce(signal: AbortSignal): Promise<void> {
    try {
      const polled = partsOf(await this.#poll(signal))
      if (polled.values.length === 0) await polled.ack?.()
      else this.#accept(polled.values, polled.ack)
      this.#empty = polled.values.length === 0 ? this.#empty + 1 : 0
      this.#failed = 0
    } catch (thrown) {
      this.#failed += 1
      if (thrown instanceof MillraceError) throw thrown
      if (this.#failed >= this.#schedule.attempts || isFinal(thrown)) throw givenUp(thrown, this.#failed)
    } finally {
      this.#polling = undefined
      this.#notBeforeMs = performance.now() + pollDelayMs(this.#schedule, this.#failed + this.#empty)
    }
  }

  #accept(values: readonly T[], ack: (() => void | Promise<void>) | undefined): void {
    const messages = values.map((value) => {
      try {
        return this.#message(value, this.#index++)
      } catch (thrown) {
        throw new MillraceError(
          'MR_SOURCE_FAILED',
          `Expected the options of poller() to make a message of ${describe(value)}, and one threw: ` +
            `${messageOf(thrown)}. Correct \`key\`, \`id\` or \`headers\`.`,
          { cause: thrown },
        )
      }
    })
    this.#ready = polledDeliveries(messages, ack)
  }
}

interface PolledParts<T> {
  readonly values: readonly T[]
  readonly ack?: () => void | Promise<void>
}

function partsOf<T>(polled: Polled<T>): PolledParts<T> {
  if (isArray(polled)) return { values: polled }
  const parts = polled as Partial<Exclude<Polled<T>, readonly T[]>> | null | undefined
  if (isArray(parts?.values)) {
    const { values } = parts
    return typeof parts.ack === 'function' ? { values, ack: async () => parts.ack?.() } : { values }
  }
  throw new MillraceError(
    'MR_SOURCE_FAILED',
    `Expected the poll function to return an array, or an object with an array of values, got ${describe(polled)}. ` +
      'Return [] when there is nothing.',
  )
}

function isArray<T>(value: readonly T[] | object | null | undefined): value is readonly T[] {
  return Array.isArray(value)
}

function isFinal(thrown: unknown): boolean {
  return typeof thrown === 'object' && thrown !== null && 'retryable' in thrown && thrown.retryable === false
}

function givenUp(thrown: unknown, times: number): MillraceError {
  return new MillraceError(
    'MR_SOURCE_FAILED',
    `Expected the poll function to return, and it failed ${times} times in a row: ${messageOf(thrown)}. Correct ` +
      'what it asks, or raise `attempts`.',
    { cause: thrown },
  )
}

/**
 * A source that asks: it calls the poll function whenever the processor wants more and the interval is over, never twice at
 * once, and never while values of the last poll are waiting. The interval grows while polls come back empty or fail. It
 * never ends by itself.
 *
 * The ack of a poll is called once, when everything made from all of its values is durable (G1), and not at all when one of
 * them was not: the polled system then yields them again.
 *
 * **Gotchas.** The next poll does not wait for the acks of the last one. Move a cursor in the poll function, or claim what it
 * returns, so that it does not return the same values until they are acked. A poll that never returns stops the source: give
 * it a time-out. An error with `retryable: false` is fatal at once.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` at once. From `recv`: `MR_SOURCE_FAILED` when `attempts` polls in a row have
 * failed, or when a poll returns no values array.
 *
 * @example
 * ```ts
 * import { poller } from 'millrace'
 *
 * const orders = ['a', 'b', 'c']
 * let cursor = 0
 * const source = poller(
 *   async () => {
 *     const values = orders.slice(cursor, cursor + 2)
 *     cursor += values.length
 *     return { values, ack: () => console.log('done with', values) }
 *   },
 *   { topic: 'orders', intervalMs: 100, id: (value) => value },
 * )
 * const { signal } = new AbortController()
 * for (let count = 0; count < orders.length; count++) await (await source.recv(signal))?.ack()
 * await source.close?.()
 * ```
 */
export function poller<T>(poll: Poll<T>, options?: PollerOptions<T>): Source<T> {
  const known = knownKeys('poller', options, [...messageFieldNames, ...pollScheduleNames])
  return new PollerSource(fn('poll', poll), resolvePollSchedule(known), messageMaker(known, 'poller'))
}
