import { describe, expect, test } from 'vitest'
import type { Delivery, Lane, Source } from '../../../src/source.ts'
import { sourceChecks } from '../../../src/testing/source-checks.ts'
import type { SourceChecksOptions } from '../../../src/testing/source-check-options.ts'

type Bytes = Uint8Array

/** A far end in memory: what is not acked comes again when it is opened again. */
class FarEnd {
  values: readonly Bytes[] = []
  acked = new Set<number>()
  taken = 0

  fill(values: readonly Bytes[]): void {
    this.values = values.map((value) => value.slice())
    this.acked = new Set()
    this.taken = 0
  }
}

/** A sound source over it; a faulty one overrides what it gets wrong. */
class SoundSource implements Source<Bytes> {
  readonly ackMode: 'cumulative' | 'individual' = 'individual'
  readonly end: FarEnd
  protected queue: number[]
  #again: number[] = []

  constructor(end: FarEnd) {
    this.end = end
    this.queue = [...end.values.keys()].filter((index) => !end.acked.has(index))
  }

  async recv(_signal: AbortSignal): Promise<Delivery<Bytes> | undefined> {
    const index = this.#again.shift() ?? this.queue.shift()
    return index === undefined ? undefined : this.deliver(index)
  }

  async recvBatch(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<Bytes>[]> {
    const batch: Delivery<Bytes>[] = []
    for (let bytes = 0; batch.length < max && bytes < maxBytes;) {
      const delivery = await this.recv(signal)
      if (delivery === undefined) break
      batch.push(delivery)
      bytes += delivery.message.value.byteLength
    }
    return batch
  }

  async ackBatch(deliveries: readonly Delivery<Bytes>[]): Promise<void> {
    for (const delivery of deliveries) await delivery.ack()
  }

  async close(): Promise<void> {}

  protected deliver(index: number): Delivery<Bytes> {
    this.end.taken++
    return {
      message: {
        id: `far:${index}`,
        key: '',
        topic: 'far',
        value: (this.end.values[index] ?? new Uint8Array()).slice(),
      },
      ack: () => void this.end.acked.add(index),
      nack: () => void this.#again.push(index),
    }
  }
}

function optionsFor(
  open: (end: FarEnd) => Source<Bytes>,
  more: Partial<SourceChecksOptions<Bytes>> = {},
): SourceChecksOptions<Bytes> {
  const end = new FarEnd()
  return {
    create(values) {
      end.fill(values)
      return open(end)
    },
    reopen: () => open(end),
    taken: () => end.taken,
    nackRedelivers: true,
    maxValueBytes: 10_000,
    timeoutMs: 300,
    ...more,
  }
}

/** The names of the checks that fail, each with an MR_CONFORMANCE; of all checks, or of the one with this name. */
async function failures(options: SourceChecksOptions<Bytes>, only?: string): Promise<readonly string[]> {
  const failed: string[] = []
  for (const check of sourceChecks(options)) {
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

function bareSource(end: FarEnd): Source<Bytes> {
  const source = new SoundSource(end)
  return { recv: (signal) => source.recv(signal) }
}

function endlessSource(end: FarEnd): Source<Bytes> {
  return new (class extends SoundSource {
    override async recv(signal: AbortSignal) {
      return (await super.recv(signal)) ?? this.deliver(0)
    }
  })(end)
}

describe('a sound source passes', () => {
  test('with everything that a source may have', async () => {
    await expect(failures(optionsFor((end) => new SoundSource(end)))).resolves.toEqual([])
  })

  test('with recv alone, and cumulative acks', async () => {
    await expect(failures(optionsFor(bareSource))).resolves.toEqual([])
  })

  test('with two lanes, that waits instead of ending, and yields values of its own type', async () => {
    const end = new FarEnd()
    const lanes: readonly Lane[] = [
      { name: 'even', ackMode: 'individual' },
      { name: 'odd', ackMode: 'individual' },
    ]
    const open = (): Source<{ readonly body: Bytes }> => {
      const inner = new SoundSource(end)
      return {
        async recv(signal) {
          const delivery = await inner.recv(signal)
          if (delivery === undefined) {
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            return undefined
          }
          const { message } = delivery
          const lane = lanes[Number(message.id?.slice(4)) % 2]
          return {
            message: { ...message, value: { body: message.value } },
            ack: () => delivery.ack(),
            ...(lane && { lane }),
          }
        },
      }
    }
    const checks = sourceChecks({
      create(values) {
        end.fill(values)
        return open()
      },
      reopen: open,
      toBytes: (value) => value.body,
      ends: false,
      timeoutMs: 300,
    })
    for (const check of checks) await check.run()
  })

  test('each check has a name of its own and runs on its own', async () => {
    const checks = sourceChecks(optionsFor((end) => new SoundSource(end)))
    expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length)
    for (const { run } of checks.toReversed()) await run()
  })
})

/** Every fault, and a check that must tell it. */
const faults: readonly (readonly [string, string, (end: FarEnd) => Source<Bytes>])[] = [
  [
    'loses a message',
    'recv yields every message once, in order, byte for byte',
    (end) =>
      new (class extends SoundSource {
        override async recv(signal: AbortSignal) {
          if (this.queue[0] === 3) this.queue.shift()
          return super.recv(signal)
        }
      })(end),
  ],
  [
    'yields a message twice',
    'recv yields every message once, in order, byte for byte',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          if (index === 3 && this.end.taken === 3) this.queue.unshift(3)
          return super.deliver(index)
        }
      })(end),
  ],
  [
    'yields the last message again at the end',
    'the end is told again and again',
    (end) =>
      new (class extends SoundSource {
        #ends = 0
        override async recv(signal: AbortSignal) {
          const delivery = await super.recv(signal)
          if (delivery === undefined && ++this.#ends === 2) return this.deliver(0)
          return delivery
        }
      })(end),
  ],
  [
    'swaps two messages',
    'recv waits for no ack',
    (end) =>
      new (class extends SoundSource {
        override async recv(signal: AbortSignal) {
          if (this.queue[0] === 4) this.queue.splice(0, 2, 5, 4)
          return super.recv(signal)
        }
      })(end),
  ],
  [
    'decodes bytes as UTF-8',
    'recv yields every message once, in order, byte for byte',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          const delivery = super.deliver(index)
          const value = Buffer.from(new TextDecoder().decode(delivery.message.value))
          return { ...delivery, message: { ...delivery.message, value } }
        }
      })(end),
  ],
  [
    'reuses one buffer for all values',
    'values stay as they are while later ones are read',
    (end) => {
      const shared = new Uint8Array(20_000)
      return new (class extends SoundSource {
        protected override deliver(index: number) {
          const delivery = super.deliver(index)
          shared.set(delivery.message.value)
          const value = shared.subarray(0, delivery.message.value.byteLength)
          return { ...delivery, message: { ...delivery.message, value } }
        }
      })(end)
    },
  ],
  [
    'waits for acks before it yields more',
    'recv waits for no ack',
    (end) =>
      new (class extends SoundSource {
        override async recv(signal: AbortSignal) {
          if (this.end.taken - this.end.acked.size > 1_000) return new Promise<undefined>(() => {})
          return super.recv(signal)
        }
      })(end),
  ],
  [
    'ignores `max`',
    'recvBatch yields every message once, in order, at most `max` at a time',
    (end) =>
      new (class extends SoundSource {
        override async recvBatch(_max: number, maxBytes: number, signal: AbortSignal) {
          return super.recvBatch(200, maxBytes, signal)
        }
      })(end),
  ],
  [
    'ignores `maxBytes`',
    'recvBatch passes `maxBytes` by one message at most',
    (end) =>
      new (class extends SoundSource {
        override async recvBatch(max: number, _maxBytes: number, signal: AbortSignal) {
          return super.recvBatch(max, Infinity, signal)
        }
      })(end),
  ],
  [
    'reads batches from an order of their own',
    'recv and recvBatch take from the same order',
    (end) => {
      const batches = new SoundSource(end)
      const source = new SoundSource(end)
      return {
        recv: (signal) => source.recv(signal),
        recvBatch: (max, maxBytes, signal) => batches.recvBatch(max, maxBytes, signal),
      }
    },
  ],
  [
    'rejects at the end',
    'an empty far end is the end at once, and no error',
    (end) =>
      new (class extends SoundSource {
        override async recv(signal: AbortSignal) {
          const delivery = await super.recv(signal)
          if (delivery === undefined) throw new Error('EOF')
          return delivery
        }
      })(end),
  ],
  [
    'leaves the key out',
    'a message has a key, a topic and sound headers, and ids differ',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          const delivery = super.deliver(index)
          return { ...delivery, message: { ...delivery.message, key: undefined as unknown as string } }
        }
      })(end),
  ],
  [
    'gives all messages one id',
    'a message has a key, a topic and sound headers, and ids differ',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          const delivery = super.deliver(index)
          return { ...delivery, message: { ...delivery.message, id: 'same' } }
        }
      })(end),
  ],
  [
    'makes a new lane for each message',
    'lanes of one name are one object, and each says how it is acked',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          return { ...super.deliver(index), lane: { name: 'one', ackMode: 'individual' as const } }
        }
      })(end),
  ],
  [
    'cuts large values',
    'the largest value comes whole',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          const delivery = super.deliver(index)
          return { ...delivery, message: { ...delivery.message, value: delivery.message.value.subarray(0, 8_192) } }
        }
      })(end),
  ],
  [
    'reads everything ahead',
    'nothing is taken far ahead of recv',
    (end) =>
      new (class extends SoundSource {
        override async recv(signal: AbortSignal) {
          this.end.taken += 10_000
          return super.recv(signal)
        }
      })(end),
  ],
  [
    'acks what it has read',
    'nothing is acked by being received',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          this.end.acked.add(index)
          return super.deliver(index)
        }
      })(end),
  ],
  [
    'forgets acks',
    'what is not acked comes again, and nothing else',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          return { ...super.deliver(index), ack: () => {} }
        }
      })(end),
  ],
  [
    'moves on at each ack, whichever it is',
    'a delivery that is settled twice settles no other',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          return { ...super.deliver(index), ack: () => void this.end.acked.add(this.end.acked.size) }
        }
      })(end),
  ],
  [
    'acks what comes before an individual ack',
    'an individual ack acks its own message alone',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          const ack = (): void => {
            for (let before = 0; before <= index; before++) this.end.acked.add(before)
          }
          return { ...super.deliver(index), ack }
        }
      })(end),
  ],
  [
    'acks only the first of a run',
    'ackBatch acks each of its deliveries, and no other',
    (end) =>
      new (class extends SoundSource {
        override async ackBatch([first]: readonly Delivery<Bytes>[]) {
          await first?.ack()
        }
      })(end),
  ],
  [
    'names messages by when they were read',
    'a message has the same id when it comes again',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          const delivery = super.deliver(index)
          return { ...delivery, message: { ...delivery.message, id: `read:${this.end.taken}` } }
        }
      })(end),
  ],
  [
    'drops what is nacked',
    'a nack settles its message alone',
    (end) =>
      new (class extends SoundSource {
        protected override deliver(index: number) {
          return { ...super.deliver(index), nack: () => {} }
        }
      })(end),
  ],
  [
    'rejects acks after an abort',
    'what was delivered before an abort can still be acked',
    (end) =>
      new (class extends SoundSource {
        override async recv(signal: AbortSignal) {
          const delivery = await super.recv(signal)
          if (delivery === undefined) return undefined
          return {
            ...delivery,
            async ack() {
              signal.throwIfAborted()
              await delivery.ack()
            },
          }
        }
      })(end),
  ],
  [
    'hangs when it is read after an abort',
    'a recv whose signal had aborted before does not hang',
    (end) =>
      new (class extends SoundSource {
        override async recv(signal: AbortSignal) {
          if (signal.aborted) return new Promise<undefined>(() => {})
          return super.recv(signal)
        }
      })(end),
  ],
  [
    'never closes while something is unacked',
    'close resolves while messages are not acked',
    (end) =>
      new (class extends SoundSource {
        override async close() {
          if (this.end.acked.size < this.end.taken) await new Promise(() => {})
        }
      })(end),
  ],
  [
    'has a loop that ignores its signal',
    'close resolves before the first recv',
    (end) => Object.assign(new SoundSource(end), { run: () => new Promise<void>(() => {}) }),
  ],
]

describe('a faulty source fails', () => {
  test.each(faults)('one that %s', async (_, told, open) => {
    await expect(failures(optionsFor(open), told)).resolves.toEqual([told])
  })

  test('one that yields more than there is where it should wait', async () => {
    const told = 'recv yields every message once, in order, byte for byte'
    await expect(failures(optionsFor(endlessSource, { ends: false }), told)).resolves.toEqual([told])
  })
})

test.each<[string, unknown]>([
  ['no options', undefined],
  ['no create', {}],
  ['an unknown option', { create: () => ({}), reopn: () => ({}) }],
  ['a kind of values that is none', { create: () => ({}), values: 'lines' }],
  ['a time that is none', { create: () => ({}), timeoutMs: -1 }],
])('bad options are refused before any check runs: %s', (_, options) => {
  expect(() => sourceChecks(options as SourceChecksOptions<Bytes>)).toThrow(
    expect.objectContaining({ code: 'MR_OPTION_INVALID' }) as Error,
  )
})
