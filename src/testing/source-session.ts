import { setTimeout } from 'node:timers/promises'
import { describe } from '../errors.ts'
import type { Delivery, Source } from '../source.ts'
import { expect, within } from './check.ts'
import { fingerprint, show } from './sample-values.ts'
import type { ResolvedSourceChecks } from './source-check-options.ts'

/** How long a source that does not end must stay silent to be believed. */
const quietMs = 100

/** A source while a check holds it, treated as a processor treats it. */
export class SourceSession<T> {
  readonly source: Source<T>
  /** Its signal is what `recv` gets. */
  readonly intake: AbortController = new AbortController()
  readonly #options: ResolvedSourceChecks<T>
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(source: Source<T>, options: ResolvedSourceChecks<T>) {
    this.source = source
    this.#options = options
    this.#running = Promise.resolve(source.run?.(this.#stop.signal))
    // It is looked at when the session ends.
    this.#running.catch(() => {})
  }

  recv(signal: AbortSignal = this.intake.signal): Promise<Delivery<T> | undefined> {
    return within(this.source.recv(signal), this.#options.timeoutMs, '`recv`')
  }

  recvBatch(max: number, maxBytes: number): Promise<readonly Delivery<T>[]> {
    const pending = this.source.recvBatch?.(max, maxBytes, this.intake.signal) ?? Promise.resolve([])
    return within(pending, this.#options.timeoutMs, '`recvBatch`')
  }

  /** The next `count` deliveries, one by one. */
  async receive(count: number): Promise<Delivery<T>[]> {
    const deliveries: Delivery<T>[] = []
    while (deliveries.length < count) {
      const delivery = await this.recv()
      if (delivery === undefined) {
        throw new Error(
          `Expected ${count} deliveries, got the end after ${deliveries.length}. Yield every message first.`,
        )
      }
      deliveries.push(delivery)
    }
    return deliveries
  }

  /** Nothing more comes: the end, or, where the source waits for more, nothing for a while. The last thing of a check. */
  async expectEnd(): Promise<void> {
    const pending = this.recv()
    // It rejects late where the source waits, and nobody looks.
    pending.catch(() => {})
    const delivery = await (this.#options.ends ? pending : Promise.race([pending, setTimeout(quietMs)]))
    if (delivery === undefined) return
    throw new Error(`Expected no more messages, got ${show(this.bytes(delivery))}. Yield each message once.`)
  }

  /** The bytes of a delivery's value as they are at this moment. */
  bytes(delivery: Delivery<T>): Uint8Array {
    const bytes = this.#options.toBytes(delivery.message.value)
    if (bytes instanceof Uint8Array) return bytes.slice()
    throw new Error(`Expected a Uint8Array, got ${describe(bytes)}. Pass \`toBytes\` for a source of other values.`)
  }

  /** These values came, each once, and in their order within each lane. */
  expectValues(deliveries: readonly Delivery<T>[], expected: readonly Uint8Array[]): void {
    const order = new Map(expected.map((value, index) => [fingerprint(value), index]))
    const last = new Map<unknown, number>()
    const seen = new Set<number>()
    for (const delivery of deliveries) {
      const bytes = this.bytes(delivery)
      const index = order.get(fingerprint(bytes))
      if (index === undefined) {
        throw new Error(
          `Expected ${show(expected[seen.size])} or a later value, got ${show(bytes)}. Pass bytes on as they are.`,
        )
      }
      expect(!seen.has(index), 'each message once', `${show(bytes)} again`, 'Yield what is not acked only once.')
      const before = last.get(delivery.lane) ?? -1
      expect(index > before, 'the order of the far end', `${show(bytes)} after ${show(expected[before])}`, 'Keep it.')
      last.set(delivery.lane, index)
      seen.add(index)
    }
    expect(seen.size === expected.length, `${expected.length} messages`, `${seen.size}`, 'Yield every message.')
  }

  /** Calls the acks in the given order, and waits for all of them. */
  ack(deliveries: readonly Delivery<T>[]): Promise<unknown> {
    const acks = deliveries.map(async (delivery) => delivery.ack())
    return within(Promise.all(acks), this.#options.timeoutMs, '`ack`')
  }

  /** What a processor does at the end: `run` is told to end, then `close` is called. */
  async close(): Promise<void> {
    this.intake.abort()
    this.#stop.abort()
    try {
      await within(this.#running, this.#options.timeoutMs, '`run`, after its signal aborted,')
    } finally {
      const closing = this.source.close?.()
      if (closing !== undefined) await within(closing, this.#options.timeoutMs, '`close`')
    }
  }
}

/** Opens a source over the values, or over what is there with `'reopen'`, and closes it whatever the body does. */
export async function withSource<T, R>(
  options: ResolvedSourceChecks<T>,
  values: readonly Uint8Array[] | 'reopen',
  body: (session: SourceSession<T>) => Promise<R>,
): Promise<R> {
  const source = values === 'reopen' ? await options.reopen?.() : await options.create(values)
  if (source === undefined) throw new Error('Expected `reopen` to return a source, got undefined.')
  const session = new SourceSession(source, options)
  let result: R
  try {
    result = await body(session)
  } catch (thrown) {
    await session.close().catch(() => {})
    throw thrown
  }
  await session.close()
  return result
}
