import { messageOf, MillraceError } from '../../errors.ts'
import type { Message } from '../../message.ts'
import type { Delivery, Lane, Source } from '../../source.ts'
import { messageSize } from '../../util/message-size.ts'
import { boolean, knownKeys, oneOf, text } from '../../util/options.ts'
import { untilAborted } from '../../util/until-aborted.ts'
import { PushedMessage, type MemoryOutcome, type Pushed } from './pushed-message.ts'

/** How a memory source behaves. */
export interface MemorySourceOptions {
  /** The topic of messages that are pushed without one. @default 'memory' */
  topic?: string
  /** `'cumulative'` deliveries have no `nack`. @default 'individual' */
  ackMode?: 'cumulative' | 'individual'
  /** Whether every settlement is kept in `settlements`, for tests: it grows without bound. @default false */
  log?: boolean
}

/** What a pushed message has beside its value: all of it optional, `key` by default `''`, `topic` the source's. */
export type PushFields = Partial<Omit<Message<unknown>, 'value'>> & {
  /** @default the source's own */
  readonly lane?: Lane
  /** @default 0 */
  readonly redelivered?: number
}

/** One call of an ack or a nack. */
export interface MemorySettlement<out T> {
  readonly message: Message<T>
  readonly outcome: MemoryOutcome
  /** Whether the message was settled before: then this call had no effect. */
  readonly repeated: boolean
}

/** A source that is pushed to. */
export interface MemorySource<T> extends Source<T> {
  readonly ackMode: 'cumulative' | 'individual'
  /**
   * Queues a message. The queue has no bound: await `settled`, or look at `pending`, to hold back.
   * @throws {MillraceError} `MR_SOURCE_FAILED` after `end`, `fail` or `close`.
   */
  push(value: T, fields?: PushFields): Pushed
  /** No more is pushed: `recv` ends once the queue is empty. Calling it again does nothing. */
  end(): void
  /** `recv` rejects at once with `MR_SOURCE_FAILED` and this cause, also before what is still queued. */
  fail(error: Error): void
  /** Messages pushed and not yet received. */
  readonly pending: number
  /** Messages received and not yet settled. */
  readonly inFlight: number
  /** Messages acked. */
  readonly acked: number
  /** Messages nacked. */
  readonly nacked: number
  /** Every call of an ack or a nack, in order; empty without `log`. */
  readonly settlements: readonly MemorySettlement<T>[]
}

interface Entry<T> {
  readonly delivery: Delivery<T>
  readonly pushed: PushedMessage
}

class PushSource<T> implements MemorySource<T> {
  readonly ackMode: 'cumulative' | 'individual'
  readonly settlements: MemorySettlement<T>[] = []
  readonly #topic: string
  readonly #log: boolean
  /** Received, and not settled. */
  readonly #inFlight = new Set<PushedMessage>()
  #queue: Entry<T>[] = []
  /** How many at the start of the queue have been received. */
  #taken = 0
  #acked = 0
  #nacked = 0
  #state: 'open' | 'ended' | 'closed' = 'open'
  #failure: MillraceError | undefined
  #wake: () => void = () => {}

  constructor(topic: string, ackMode: 'cumulative' | 'individual', log: boolean) {
    this.#topic = topic
    this.ackMode = ackMode
    this.#log = log
  }

