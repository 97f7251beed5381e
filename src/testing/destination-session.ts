import { setTimeout } from 'node:timers/promises'
import type { Destination } from '../destination.ts'
import { describe } from '../errors.ts'
import type { Message } from '../message.ts'
import { checkSettlementRange } from '../util/settlement-range.ts'
import { expect, within } from './check.ts'
import type { ResolvedDestinationChecks } from './destination-check-options.ts'
import { fingerprint, show } from './sample-values.ts'

/** One message that was sent. */
interface Sent {
  /** What it was. */
  readonly original: Uint8Array
  /** What the destination got; overwritten when it is settled, as a processor's buffers are (G10). */
  readonly bytes: Uint8Array
  settled: 'ack' | 'nack' | undefined
}

/** How often `settled` looks. */
const lookMs = 2

/** A destination while a check holds it, treated as a processor treats it. */
export class DestinationSession<T> {
  readonly destination: Destination<T>
  /** Its signal is what `send` gets. */
  readonly drain: AbortController = new AbortController()
  readonly #options: ResolvedDestinationChecks<T>
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  readonly #sent: Sent[] = []
  /** What a settlement found wrong: told by the check, since a destination may swallow what its settlement throws. */
  readonly #faults: Error[] = []
  readonly #looks: Promise<void>[] = []
  #settlements = 0

