import { batch, type DeadLetter, memoryDestination, Processor } from 'millrace'
import { expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, ScriptedLane, ScriptedSource } from '../../helpers/scripted-ends.ts'

/** A batch that nothing but a call of `flush()` hands over in time. */
const patient = <T>(): ReturnType<typeof batch<T>> =>
  batch<T>(async () => {}, { count: 1_000_000, bytes: Infinity, periodMs: 60_000 })

test('G4: a window smaller than a batch runs at full speed', async () => {
  const source = new ScriptedSource<Order>(
    itemsOf(3_000, () => ({ value: {} })),
    { batch: 100 },
  )
  const options = { source, handler: obey, destination: patient<unknown>(), threads: 2, maxInFlight: 100 }
  expect(await new Processor<Order, unknown>(options).run()).toMatchObject({ acked: 3_000 })
}, 10_000)

test('G4: a filter that passes one message in a thousand runs at full speed', async () => {
  const source = new ScriptedSource<Order>(
    itemsOf(10_000, (index) => ({ value: { outputs: index % 1_000 === 3 ? 1 : 0 } })),
    { batch: 200 },
  )
  const options = { source, handler: obey, destination: patient<unknown>(), threads: 2, maxInFlight: 500 }
  const summary = await new Processor<Order, unknown>(options).run()
  expect(summary).toMatchObject({ acked: 10_000, delivered: 10, filtered: 9_990 })
}, 10_000)

test('G4: a trickle of dead letters runs at full speed', async () => {
  const source = new ScriptedSource<Order>(
    itemsOf(4_000, (index) => ({ value: index % 400 === 3 ? { failures: 1 } : {} })),
    { batch: 100 },
  )
  const summary = await new Processor<Order, unknown>({
    source,
    handler: obey,
    destination: memoryDestination<unknown>(),
    deadLetter: patient<DeadLetter>(),
    threads: 2,
    maxInFlight: 200,
  }).run()
  expect(summary).toMatchObject({ acked: 4_000, deadLettered: 10 })
}, 10_000)

test('G4: a lane that is paused at half of the window runs at full speed', async () => {
  const [busy, idle] = [new ScriptedLane('busy'), new ScriptedLane('idle')]
  const items = itemsOf(1_000, (index) => ({ value: {}, lane: index === 0 ? idle : busy }))
  const source = new ScriptedSource<Order>(items, { batch: 20, stayOpen: true })
  const options = { source, handler: obey, destination: patient<unknown>(), threads: 2, maxInFlight: 64 }
  const processor = new Processor<Order, unknown>(options)
  const running = processor.run()
  await expect.poll(() => processor.stats().acked, { timeout: 8_000 }).toBeGreaterThan(960)
  expect(busy.pauses).toBeGreaterThan(10)
  source.end()
  expect(await running).toMatchObject({ acked: 1_000 })
}, 10_000)

test('G4, G2: a lane that fills the window is not held back by one whose oldest message is in a handler', async () => {
  const stuck = { name: 'stuck', ackMode: 'cumulative' } as const
  const greedy = { name: 'greedy', ackMode: 'cumulative' } as const
  const source = new ScriptedSource<Order>([
    { id: 'stuck', value: { waitMs: 600 }, lane: stuck },
    ...itemsOf(300, () => ({ value: {}, lane: greedy })),
  ])
  const options = { source, handler: obey, destination: patient<unknown>(), threads: 2, maxInFlight: 20 }
  await new Processor<Order, unknown>({ ...options, handlerConcurrency: 2 }).run()
  expect(source.journal.ids('ack')).toHaveLength(301)
  expect(source.journal.ids('ack').at(-1)).toBe('stuck')
}, 10_000)

test('G4: flush is called only while the window is waited for', async () => {
  const destination = memoryDestination<unknown>()
  const source = new ScriptedSource<Order>(
    itemsOf(500, () => ({ value: {} })),
    { batch: 50, stayOpen: true },
  )
  const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1 })
  const running = processor.run()
  await expect.poll(() => processor.stats().acked).toBe(500)
  expect(destination.flushes).toBe(0)
  source.end()
  await running
  expect(destination.flushes, 'G6: and on the drain').toBeGreaterThan(0)
})
