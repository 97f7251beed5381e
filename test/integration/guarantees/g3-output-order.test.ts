import { batch, Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, randomFrom, ScriptedDestination, ScriptedLane, ScriptedSource } from '../../helpers/scripted-ends.ts'

const ofMessage = (id: string): string => id.split('#')[0] as string
const outputsOf = (id: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${id}#${index}`)

describe("G3: ordering 'source'", () => {
  test.each([21, 22])('sends in source order, whatever handlers take, with retries between (%i)', async (seed) => {
    const random = randomFrom(seed)
    const orders = itemsOf(400, () => ({
      value: {
        outputs: Math.floor(random() * 4),
        waitMs: random() < 0.1 ? Math.ceil(random() * 6) : 0,
        failures: random() < 0.05 ? 1 : 0,
      },
    }))
    const source = new ScriptedSource<Order>(orders, { batch: 30 })
    const destination = new ScriptedDestination<unknown>({ settleMs: () => Math.floor(random() * 5) })
    await new Processor<Order, unknown>({
      source,
      handler: obey,
      destination,
      threads: 2,
      handlerConcurrency: 3,
      onError: { attempts: 2, backoffMs: 3 },
    }).run()
    expect(destination.ids).toEqual(orders.flatMap(({ value }, index) => outputsOf(`m${index}`, value.outputs)))
  })

  test('sends in source order per lane, and lanes overtake each other', async () => {
    const random = randomFrom(23)
    const lanes = ['a', 'b', 'c'].map((name) => new ScriptedLane(name))
    const items = itemsOf(300, (index) => ({
      id: `${['a', 'b', 'c'][index % 3]}:${index}`,
      value: { waitMs: random() < 0.1 ? 5 : 0, outputs: 1 + (index % 2) },
      lane: lanes[index % 3] as ScriptedLane,
    }))
    const source = new ScriptedSource<Order>(items, { batch: 30 })
    const destination = new ScriptedDestination<unknown>()
    await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2, handlerConcurrency: 3 }).run()
    const all = items.flatMap(({ id = '', value }) => outputsOf(id, value.outputs))
    for (const name of ['a', 'b', 'c']) {
      const mine = (ids: readonly string[]): string[] => ids.filter((id) => id.startsWith(name))
      expect(mine(destination.ids)).toEqual(mine(all))
    }
    expect(destination.ids).not.toEqual(all)
  })

  test('is kept to the far end by a batch with one flush at a time, which a retry holds back', async () => {
    const random = randomFrom(24)
    const written: string[] = []
    let failures = 0
    const destination = batch<unknown>(
      async (messages) => {
        if (random() < 0.2) {
          failures++
          throw new Error('busy')
        }
        written.push(...messages.map(({ id }) => id ?? ''))
      },
      { count: 9, retry: { attempts: Infinity, backoffMs: 3 } },
    )
    const source = new ScriptedSource<Order>(
      itemsOf(300, () => ({ value: {} })),
      { batch: 40 },
    )
    await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2 }).run()
    expect(written).toEqual(written.map((_, index) => `m${index}#0`))
    expect(written).toHaveLength(300)
    expect(failures).toBeGreaterThan(0)
  })
})

test("G3: ordering 'none' sends what is finished, and does not wait for what is not", async () => {
  const source = new ScriptedSource<Order>(
    itemsOf(100, (index) => ({ value: { waitMs: index === 0 ? 200 : 0, outputs: 2 } })),
    { batch: 5 },
  )
  const destination = new ScriptedDestination<unknown>()
  const options = { source, handler: obey, destination, ordering: 'none', threads: 2, handlerConcurrency: 2 } as const
  await new Processor<Order, unknown>(options).run()
  expect(destination.ids.toSorted()).toEqual(
    itemsOf(100, (index) => ({ value: outputsOf(`m${index}`, 2) }))
      .flatMap(({ value }) => value)
      .toSorted(),
  )
  expect(destination.ids.slice(-2)).toEqual(['m0#0', 'm0#1'])
  expect(source.journal.ids('ack'), 'G2: acks are in order all the same').toEqual(source.journal.ids('recv'))
})

test.each(['source', 'none'] as const)(
  "G3: send gets whole source messages, at most a chunk, never two at once ('%s')",
  async (ordering) => {
    const random = randomFrom(25)
    const counts = Array.from({ length: 300 }, () => Math.floor(random() * 40))
    const source = new ScriptedSource<Order>(
      counts.map((outputs) => ({ value: { outputs, bytes: outputs === 39 ? 30_000 : 10 } })),
      { batch: 100 },
    )
    const destination = new ScriptedDestination<Uint8Array>({
      onSend: () => new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 4))),
    })
    const options = { source, handler: obey, destination, ordering, threads: 2 }
    await new Processor<Order, Uint8Array>(options).run()

    expect(destination.violations).toEqual([])
    const seen = new Set<string>()
    let at = 0
    for (const ids of destination.sends) {
      const messages = new Set(ids.map(ofMessage))
      for (const id of messages) {
        expect(seen, 'all outputs of a message are in one send').not.toContain(id)
        seen.add(id)
        expect(ids.filter((output) => ofMessage(output) === id)).toEqual(
          outputsOf(id, counts[Number(id.slice(1))] as number),
        )
      }
      expect(ids.length).toBeLessThanOrEqual(1_000)
      const bytes = destination.messages.slice(at, at + ids.length).map(({ value }) => value.length)
      at += ids.length
      const beforeLast = bytes.slice(0, -40).reduce((sum, length) => sum + length, 0)
      expect(beforeLast).toBeLessThanOrEqual(1024 * 1024)
    }
    expect(seen.size).toBe(counts.filter((count) => count > 0).length)
  },
)