  constructor(destination: Destination<T>, options: ResolvedDestinationChecks<T>) {
    this.destination = destination
    this.#options = options
    this.#running = Promise.resolve(destination.run?.(this.#stop.signal))
    this.#running.catch((thrown: unknown) => {
      this.#faults.push(new Error('Expected `run` to resolve, it rejected.', { cause: thrown }))
    })
  }

  /** Calls to the settlements of all sends so far. */
  get settlements(): number {
    return this.#settlements
  }

  get acked(): number {
    return this.#sent.filter(({ settled }) => settled === 'ack').length
  }

  /** Sends the values in one call; the promise is that of `send`, however long it takes. */
  async send(values: readonly Uint8Array[]): Promise<void> {
    const base = this.#sent.length
    const sent = values.map((value): Sent => ({ original: value, bytes: value.slice(), settled: undefined }))
    this.#sent.push(...sent)
    const messages = sent.map(({ bytes }, index): Message<T> => {
      return { id: `conformance:${base + index}`, key: '', topic: 'conformance', value: this.#options.toValue(bytes) }
    })
    const settle = (outcome: 'ack' | 'nack', from: number, to: number): void => {
      this.#settlements++
      try {
        checkSettlementRange(from, to, sent.length)
      } catch (thrown) {
        this.#faults.push(new Error('Expected a range within the send.', { cause: thrown }))
        throw thrown
      }
      this.#settle(
        sent.slice(from, to).filter(({ settled }) => settled === undefined),
        outcome,
      )
    }
    const settlement = {
      ack: (from = 0, to = sent.length) => settle('ack', from, to),
      nack: (reason: Error, from = 0, to = sent.length) => {
        this.#faults.push(new Error(`Expected acks from a far end without faults, got a nack: ${describe(reason)}.`))
        settle('nack', from, to)
      },
    }
    await this.destination.send(messages, settlement, this.drain.signal)
  }

  /** Sends, and waits until the destination is ready for the next. */
  async sendAndWait(values: readonly Uint8Array[]): Promise<void> {
    await within(this.send(values), this.#options.timeoutMs, '`send`')
  }

  /** Flushes, then waits until everything sent is settled. */
  async flushed(): Promise<void> {
    this.destination.flush?.()
    await this.settled(this.#options.flushMs, '`flush`')
  }

  /** Waits until everything sent is settled. */
  async settled(ms: number, since: string): Promise<void> {
    const deadline = performance.now() + ms
    while (this.#faults.length === 0 && this.#open().length > 0 && performance.now() < deadline) {
      await setTimeout(lookMs)
    }
    await this.expectNoFault()
    const open = this.#open()
    expect(
      open.length === 0,
      `all ${this.#sent.length} messages to be settled ${ms} ms after ${since}`,
      `${open.length} unsettled, the first ${show(open[0]?.original)}`,
      'Ack what is durable; hand over on `flush` what is held back.',
    )
  }

  /** Everything that was settled so far was settled as it should be. */
  async expectNoFault(): Promise<void> {
    await within(Promise.all(this.#looks), this.#options.timeoutMs, '`received`')
    const [fault] = this.#faults
    if (fault !== undefined) throw fault
  }

  /** The far end has all that was sent: no more, no less, unchanged. */
  async expectReceived(): Promise<void> {
    const sent = this.#sent.map(({ original }) => original)
    const received = await this.#options.received()
    const [expected, got] = this.#options.ordered
      ? [sent, received]
      : [sent.toSorted(byBytes), received.toSorted(byBytes)]
    for (let index = 0; index < Math.max(expected.length, got.length); index++) {
      const [one, other] = [expected[index], got[index]]
      const same = one !== undefined && other !== undefined && fingerprint(one) === fingerprint(other)
      const place = `of ${expected.length} messages, as number ${index + 1},`
      expect(same, `${place} ${show(one)}`, show(other), 'Write each message once, in order, as it came.')
    }
  }

  /** Everything acked so far is at the far end. */
  async expectAckedReceived(): Promise<void> {
    const received = await this.#options.received()
    this.#expectAmong(
      this.#sent.filter(({ settled }) => settled === 'ack'),
      received,
    )
    await this.expectNoFault()
  }

  /** What a processor does at the end: `run` is told to end, then `close` is called. */
  async close(): Promise<void> {
    this.#stop.abort()
    try {
      await within(this.#running, this.#options.timeoutMs, '`run`, after its signal aborted,')
    } finally {
      const closing = this.destination.close?.()
      if (closing !== undefined) await within(closing, this.#options.timeoutMs, '`close`')
    }
  }

  #open(): readonly Sent[] {
    return this.#sent.filter(({ settled }) => settled === undefined)
  }

  #settle(messages: readonly Sent[], outcome: 'ack' | 'nack'): void {
    for (const message of messages) message.settled = outcome
    if (outcome === 'ack') this.#lookForDurable(messages)
    for (const { bytes } of messages) bytes.fill(0xdb)
  }

  /** At the instant of the ack where `received` is synchronous, and as soon as it tells otherwise. */
  #lookForDurable(messages: readonly Sent[]): void {
    const look = (received: readonly Uint8Array[]): void => {
      try {
        this.#expectAmong(messages, received)
      } catch (thrown) {
        this.#faults.push(thrown as Error)
      }
    }
    const received = this.#options.received()
    if (Array.isArray(received)) look(received)
    else this.#looks.push(Promise.resolve(received).then(look))
  }

  #expectAmong(messages: readonly Sent[], received: readonly Uint8Array[]): void {
    const known = new Set(received.map(fingerprint))
    const missing = messages.find(({ original }) => !known.has(fingerprint(original)))
    const what = `what was acked to be durable, such as ${show(missing?.original)}`
    expect(missing === undefined, what, `${received.length} other values`, 'Ack once it is durable, not before (G1).')
  }
}

function byBytes(one: Uint8Array, other: Uint8Array): number {
  return Buffer.compare(one, other)
}

/** Opens a destination, and closes it whatever the body does. */
export async function withDestination<T>(
  options: ResolvedDestinationChecks<T>,
  body: (session: DestinationSession<T>) => Promise<unknown>,
): Promise<DestinationSession<T>> {
  const session = new DestinationSession(await options.create(), options)
  try {
    await body(session)
  } catch (thrown) {
    await session.close().catch(() => {})
    throw thrown
  }
  await session.close()
  await session.expectNoFault()
  return session
}
