import type { Attributes, Delivery, Destination, Lane, Message, Settlement, Source } from 'millrace'
import { Journal } from './journal.ts'
import { ScriptedLane } from './scripted-lane.ts'

export { Journal, randomFrom } from './journal.ts'
export { ScriptedLane } from './scripted-lane.ts'

/** A message to yield; what is left out is made up. */
export interface Item<T> {
  readonly value: T
  /** @default 'm' and its number */
  readonly id?: string
  readonly key?: string
  readonly topic?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly attributes?: Attributes
  readonly lane?: Lane
  readonly redelivered?: number
}

/** How a scripted source behaves. */
export interface SourceScript {
  readonly journal?: Journal
  readonly ackMode?: 'cumulative' | 'individual'
  /** Deliveries of one `recvBatch`, at most; without it the source has only `recv`. */
  readonly batch?: number
  /** Wait for `push` after the last item; the source ends by `end()` or when it is aborted. */
  readonly stayOpen?: boolean
  /** Its `recv` ignores the signal. */
  readonly isDeaf?: boolean
  /** Deliveries have a `nack`. @default for 'individual' */
  readonly hasNack?: boolean
  /** Called for each ack; what it returns is what the ack returns. */
  readonly onAck?: (id: string) => void | Promise<void>
  readonly onNack?: (id: string, reason: Error) => void | Promise<void>
  /** Acks come in runs. */
  readonly ackBatch?: (ids: readonly string[]) => void | Promise<void>
  readonly run?: (signal: AbortSignal) => Promise<void>
  readonly close?: () => Promise<void>
}

/** A source that yields what it is told to, and notes everything. */
export class ScriptedSource<T> implements Source<T> {
  readonly journal: Journal
  readonly ackMode?: 'cumulative' | 'individual'
  recvBatch?: NonNullable<Source<T>['recvBatch']>
  ackBatch?: NonNullable<Source<T>['ackBatch']>
  run?: NonNullable<Source<T>['run']>
  /** Yielded and not settled. */
  outstanding = 0
  mostOutstanding = 0
  yielded = 0
  closes = 0
  /** The `max` of each `recvBatch`. */
  readonly asked: number[] = []
  /** Calls that came while another one was under way, or after the close. */
  readonly violations: string[] = []
  readonly #script: SourceScript
  readonly #items: Item<T>[]
  readonly #ids = new Map<Delivery<unknown>, string>()
  readonly #settledIds = new Set<string>()
  #number = 0
  #hasEnded: boolean
  #failure: Error | undefined
  #isAsked = false
  #wake: () => void = () => {}

