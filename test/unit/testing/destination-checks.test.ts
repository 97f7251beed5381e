import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Destination, Settlement } from '../../../src/destination.ts'
import type { Message } from '../../../src/message.ts'
import type { DestinationChecksOptions } from '../../../src/testing/destination-check-options.ts'
import { destinationChecks } from '../../../src/testing/destination-checks.ts'

type Bytes = Uint8Array
type Messages = readonly Message<Bytes>[]
interface Held {
  readonly messages: Messages
  readonly settlement: Settlement
}

/** A far end in memory that can be held. */
class FarEnd {
  values: Bytes[] = []
  #released: Promise<void> | undefined
  #release: () => void = () => {}

  get released(): Promise<void> | undefined {
    return this.#released
  }

  hold(): () => void {
    this.#released = new Promise((resolve) => {
      this.#release = resolve
    })
    return () => {
      this.#released = undefined
      this.#release()
    }
  }

  async write(messages: Messages): Promise<void> {
    if (this.#released !== undefined) await this.#released
    await setTimeout(1)
    this.values.push(...messages.map(({ value }) => value.slice()))
  }
}

/** A sound destination over it: holds up to 1,000 messages back, writes one batch at a time. A faulty one overrides it. */
class SoundDestination implements Destination<Bytes> {
  protected readonly end: FarEnd
  protected held: Held[] = []
  protected writing: Promise<void> | undefined
  #urgent = false
  #closed = false

  constructor(end: FarEnd) {
    this.end = end
  }

  async send(messages: Messages, settlement: Settlement, _signal: AbortSignal): Promise<void> {
    this.held.push({ messages, settlement })
    if (this.#count() < 1_000) return
    await this.#drain()
  }

  flush(): void {
    this.#urgent = true
    void this.#drain()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.writing
  }

  protected async write({ messages, settlement }: Held): Promise<void> {
    await this.end.write(messages)
    settlement.ack()
  }

  async #drain(): Promise<void> {
    this.writing ??= this.#writeAll()
    await this.writing
  }

  async #writeAll(): Promise<void> {
    try {
      while (!this.#closed && this.held.length > 0 && (this.#urgent || this.#count() >= 1_000)) {
        for (const held of this.held.splice(0)) await this.write(held)
      }
    } finally {
      this.#urgent = false
      this.writing = undefined
    }
  }

  #count(): number {
    return this.held.reduce((sum, { messages }) => sum + messages.length, 0)
  }
}

function optionsFor(
  create: (end: FarEnd) => Destination<Bytes>,
  more: Partial<DestinationChecksOptions<Bytes>> = {},
): DestinationChecksOptions<Bytes> {
  let end = new FarEnd()
  return {
    create() {
      end = new FarEnd()
      return create(end)
    },
    received: () => end.values,
    hold: () => end.hold(),
    maxHeld: 3_000,
    maxValueBytes: 10_000,
    ...more,
  }
}

async function failures(options: DestinationChecksOptions<Bytes>, only?: string): Promise<readonly string[]> {
  const failed: string[] = []
  for (const check of destinationChecks(options)) {
    if (only !== undefined && check.name !== only) continue
    try {
      await check.run()
    } catch (error) {
      expect(error).toMatchObject({
        code: 'MR_CONFORMANCE',
        message: expect.stringContaining(`${check.name}: Expected `) as string,
      })
      failed.push(check.name)
    }
  }
  return failed
}

describe('a sound destination passes', () => {
  test('that holds messages back, with a far end that can be held', async () => {
    await expect(failures(optionsFor((end) => new SoundDestination(end)))).resolves.toEqual([])
  })

  test('with send alone, durable at once, of strings, with a far end that answers later', async () => {
    let stored: string[] = []
    const checks = destinationChecks<string>({
      create() {
        stored = []
        return {
          send(messages, settlement) {
            stored.push(...messages.map(({ value }) => value))
            settlement.ack()
          },
        }
      },
      received: async () => stored.map((value) => Buffer.from(value, 'latin1')),
      toValue: (bytes) => Buffer.from(bytes).toString('latin1'),
    })
    for (const check of checks) await check.run()
  })

  test('whose far end knows no order, where that is said', async () => {
    const end = new FarEnd()
    const create = (): Destination<Bytes> => {
      end.values = []
      return {
        async send(messages, settlement) {
          await end.write([...messages].toReversed())
          settlement.ack()
        },
      }
    }
    const options = { create, received: () => end.values }
    await expect(failures({ ...options, ordered: false })).resolves.toEqual([])
    await expect(failures(options)).resolves.toContain('messages arrive once, in order, byte for byte')
  })

  test('each check has a name of its own and runs on its own', async () => {
    const checks = destinationChecks(optionsFor((end) => new SoundDestination(end)))
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length)
    for (const { run } of checks.toReversed()) await run()
  })
})

