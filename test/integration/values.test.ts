import { readFile } from 'node:fs/promises'
import { destinationFrom, handlerModule, iterable, Processor } from 'millrace'
import type { DeadLetter, HandlerRef, ProcessorEvent, Summary } from 'millrace'
import { describe, expect, it } from 'vitest'
import { crossing, look, refused, type Which } from '../fixtures/values/values.mjs'

const module = new URL('../fixtures/values/values.mjs', import.meta.url)
type Handlers = typeof import('../fixtures/values/values.mjs')
const receive = handlerModule<Handlers, 'receive'>(module, undefined, 'receive')
const make = handlerModule<Handlers, 'make'>(module, undefined, 'make')

/** A value of the tables, by its place in them. */
type Case = Which & { readonly make: () => unknown; readonly arrives?: () => unknown }

const good: readonly Case[] = Object.entries(crossing).flatMap(([row, cases]) =>
  cases.map(([make, arrives], index) => ({ table: 'crossing', row, index, make, arrives })),
)
const bad: readonly Case[] = Object.entries(refused).flatMap(([row, cases]) =>
  cases.map((make, index) => ({ table: 'refused', row, index, make })),
)
/** Refused values between good ones, so that what they cost would show. */
const all = [...good, ...bad].toSorted((a, b) => a.index - b.index)

interface Result {
  readonly summary: Summary
  /** What arrived, by the number of the message. */
  readonly arrived: ReadonlyMap<number, string>
  readonly letters: ReadonlyMap<number, DeadLetter>
  readonly events: readonly ProcessorEvent[]
}

function numberOf(id: string | undefined): number {
  return Number(/\d+/u.exec(id ?? '')?.[0])
}

async function run<In, Out>(
  values: readonly In[],
  handler: HandlerRef<In, Out>,
  threads: number,
  see: (value: Out) => string,
): Promise<Result> {
  const arrived = new Map<number, string>()
  const letters = new Map<number, DeadLetter>()
  const events: ProcessorEvent[] = []
  const processor = new Processor({
    source: iterable(values),
    handler,
    threads,
    destination: destinationFrom<Out>((messages, settlement) => {
      // What is seen is what is there before the settlement: bytes are views (G10).
      for (const { id, value } of messages) arrived.set(numberOf(id), see(value))
      settlement.ack()
    }),
    deadLetter: destinationFrom<DeadLetter>((messages, settlement) => {
      for (const { id, value } of messages) letters.set(numberOf(id), value)
      settlement.ack()
    }),
    onEvent: (event) => events.push(event),
  })
  return { summary: await processor.run(), arrived, letters, events }
}

/** The two ways that a value crosses, each with what a good one looks like at its end. */
const ways: [way: string, cross: (cases: readonly Case[], threads: number) => Promise<Result>][] = [
  [
    'from the source to the handler',
    (cases, threads) =>
      run(
        cases.map((one) => one.make()),
        receive,
        threads,
        String,
      ),
  ],
  [
    'from the handler to the destination',
    (cases, threads) => {
      const which = cases.map(({ table, row, index }) => ({ table, row, index }))
      return run(which, make, threads, look)
    },
  ],
]

describe.each([0, 2])('with %i threads', (threads) => {
  describe.each(ways)('%s', (_, cross) => {
    const result = cross(all, threads)

    it('costs the refused messages, and nothing else: no worker ends', async () => {
      const { summary, events } = await result
      expect(summary).toMatchObject({ received: all.length, delivered: good.length, deadLettered: bad.length })
      expect(events.filter(({ type }) => type === 'restart')).toEqual([])
    })

    it.each(Object.keys(crossing))('crosses: %s', async (row) => {
      const { arrived, letters } = await result
      for (const [number, one] of all.entries()) {
        if (one.row !== row) continue
        expect(letters.get(number)?.error.message).toBeUndefined()
        expect(arrived.get(number)).toBe(look(one.arrives?.()))
      }
    })

    it.each(Object.keys(refused))('G5: is refused: %s', async (row) => {
      const { arrived, letters } = await result
      for (const [number, one] of all.entries()) {
        if (one.row !== row) continue
        expect(arrived.get(number), `value ${one.index} of "${row}"`).toBeUndefined()
        expect(letters.get(number)).toMatchObject({ stage: 'encode' })
      }
    })
  })
})

it('a refused value has the code MR_VALUE_UNSUPPORTED, and its error says what and where', async () => {
  const processor = new Processor({
    source: iterable([{ deep: [{ callback: () => {} }] }]),
    handler: receive,
    threads: 0,
    destination: destinationFrom<string>((_, settlement) => settlement.ack()),
  })
  const error = await processor.run().catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'MR_MESSAGE_FAILED', cause: { code: 'MR_VALUE_UNSUPPORTED' } })
  expect((error as Error).cause).toHaveProperty('message', expect.stringMatching(/"callback" is a function/u))
  expect((error as Error).cause).toHaveProperty('message', expect.stringContaining('docs/values.md'))
})

it('docs/values.md has exactly the rows that are tested here', async () => {
  const text = await readFile(new URL('../../docs/values.md', import.meta.url), 'utf8')
  const rowsOf = (title: string): string[] => {
    const [, section = ''] = text.split(`## ${title}`)
    const [table = ''] = section.split('\n## ')
    const rows = [...table.matchAll(/^\| (?<value>.+?) \| .+ \|$/gmu)].map(({ groups }) => groups?.['value'] ?? '')
    return rows.filter((row) => row !== 'value')
  }
  expect(rowsOf('What crosses')).toEqual(Object.keys(crossing))
  expect(rowsOf('What is refused')).toEqual(Object.keys(refused))
})
