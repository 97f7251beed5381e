import { type DeadLetter, memoryDestination, Processor, type ProcessorEvent } from 'millrace'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

interface Output {
  readonly attempt: number
}

type Extra = Partial<ConstructorParameters<typeof Processor<Order, Output>>[0]>

/** Runs orders, and returns what came of them. */
async function runOf(orders: readonly Order[], extra: Extra) {
  const source = new ScriptedSource<Order>(orders.map((value) => ({ value })))
  const destination = memoryDestination<Output>()
  const events: ProcessorEvent[] = []
  const onEvent = (event: ProcessorEvent): void => void events.push(event)
  const options = { source, handler: obey, destination, threads: 1, onEvent, ...extra }
  const summary = await new Processor<Order, Output>(options).run()
  return { source, destination, events, summary }
}

describe('attempts', () => {
  test('go on until the handler returns, each after its back-off, and the handler is told its number', async () => {
    const start = performance.now()
    const { destination, events } = await runOf([{ failures: 2 }, {}], { onError: { attempts: 3, backoffMs: 20 } })
    expect(performance.now() - start).toBeGreaterThan(58)
    expect(destination.values.map(({ attempt }) => attempt)).toEqual([3, 1])
    expect(events.filter((event) => event.type === 'retry')).toMatchObject([
      { id: 'm0', stage: 'handle', attempt: 2, delayMs: 20, error: { code: 'MR_HANDLER_THREW' } },
      { id: 'm0', stage: 'handle', attempt: 3, delayMs: 40, error: { code: 'MR_HANDLER_THREW' } },
    ])
  })

  test('that are used up end in the policy, and their number is in the dead letter', async () => {
    const deadLetter = memoryDestination<DeadLetter>()
    const { summary } = await runOf([{ failures: 99 }, {}], { onError: { attempts: 4, backoffMs: 1 }, deadLetter })
    expect(summary).toMatchObject({ deadLettered: 1, delivered: 1 })
    expect(deadLetter.values[0]).toMatchObject({
      attempts: 4,
      stage: 'handle',
      error: {
        name: 'RangeError',
        message: 'attempt 4 fails',
        code: 'E_ORDERED',
        stack: expect.stringMatching(/obey.mjs/) as string,
      },
    })
  })

  test('of others go on during a back-off', async () => {
    const { source, destination } = await runOf(
      [{ failures: 1 }, ...itemsOf(50, () => ({ value: {} })).map(({ value }) => value)],
      {
        onError: { attempts: 2, backoffMs: 100 },
        ordering: 'none',
      },
    )
    expect(destination.messages.at(-1)?.id).toBe('m0#0')
    expect(source.journal.ids('ack')).toEqual(source.journal.ids('recv'))
  })

  test('are one by default', async () => {
    const { events, summary } = await runOf([{ failures: 1 }], { onError: { then: 'drop' } })
    expect(summary.dropped).toBe(1)
    expect(events.filter((event) => event.type === 'retry')).toEqual([])
  })

  test.each([
    ['a worker that ends', { exits: 2 }, { exits: 9 }, 'MR_WORKER_EXIT'],
    ['a time-out', { hangs: 2 }, { hangs: 9 }, 'MR_HANDLER_TIMEOUT'],
  ] as const)('are three after %s, since an innocent may be hit', async (_what, innocent, poison, code) => {
    const deadLetter = memoryDestination<DeadLetter>()
    const { destination, summary } = await runOf([innocent, poison, {}], { deadLetter, handlerTimeoutMs: 150 })
    expect(summary).toMatchObject({ delivered: 2, deadLettered: 1 })
    expect(destination.values.map(({ attempt }) => attempt)).toEqual([3, 1])
    expect(deadLetter.values[0]).toMatchObject({ id: 'm1', attempts: 3, stage: 'handle', error: { code } })
  })
})

test.each([
  [undefined, 0],
  [4, 0],
  [5, 0],
  [6, 1],
  [1, 0],
])('a delivery that came more often than maxDeliveries is not handled (%s)', async (redelivered, refused) => {
  const source = new ScriptedSource<Order>([{ value: {}, ...(redelivered === undefined ? {} : { redelivered }) }])
  const deadLetter = memoryDestination<DeadLetter>()
  const destination = memoryDestination<unknown>()
  const onError = { maxDeliveries: 6 }
  await new Processor<Order, unknown>({ source, handler: obey, destination, deadLetter, onError, threads: 0 }).run()
  expect([destination.messages.length, deadLetter.messages.length]).toEqual([1 - refused, refused])
})

test('a value that cannot cross to a worker gets the policy, unhandled, and its neighbours are handled', async () => {
  const source = new ScriptedSource<unknown>(
    itemsOf(9, (index) => ({ value: index === 4 ? { f: () => {} } : {} })),
    { batch: 9 },
  )
  const deadLetter = memoryDestination<DeadLetter>()
  const destination = new ScriptedDestination<unknown>()
  const options = { source, handler: obey, destination, onError: { then: 'drop' }, threads: 1 } as const
  expect(await new Processor<unknown, unknown>({ ...options, deadLetter }).run()).toMatchObject({
    delivered: 8,
    dropped: 1,
  })
  expect(destination.ids).not.toContain('m4#0')
})

test('G7: a dead letter that is given up is fatal, and its message stays unacked', async () => {
  const source = new ScriptedSource<Order>([{ value: {} }, { value: { failures: 9 } }, { value: {} }])
  const deadLetter = new ScriptedDestination<DeadLetter>({ nack: () => new Error('the disk is full') })
  const destination = memoryDestination<unknown>()
  const options = { source, handler: obey, destination, deadLetter, threads: 1 }
  const error = await expectCode(
    new Processor<Order, unknown>(options).run(),
    'MR_DEAD_LETTER_FAILED',
    /The dead letter of message m1 was not written: the disk is full. The message stays unacked/,
  )
  expect(error.cause).toMatchObject({ message: 'the disk is full' })
  expect(error.summary).toMatchObject({ deadLettered: 0 })
  expect(source.journal.ids('ack')).not.toContain('m1')
  expect(source.journal.ids('ack')).not.toContain('m2')
})

test("'stop' ends the run at the first output that is given up, though others are not settled", async () => {
  const source = new ScriptedSource<Order>([{ value: { outputs: 2 } }], { stayOpen: true })
  const destination = new ScriptedDestination<unknown>({ holds: 'firmly', nack: () => new Error('refused') })
  const running = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 0 }).run()
  await expect.poll(() => destination.ids.length).toBe(2)
  destination.settle('m0#1')
  await expectCode(running, 'MR_MESSAGE_FAILED', /Message m0 failed at the stage 'flush'/)
  expect(source.journal.ids('ack')).toEqual([])
})