/** Every fault, and a check that must tell it. */
const faults: readonly (readonly [string, string, (end: FarEnd) => Destination<Bytes>])[] = [
  [
    'acks before it has written',
    'an ack means durable',
    (end) =>
      new (class extends SoundDestination {
        protected override async write({ messages, settlement }: Held) {
          settlement.ack()
          await this.end.write(messages)
        }
      })(end),
  ],
  [
    'acks at once what it holds back, and loses it when closed',
    'close without a flush acks nothing that is not durable, and nothing afterwards',
    (end) =>
      new (class extends SoundDestination {
        override async send(messages: Messages, settlement: Settlement, signal: AbortSignal) {
          settlement.ack()
          await super.send(messages, settlement, signal)
        }
      })(end),
  ],
  [
    'never acks the last message of a send',
    'messages arrive once, in order, byte for byte',
    (end) =>
      new (class extends SoundDestination {
        protected override async write({ messages, settlement }: Held) {
          await this.end.write(messages)
          settlement.ack(0, messages.length - 1)
        }
      })(end),
  ],
  [
    'acks beyond the send',
    'messages arrive once, in order, byte for byte',
    (end) =>
      new (class extends SoundDestination {
        protected override async write({ messages, settlement }: Held) {
          await this.end.write(messages)
          try {
            settlement.ack(0, messages.length + 1)
          } catch {
            settlement.ack()
          }
        }
      })(end),
  ],
  [
    'nacks what it could have written',
    'messages arrive once, in order, byte for byte',
    (end) =>
      new (class extends SoundDestination {
        protected override async write({ messages, settlement }: Held) {
          settlement.nack(new Error('busy'), 0, 1)
          await this.end.write(messages)
          settlement.ack()
        }
      })(end),
  ],
  [
    'writes what it was given twice',
    'messages arrive once, in order, byte for byte',
    (end) =>
      new (class extends SoundDestination {
        protected override async write(held: Held) {
          await this.end.write(held.messages)
          await super.write(held)
        }
      })(end),
  ],
  [
    'writes text',
    'messages arrive once, in order, byte for byte',
    (end) =>
      new (class extends SoundDestination {
        protected override async write({ messages, settlement }: Held) {
          const texts = messages.map((message) => ({
            ...message,
            value: Buffer.from(new TextDecoder().decode(message.value)),
          }))
          await this.end.write(texts)
          settlement.ack()
        }
      })(end),
  ],
  [
    'acks an empty send',
    'an empty send settles nothing',
    (end) =>
      new (class extends SoundDestination {
        override async send(messages: Messages, settlement: Settlement, signal: AbortSignal) {
          if (messages.length === 0) settlement.ack(0, 1)
          else await super.send(messages, settlement, signal)
        }
      })(end),
  ],
  [
    'keeps views of values that are settled',
    'a value is not read after it was settled',
    (end) =>
      new (class extends SoundDestination {
        protected override async write({ messages, settlement }: Held) {
          this.end.values.push(...messages.map(({ value }) => value))
          settlement.ack()
        }
      })(end),
  ],
  [
    'ignores flush',
    'flush hands over what is held back, again and again',
    (end) => Object.assign(new SoundDestination(end), { flush: () => {} }),
  ],
  [
    'flushes once only',
    'flush hands over what is held back, again and again',
    (end) =>
      new (class extends SoundDestination {
        #flushed = false
        override flush() {
          if (!this.#flushed) super.flush()
          this.#flushed = true
        }
      })(end),
  ],
  [
    'writes and acks after it was closed',
    'close without a flush acks nothing that is not durable, and nothing afterwards',
    (end) =>
      new (class extends SoundDestination {
        override async close() {
          void setTimeout(10).then(() => this.flush())
        }
      })(end),
  ],
  [
    'takes without end',
    'send waits while the far end is slow, and everything arrives',
    (end) =>
      new (class extends SoundDestination {
        override async send(messages: Messages, settlement: Settlement, signal: AbortSignal) {
          void super.send(messages, settlement, signal)
        }
      })(end),
  ],
  [
    'rejects what it is sent',
    'messages arrive once, in order, byte for byte',
    (end) =>
      new (class extends SoundDestination {
        override async send() {
          throw new Error('not connected')
        }
      })(end),
  ],
  [
    'has a loop that fails',
    'close resolves when nothing was sent',
    (end) => Object.assign(new SoundDestination(end), { run: () => Promise.reject(new Error('loop')) }),
  ],
  [
    'never closes',
    'close resolves when nothing was sent',
    (end) => Object.assign(new SoundDestination(end), { close: () => new Promise<void>(() => {}) }),
  ],
]

describe('a faulty destination fails', () => {
  test.each(faults)('one that %s', async (_, told, create) => {
    const options = optionsFor(create, { flushMs: 250, timeoutMs: 250 })
    await expect(failures(options, told)).resolves.toEqual([told])
  })
})

test.each<[string, unknown]>([
  ['no options', undefined],
  ['no received', { create: () => ({}) }],
  ['an unknown option', { create: () => ({}), received: () => [], recieved: () => [] }],
  ['a hold that is no function', { create: () => ({}), received: () => [], hold: true }],
])('bad options are refused before any check runs: %s', (_, options) => {
  expect(() => destinationChecks(options as DestinationChecksOptions<Bytes>)).toThrow(
    expect.objectContaining({ code: 'MR_OPTION_INVALID' }) as Error,
  )
})