  get pending(): number {
    return this.#queue.length - this.#taken
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  get acked(): number {
    return this.#acked
  }

  get nacked(): number {
    return this.#nacked
  }

  push(value: T, fields: PushFields = {}): Pushed {
    if (this.#state !== 'open') {
      throw new MillraceError(
        'MR_SOURCE_FAILED',
        `Expected a message before the end of the memory source '${this.#topic}', got one after it. Push before end(), ` +
          'fail() and close().',
      )
    }
    const { lane, redelivered, ...rest } = fields
    const message: Message<T> = { key: '', topic: this.#topic, ...rest, value }
    const pushed = new PushedMessage()
    const delivery: Delivery<T> = {
      message,
      ...(lane === undefined ? undefined : { lane }),
      ...(redelivered === undefined ? undefined : { redelivered }),
      ack: () => this.#settle(pushed, message, { status: 'acked' }),
      ...((lane ?? this).ackMode === 'individual' && {
        nack: (reason: Error) => this.#settle(pushed, message, { status: 'nacked', reason }),
      }),
    }
    this.#queue.push({ delivery, pushed })
    this.#wake()
    return pushed
  }

  end(): void {
    if (this.#state === 'open') this.#state = 'ended'
    this.#wake()
  }

  fail(error: Error): void {
    this.#failure ??= new MillraceError(
      'MR_SOURCE_FAILED',
      `Expected the memory source '${this.#topic}' to go on, got a failure: ${messageOf(error)}. The cause says why.`,
      { cause: error },
    )
    this.end()
  }

  async recv(signal: AbortSignal): Promise<Delivery<T> | undefined> {
    const [delivery] = await this.recvBatch(1, Infinity, signal)
    return delivery
  }

  async recvBatch(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<T>[]> {
    while (!signal.aborted && this.#state !== 'closed') {
      if (this.#failure !== undefined) throw this.#failure
      if (this.pending > 0) return this.#take(Math.max(max, 1), Math.max(maxBytes, 1))
      if (this.#state === 'ended') break
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await untilAborted(woken, signal)
    }
    return []
  }

  close(): Promise<void> {
    this.#state = 'closed'
    this.#wake()
    // Whoever awaits a message that was never settled must not wait for ever.
    for (const pushed of this.#inFlight) pushed.settle({ status: 'unsettled' })
    for (const { pushed } of this.#queue) pushed.settle({ status: 'unsettled' })
    return Promise.resolve()
  }

  #take(max: number, maxBytes: number): Delivery<T>[] {
    const deliveries: Delivery<T>[] = []
    let bytes = 0
    for (const { delivery, pushed } of this.#queue.slice(this.#taken, this.#taken + max)) {
      if (bytes >= maxBytes) break
      bytes += messageSize(delivery.message)
      deliveries.push(delivery)
      this.#inFlight.add(pushed)
    }
    this.#taken += deliveries.length
    // Moving the rest only once half is gone keeps the cost of a message constant.
    if (this.#taken * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#taken)
      this.#taken = 0
    }
    return deliveries
  }

  #settle(pushed: PushedMessage, message: Message<T>, outcome: MemoryOutcome): void {
    const repeated = pushed.outcome !== undefined
    if (this.#log) this.settlements.push({ message, outcome, repeated })
    if (repeated) return
    this.#inFlight.delete(pushed)
    if (outcome.status === 'acked') this.#acked += 1
    else this.#nacked += 1
    pushed.settle(outcome)
  }
}

/**
 * A source that is pushed to: for tests, and for embedding a processor in a program that has its events in memory. Each
 * `push` returns a handle that tells when the message was settled, so that a request can be answered once its event is
 * durable.
 *
 * **Gotchas.** Messages are lost with the process. The queue has no bound, and a nacked message is not queued again: push
 * it again if it is to be. `settled` never rejects, so that nobody has to look at it.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` at once.
 *
 * @example
 * ```ts
 * import { memorySource } from 'millrace'
 *
 * const source = memorySource<string>({ topic: 'requests' })
 * const pushed = source.push('hello', { key: 'ada' })
 * source.end()
 *
 * const delivery = await source.recv(new AbortController().signal)
 * await delivery?.ack()
 * console.log((await pushed.settled).status) // 'acked'
 * ```
 */
export function memorySource<T>(options?: MemorySourceOptions): MemorySource<T> {
  const known = knownKeys('memorySource', options, ['topic', 'ackMode', 'log'])
  return new PushSource(
    text('topic', known.topic, 'memory'),
    oneOf('ackMode', known.ackMode, ['individual', 'cumulative'], 'individual'),
    boolean('log', known.log, false),
  )
}
