import { Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import {
  itemsOf,
  Journal,
  randomFrom,
  ScriptedDestination,
  ScriptedLane,
  ScriptedSource,
} from '../../helpers/scripted-ends.ts'

/** Of each lane: the ids in the order in which they were received, and in which they were settled. */
function byLane(journal: Journal, laneOf: (id: string) => number): Map<number, { recv: string[]; settled: string[] }> {
  const lanes = new Map<number, { recv: string[]; settled: string[] }>()
  for (const { what, id } of journal.entries) {
    if (what !== 'recv' && what !== 'ack' && what !== 'nack') continue
    const lane = lanes.get(laneOf(id)) ?? { recv: [], settled: [] }
    lanes.set(laneOf(id), lane)
    if (what === 'recv') lane.recv.push(id)
    else lane.settled.push(id)
  }
  return lanes
}

describe.each(['cumulative', 'individual'] as const)('G2: a source with %s acks', (ackMode) => {
  test.each([11, 12])(
    'is acked in the order of recv, each message once, however workers and flushes overlap (%i)',
    async (seed) => {
      const random = randomFrom(seed)
      const items = itemsOf(400, () => ({
        value: { waitMs: random() < 0.1 ? Math.ceil(random() * 8) : 0, outputs: Math.floor(random() * 3) },
      }))
      const source = new ScriptedSource<Order>(items, { ackMode, batch: 25 })
      const destination = new ScriptedDestination<unknown>({
        journal: source.journal,
        settleMs: () => Math.floor(random() * 10),
      })
      const ordering = seed === 11 ? 'source' : 'none'
      const options = { source, handler: obey, destination, ordering, threads: 2, handlerConcurrency: 4 } as const
      await new Processor<Order, unknown>(options).run()

      const acked = source.journal.ids('ack')
      expect(acked).toEqual(source.journal.ids('recv'))
      expect(new Set(acked).size).toBe(400)
    },
  )

  test('has several lanes, each acked in its own order', async () => {
    const random = randomFrom(13)
    const lanes = Array.from({ length: 5 }, (_, index) => new ScriptedLane(`lane ${index}`, ackMode))
    const laneOf = new Map<string, number>()
    const items = itemsOf(500, (index) => {
      const at = Math.floor(random() * lanes.length)
      laneOf.set(`m${index}`, at)
      const lane = lanes[at] as ScriptedLane
      return { value: { waitMs: random() < 0.05 ? 4 : 0, outputs: Math.floor(random() * 3) }, lane }
    })
    const source = new ScriptedSource<Order>(items, { batch: 40 })
    const destination = new ScriptedDestination<unknown>({
      journal: source.journal,
      settleMs: () => Math.floor(random() * 10),
    })
    await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2, handlerConcurrency: 3 }).run()

    const found = byLane(source.journal, (id) => laneOf.get(id) ?? NaN)
    expect(found.size).toBe(5)
    for (const { recv, settled } of found.values()) expect(settled).toEqual(recv)
    const all = source.journal.ids('ack')
    expect(all, 'the lanes overlap').not.toEqual(source.journal.ids('recv'))
  })
})

test('G2: the watermark never passes a message that is not settled', async () => {
  const random = randomFrom(14)
  const settled = new Set<string>()
  let watermark = -1
  const journal = new Journal()
  const source = new ScriptedSource<Order>(
    itemsOf(300, () => ({ value: {} })),
    {
      journal,
      batch: 30,
      ackBatch: (ids) => {
        watermark = Number(ids.at(-1)?.slice(1))
        for (let index = 0; index <= watermark; index++) expect(settled).toContain(`m${index}#0`)
      },
    },
  )
  const destination = new ScriptedDestination<unknown>({
    settleMs: (message) => {
      const delay = 1 + Math.floor(random() * 12)
      setTimeout(() => settled.add(message.id ?? ''), delay)
      return delay
    },
  })
  await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2 }).run()
  expect(watermark).toBe(299)
})

test('G2: an ack during which another message is settled does not change the order of the acks', async () => {
  const destination = new ScriptedDestination<unknown>({ holds: true })
  const source = new ScriptedSource<Order>(
    itemsOf(4, () => ({ value: {} })),
    { stayOpen: true, onAck: (id) => void (id === 'm0' && destination.settle('m2#0', 'm3#0')) },
  )
  const running = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 0 }).run()
  await expect.poll(() => destination.ids.length).toBe(4)
  // m0 and m1 are released together.
  destination.settle('m1#0', 'm0#0')
  source.end()
  await running
  expect(source.journal.ids('ack')).toEqual(['m0', 'm1', 'm2', 'm3'])
})