  constructor(items: Iterable<Item<T>>, script: SourceScript = {}) {
    this.#items = [...items]
    this.#script = script
    this.#hasEnded = script.stayOpen !== true
    this.journal = script.journal ?? new Journal()
    if (script.ackMode !== undefined) this.ackMode = script.ackMode
    if (script.run !== undefined) this.run = script.run
    const { batch, ackBatch } = script
    if (batch !== undefined) {
      this.recvBatch = (max, _maxBytes, signal) => {
        this.asked.push(max)
        return this.#take(Math.min(max, batch), signal)
      }
    }
    if (ackBatch !== undefined) {
      this.ackBatch = (deliveries) => {
        const ids = deliveries.map((delivery) => this.#ids.get(delivery) ?? 'unknown')
        for (const id of ids) this.#settled('ack', id)
        return ackBatch(ids)
      }
    }
  }

  async recv(signal: AbortSignal): Promise<Delivery<T> | undefined> {
    const [delivery] = await this.#take(1, signal)
    return delivery
  }

  async close(): Promise<void> {
    this.closes++
    this.journal.add('close', 'source')
    await this.#script.close?.()
  }

  push(...items: readonly Item<T>[]): void {
    this.#items.push(...items)
    this.#wake()
  }

  end(): void {
    this.#hasEnded = true
    this.#wake()
  }

  /** The next `recv` rejects, before what is still queued. */
  fail(error: Error): void {
    this.#failure = error
    this.#wake()
  }

  async #take(max: number, signal: AbortSignal): Promise<Delivery<T>[]> {
    if (this.#isAsked) this.violations.push('recv while another one is under way')
    if (this.closes > 0) this.violations.push('recv after close')
    this.#isAsked = true
    const onAbort = (): void => this.#wake()
    if (this.#script.isDeaf !== true) signal.addEventListener('abort', onAbort)
    try {
      for (;;) {
        if (signal.aborted && this.#script.isDeaf !== true) return []
        if (this.#failure !== undefined) throw this.#failure
        const deliveries = this.#ready(max)
        if (deliveries.length > 0 || (this.#hasEnded && this.#items.length === 0)) return deliveries
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#isAsked = false
    }
  }

  #ready(max: number): Delivery<T>[] {
    const deliveries: Delivery<T>[] = []
    for (let at = 0; at < this.#items.length && deliveries.length < max;) {
      const item = this.#items[at] as Item<T>
      if (item.lane instanceof ScriptedLane && item.lane.isPaused) {
        item.lane.onResume = () => this.#wake()
        at++
      } else {
        this.#items.splice(at, 1)
        deliveries.push(this.#delivery(item))
      }
    }
    return deliveries
  }

  #delivery({ lane, redelivered, value, ...fields }: Item<T>): Delivery<T> {
    const id = fields.id ?? `m${this.#number}`
    this.#number++
    this.yielded++
    this.outstanding++
    this.mostOutstanding = Math.max(this.mostOutstanding, this.outstanding)
    this.journal.add('recv', id)
    const mode = lane?.ackMode ?? this.ackMode
    const delivery: Delivery<T> = {
      message: { key: '', topic: 'scripted', id, ...fields, value },
      ...(lane === undefined ? {} : { lane }),
      ...(redelivered === undefined ? {} : { redelivered }),
      ack: () => {
        this.#settled('ack', id)
        return this.#script.onAck?.(id)
      },
      ...((this.#script.hasNack ?? mode === 'individual')
        ? {
            nack: (reason: Error) => {
              this.#settled('nack', id)
              return this.#script.onNack?.(id, reason)
            },
          }
        : {}),
    }
    this.#ids.set(delivery, id)
    return delivery
  }

  #settled(what: 'ack' | 'nack', id: string): void {
    if (this.closes > 0) this.violations.push(`${what} ${id} after close`)
    if (this.#settledIds.has(id)) this.violations.push(`${what} ${id}, which is settled already`)
    this.#settledIds.add(id)
    this.outstanding--
    this.journal.add(what, id)
  }
}

/** How a scripted destination behaves. */
export interface DestinationScript<T> {
  readonly journal?: Journal
  /** For the journal, where there are several. */
  readonly name?: string
  /** How long after its send a message is durable, in milliseconds; 0 is at once. @default 0 */
  readonly settleMs?: (message: Message<T>) => number
  /** What to give a message up with. */
  readonly nack?: (message: Message<T>) => Error | undefined
  /** What `send` does once it has the messages. */
  readonly onSend?: (messages: readonly Message<T>[], signal: AbortSignal) => void | Promise<void>
  /** Hold everything until `flush()` or `settle()`; `'firmly'`: until `settle()`. */
  readonly holds?: boolean | 'firmly'
  readonly run?: (signal: AbortSignal) => Promise<void>
  readonly close?: () => Promise<void>
}

/** A destination that settles what it gets when it is told to, and notes everything. */
export class ScriptedDestination<T> implements Destination<T> {
  readonly journal: Journal
  run?: NonNullable<Destination<T>['run']>
  /** Copies of all that was sent; bytes too. */
  readonly messages: Message<T>[] = []
  /** The ids of each send. */
  readonly sends: string[][] = []
  flushes = 0
  closes = 0
  readonly violations: string[] = []
  readonly #script: DestinationScript<T>
  readonly #held = new Map<string, () => void>()
  #isSending = false

  constructor(script: DestinationScript<T> = {}) {
    this.#script = script
    this.journal = script.journal ?? new Journal()
    if (script.run !== undefined) this.run = script.run
  }

  /** The ids of all messages, in order of send. */
  get ids(): string[] {
    return this.sends.flat()
  }

  send(messages: readonly Message<T>[], settlement: Settlement, signal: AbortSignal): void | Promise<void> {
    if (this.#isSending) this.violations.push('send while another one is under way')
    if (this.closes > 0) this.violations.push('send after close')
    this.sends.push(messages.map(({ id }) => id ?? ''))
    for (const message of messages) {
      this.messages.push({ ...message, value: copyOf(message.value) })
      this.journal.add('send', message.id)
    }
    messages.forEach((message, index) => {
      const settle = (): void => {
        const reason = this.#script.nack?.(message)
        this.journal.add(reason === undefined ? `flushed${this.#script.name ?? ''}` : 'gaveUp', message.id)
        if (reason === undefined) settlement.ack(index, index + 1)
        else settlement.nack(reason, index, index + 1)
      }
      const delay = this.#script.settleMs?.(message) ?? 0
      if (this.#script.holds !== undefined && this.#script.holds !== false) this.#held.set(message.id ?? '', settle)
      else if (delay === 0) settle()
      else setTimeout(settle, delay)
    })
    const ready = this.#script.onSend?.(messages, signal)
    if (ready === undefined) return undefined
    this.#isSending = true
    return ready.finally(() => {
      this.#isSending = false
    })
  }

  flush(): void {
    this.flushes++
    if (this.closes > 0) this.violations.push('flush after close')
    if (this.#script.holds === true) this.settle()
  }

  /** Settles these outputs, in this order; without ids, all that are held. */
  settle(...ids: readonly string[]): void {
    for (const id of ids.length === 0 ? this.#held.keys() : ids) {
      const settle = this.#held.get(id)
      this.#held.delete(id)
      settle?.()
    }
  }

  async close(): Promise<void> {
    this.closes++
    this.journal.add('close', `destination${this.#script.name ?? ''}`)
    await this.#script.close?.()
  }
}

function copyOf<T>(value: T): T {
  return value instanceof Uint8Array ? (Uint8Array.from(value) as T & Uint8Array) : value
}

/** `count` items, made from their number. */
export function itemsOf<T>(count: number, make: (index: number) => Item<T>): Item<T>[] {
  return Array.from({ length: count }, (_, index) => make(index))
}
