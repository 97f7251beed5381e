import { batch, type ProcessorEvent, Processor } from 'millrace'
import { expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import { type Item, itemsOf, ScriptedDestination, ScriptedLane, ScriptedSource } from '../../helpers/scripted-ends.ts'

const slow = new ScriptedLane('slow')

/** One message of the slow lane, then many of another one. */
function slowThenFast(order: Order, count: number): Item<Order>[] {
  const fast = new ScriptedLane('fast')
  return [{ id: 'slow', value: order, lane: slow }, ...itemsOf(count, () => ({ value: {}, lane: fast }))]
}

test('G2: a lane whose message is stuck in its handler holds back no other lane', async () => {
  const source = new ScriptedSource<Order>(slowThenFast({ waitMs: 300 }, 200))
  const destination = new ScriptedDestination<unknown>({ journal: source.journal })
  const options = { source, handler: obey, destination, threads: 2, handlerConcurrency: 2 }
  await new Processor<Order, unknown>(options).run()
  const acked = source.journal.ids('ack')
  expect(acked).toHaveLength(201)
  expect(acked.at(-1)).toBe('slow')
})

test('G2: a lane whose message is stuck in the destination holds back no other lane', async () => {
  const source = new ScriptedSource<Order>(slowThenFast({}, 200))
  const destination = new ScriptedDestination<unknown>({
    journal: source.journal,
    settleMs: ({ id }) => (id === 'slow#0' ? 300 : 1),
  })
  await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1 }).run()
  expect(source.journal.ids('ack').at(-1)).toBe('slow')
})

test('G2: a lane that holds half of the window is paused while there are others, and resumed later', async () => {
  const [left, right] = [new ScriptedLane('left'), new ScriptedLane('right')]
  const items = itemsOf(300, (index) => ({ value: {}, lane: index < 200 ? left : right }))
  // The other lane is known before the first one is full.
  const source = new ScriptedSource<Order>([items[200] as Item<Order>, ...items.slice(0, 200), ...items.slice(201)])
  const events: ProcessorEvent[] = []
  let most = 0
  let inLeft = 0
  const destination = new ScriptedDestination<unknown>({
    journal: source.journal,
    holds: 'firmly',
    onSend: (messages) => {
      inLeft += messages.length
      most = Math.max(most, inLeft)
    },
  })
  const running = new Processor<Order, unknown>({
    source,
    handler: obey,
    destination,
    threads: 1,
    maxInFlight: 40,
    onEvent: (event) => void events.push(event),
  }).run()
  await expect.poll(() => left.isPaused && destination.sends.flat().length === 40).toBe(true)
  expect(left.pauses).toBe(1)
  expect(source.outstanding, 'the other lane has the rest of the window').toBe(40)
  expect(right.pauses, 'and holds half of it').toBe(1)

  const timer = setInterval(() => destination.settle(), 2)
  const summary = await running
  clearInterval(timer)
  expect(summary.acked).toBe(300)
  expect(left.resumes).toBeGreaterThan(1)
  expect(left.resumes).toBe(left.pauses)
  expect(events).toContainEqual({ type: 'paused', reason: 'lane', lane: 'left' })
  expect(events).toContainEqual({ type: 'resumed', reason: 'lane', lane: 'left' })
  expect(source.mostOutstanding).toBeLessThanOrEqual(40)
})

test('G2: a lane without pause may fill the window', async () => {
  const left = { name: 'left', ackMode: 'cumulative' } as const
  const right = { name: 'right', ackMode: 'cumulative' } as const
  const items = itemsOf(121, (index) => ({ value: {}, lane: index === 0 ? right : left }))
  const source = new ScriptedSource<Order>(items)
  const destination = new ScriptedDestination<unknown>({ holds: 'firmly' })
  const running = new Processor<Order, unknown>({
    source,
    handler: obey,
    destination,
    threads: 1,
    maxInFlight: 40,
  }).run()
  await expect.poll(() => destination.ids.length).toBe(40)
  expect(source.outstanding).toBe(40)
  const timer = setInterval(() => destination.settle(), 2)
  expect(await running).toMatchObject({ acked: 121 })
  clearInterval(timer)
})

test('G2, G4: a lane that is alone runs at full speed, and no timer is waited for', async () => {
  const alone = new ScriptedLane('alone')
  const source = new ScriptedSource<Order>(
    itemsOf(201, () => ({ value: {}, lane: alone })),
    { stayOpen: true },
  )
  const destination = batch<unknown>(async () => {}, { count: 1_000, periodMs: 60_000 })
  const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1, maxInFlight: 8 })
  const running = processor.run()
  await expect.poll(() => processor.stats().acked, { timeout: 8_000 }).toBeGreaterThan(190)
  source.end()
  expect(await running).toMatchObject({ acked: 201 })
  expect(alone.resumes).toBe(alone.pauses)
}, 10_000)

test('G2, G7: a lane that cannot be paused ends the run', async () => {
  const [left, right] = [new ScriptedLane('left'), new ScriptedLane('right')]
  left.pause = () => {
    throw new Error('not assigned')
  }
  const source = new ScriptedSource<Order>(itemsOf(40, (index) => ({ value: {}, lane: index === 0 ? right : left })))
  const destination = new ScriptedDestination<unknown>({ holds: 'firmly' })
  const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 0, maxInFlight: 10 })
  await expect(processor.run()).rejects.toMatchObject({ code: 'MR_SOURCE_FAILED', cause: { message: 'not assigned' } })
})
