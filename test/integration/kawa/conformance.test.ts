import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable, type Writable } from 'node:stream'
import {
  type Delivery,
  type Destination,
  file,
  lines,
  memoryDestination,
  memorySource,
  printer,
  Processor,
  type Source,
  sourceFrom,
} from 'millrace'
import { pipe } from 'millrace/handler'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import { randomFrom, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

/** What kawa's own tests ask of a processor and of a pair of ends, in our terms. */

test('TestProcessor: 10 messages in, 10 out', async () => {
  const source = memorySource<string>()
  for (let index = 0; index < 10; index++) source.push(`message ${index}`)
  source.end()
  const destination = memoryDestination<string>()
  const summary = await new Processor({ source, handler: pipe, destination, threads: 1 }).run()
  expect(destination.values).toEqual(Array.from({ length: 10 }, (_, index) => `message ${index}`))
  expect(summary).toMatchObject({ received: 10, acked: 10, delivered: 10, emitted: 10 })
  expect(source.acked).toBe(10)
})

/** Longer than the payloads, so that no payload holds it. */
const delimiter = '\r\n--- a delimiter of many bytes ---\r\n'

interface Pair {
  readonly source: Source<Uint8Array>
  readonly destination: Destination<Uint8Array>
  /** What arrived. */
  arrived(): Uint8Array[] | Promise<Uint8Array[]>
}

const split = (bytes: Buffer): Uint8Array[] => {
  const parts: Uint8Array[] = []
  let from = 0
  for (let at = bytes.indexOf(delimiter); at >= 0; at = bytes.indexOf(delimiter, from)) {
    parts.push(bytes.subarray(from, at))
    from = at + delimiter.length
  }
  return parts
}

function collecting(): { stream: Writable; bytes: Promise<Buffer> } {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return { stream, bytes: once(stream, 'end').then(() => Buffer.concat(chunks)) }
}

const pairs: Record<string, (payloads: readonly Uint8Array[]) => Pair> = {
  'memory to memory': (payloads) => {
    const source = memorySource<Uint8Array>()
    for (const payload of payloads) source.push(payload)
    source.end()
    const destination = memoryDestination<Uint8Array>()
    return { source, destination, arrived: () => [...destination.values] }
  },
  'lines of a file to a file': (payloads) => {
    const directory = temporaryDirectory()
    const [input, output] = [join(directory, 'in'), join(directory, 'out')]
    writeFileSync(input, Buffer.concat(payloads.flatMap((payload) => [payload, Buffer.from(delimiter)])))
    const destination = file(output, { delimiter })
    return { source: lines(input, { delimiter }), destination, arrived: () => split(readFileSync(output)) }
  },
  'lines of a stream to a printer': (payloads) => {
    const { stream, bytes } = collecting()
    const input = Readable.from(payloads.flatMap((payload) => [payload, Buffer.from(delimiter)]))
    const destination = printer({ stream, delimiter })
    return { source: lines(input, { delimiter }), destination, arrived: async () => split(await bytes) }
  },
  'memory to a printer': (payloads) => {
    const { stream, bytes } = collecting()
    const source = memorySource<Uint8Array>()
    for (const payload of payloads) source.push(payload)
    source.end()
    return { source, destination: printer({ stream, delimiter }), arrived: async () => split(await bytes) }
  },
}

const hex = (all: readonly Uint8Array[]): string[] => all.map((one) => Buffer.from(one).toString('hex'))

describe.each(Object.keys(pairs))('SuiteTest: %s', (name) => {
  test.each([0, 1, 2])(
    '25 random payloads of 20 bytes, each seen exactly once, and a clean end (threads: %i)',
    async (threads) => {
      const random = randomFrom(threads + 1)
      const payloads = Array.from({ length: 25 }, () => Uint8Array.from({ length: 20 }, () => random() * 256))
      const pair = (pairs[name] as (payloads: readonly Uint8Array[]) => Pair)(payloads)
      const summary = await new Processor({
        source: pair.source,
        destination: pair.destination,
        handler: pipe,
        threads,
      }).run()
      expect(hex(await pair.arrived())).toEqual(hex(payloads))
      expect(summary).toMatchObject({ received: 25, acked: 25, delivered: 25 })
    },
    5_000,
  )
})

describe('SmokeHappyPath, TestWow', () => {
  test('an ack that does nothing, and a source that is a function', async () => {
    let left = 3
    const source = sourceFrom<number>(async () =>
      left === 0 ? undefined : { message: { key: '', topic: '', value: left-- }, ack() {} },
    )
    const destination = memoryDestination<number>()
    await new Processor({ source, handler: pipe, destination, threads: 1 }).run()
    expect(destination.values).toEqual([3, 2, 1])
  })

  test('a source that is a class of the user, with state of its own', async () => {
    class Countdown implements Source<{ n: number }> {
      #n = 3
      async recv(): Promise<Delivery<{ n: number }> | undefined> {
        if (this.#n === 0) return undefined
        const message = { key: `${this.#n}`, topic: 'countdown', value: { n: this.#n-- } }
        return { message, ack: () => undefined }
      }
    }
    const destination = memoryDestination<{ n: number }>()
    await new Processor({ source: new Countdown(), handler: pipe, destination, threads: 1 }).run()
    expect(destination.values).toEqual([{ n: 3 }, { n: 2 }, { n: 1 }])
  })
})

describe('TestPrinter: the bytes written are the values, each with its delimiter, and each message is acked once', () => {
  test.each([
    ['one message', ['one'], '\n', 'one\n'],
    ['several', ['one', 'two', 'three'], '\n', 'one\ntwo\nthree\n'],
    ['a delimiter of one byte', ['one', 'two'], ';', 'one;two;'],
    ['a delimiter of several bytes', ['one', 'two'], ', and ', 'one, and two, and '],
    ['no delimiter', ['one', 'two'], '', 'onetwo'],
    ['an empty value', ['', 'two'], '\n', '\ntwo\n'],
  ])('%s', async (_what, values, ending, expected) => {
    const { stream, bytes } = collecting()
    const source = memorySource<string>({ log: true })
    for (const value of values) source.push(value)
    source.end()
    await new Processor({
      source,
      handler: pipe,
      destination: printer({ stream, delimiter: ending }),
      threads: 1,
    }).run()
    expect((await bytes).toString()).toBe(expected)
    expect(
      source.settlements.map(({ message, outcome, repeated }) => [message.value, outcome.status, repeated]),
    ).toEqual(values.map((value) => [value, 'acked', false]))
  })
})

test('TestAckChu: of a message with N outputs the ack fires once, on the N-th', async () => {
  const acks: number[] = []
  let settled = 0
  const source = new ScriptedSource<Order>([{ value: { outputs: 4 } }], { onAck: () => void acks.push(settled) })
  const destination = new ScriptedDestination<unknown>({
    settleMs: ({ id }) => {
      const delay = 5 * (1 + Number(id?.slice(3)))
      setTimeout(() => settled++, delay)
      return delay
    },
  })
  await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 0 }).run()
  expect(acks).toEqual([4])
})
