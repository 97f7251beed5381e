import { setTimeout as sleep } from 'node:timers/promises'
import {
  batch,
  type DeadLetter,
  type Destination,
  memoryDestination,
  Processor,
  type ProcessorEvent,
  type Settlement,
  tee,
} from 'millrace'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

const plain = (count: number): { value: Order }[] => itemsOf(count, () => ({ value: {} }))

/** A run of some messages into this destination, and its source. */
function runOf(destination: Destination<unknown>, items: { value: Order }[] = plain(5)) {
  const source = new ScriptedSource<Order>(items, { stayOpen: true })
  return { source, running: new Processor<Order, unknown>({ source, handler: obey, destination, threads: 0 }).run() }
}

describe('G7: a send that fails is fatal, and leaves the unsettled unacked', () => {
  const fails: Record<string, () => Promise<void>> = {
    throws: () => {
      throw new Error('no route')
    },
    rejects: () => Promise.reject(new Error('no route')),
    'rejects late': () => sleep(20).then(() => Promise.reject(new Error('no route'))),
  }
  test.each(Object.keys(fails))('when it %s', async (how) => {
    let sends = 0
    const { source, running } = runOf({
      send(messages, settlement) {
        sends++
        if (messages.some(({ id }) => id === 'm2#0')) return fails[how]?.()
        return settlement.ack()
      },
    })
    const error = await expectCode(running, 'MR_SEND_FAILED', /^The destination failed: no route/)
    expect(error.cause).toMatchObject({ message: 'no route' })
    expect(error.summary).toMatchObject({ nacked: 0 })
    expect(source.journal.ids('ack')).toEqual(['m0', 'm1'].slice(0, source.journal.ids('ack').length))
    expect(sends, 'nothing is sent behind it').toBeLessThanOrEqual(3)
  })

  test('in the dead-letter destination', async () => {
    const source = new ScriptedSource<Order>([{ value: { failures: 9 } }], { stayOpen: true })
    const deadLetter: Destination<DeadLetter> = { send: fails['throws'] as () => Promise<void> }
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), deadLetter, threads: 0 }
    await expectCode(
      new Processor<Order, unknown>(options).run(),
      'MR_SEND_FAILED',
      /^The dead-letter destination failed: no route/,
    )
    expect(source.journal.ids('ack')).toEqual([])
  })
})

test('G7: after a fatal error of the destination nothing more is flushed', async () => {
  let calls = 0
  const failing = batch<unknown>(
    async () => {
      calls++
      await sleep(30)
      throw new Error('the disk is gone')
    },
    { count: 2, retry: { attempts: 1 } },
  )
  let others = 0
  const other = batch<unknown>(async () => void others++, { count: 1_000, periodMs: 60_000 })
  const { source, running } = runOf(tee(failing, other), plain(10))
  await expectCode(running, 'MR_FLUSH_FAILED', /the disk is gone/)
  expect([calls, others]).toEqual([1, 0])
  expect(source.journal.ids('ack')).toEqual([])
})

test('G7: nothing is flushed by a send that ends after a fatal error', async () => {
  const sent: (() => void)[] = []
  const destination = new ScriptedDestination<unknown>({
    holds: 'firmly',
    onSend: () => new Promise((resolve) => sent.push(resolve)),
  })
  const letters = new ScriptedDestination<DeadLetter>({ holds: 'firmly', nack: () => new Error('full') })
  const source = new ScriptedSource<Order>([{ value: {} }, { value: { failures: 9 } }])
  let flushes = -1
  const onEvent = (event: ProcessorEvent): void => {
    if (event.type !== 'draining' || event.reason !== 'failed') return
    flushes = destination.flushes
    for (const resolve of sent) resolve()
  }
  const options = { source, handler: obey, destination, deadLetter: letters, onEvent, threads: 0 }
  const running = new Processor<Order, unknown>(options).run()
  await expect.poll(() => letters.ids.length + destination.ids.length).toBe(2)
  letters.settle()
  const error = await expectCode(
    running,
    'MR_DEAD_LETTER_FAILED',
    /The dead letter of message m1 was not written: full/,
  )
  expect(error.cause).toMatchObject({ message: 'full' })
  expect(destination.flushes).toBe(flushes)
  expect(source.journal.ids('ack')).toEqual([])
})

describe('G7: a flush() that fails is fatal', () => {
  test.each<[string, () => void]>([
    [
      'throws',
      () => {
        throw new Error('stuck')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('stuck'))],
  ])('when it %s', async (_how, flush) => {
    const destination: Destination<unknown> = { send() {}, flush }
    const { source, running } = runOf(destination)
    await expect.poll(() => source.yielded).toBe(5)
    source.end()
    await expectCode(running, 'MR_SEND_FAILED', /^The destination failed: stuck/)
    expect(source.journal.ids('ack')).toEqual([])
  })
})

test('G7: a range outside the send is refused, in the destination that reported it', async () => {
  const thrown: unknown[] = []
  const tell = (report: () => void): void => {
    try {
      report()
    } catch (error) {
      thrown.push((error as { code?: unknown }).code)
    }
  }
  const { source, running } = runOf(
    {
      send(messages, settlement: Settlement) {
        const { length } = messages
        tell(() => settlement.ack(0, length + 1))
        tell(() => settlement.ack(-1, length))
        tell(() => settlement.nack(new Error('never'), length + 1))
        tell(() => settlement.ack(0.5))
        tell(() => settlement.ack(0, 0))
        settlement.ack()
        settlement.nack(new Error('too late: the first report wins'))
        settlement.ack()
      },
    },
    plain(1),
  )
  await expect.poll(() => source.journal.ids('ack')).toEqual(['m0'])
  source.end()
  expect(await running).toMatchObject({ acked: 1, delivered: 1, emitted: 1 })
  expect(thrown).toEqual(Array.from({ length: 4 }, () => 'MR_SETTLEMENT_RANGE'))
})

describe('G7: a listener that fails is fatal', () => {
  const listeners: Record<string, (event: ProcessorEvent) => void> = {
    throws: () => {
      throw new Error('no such metric')
    },
    rejects: () => Promise.reject(new Error('no such metric')) as unknown as void,
  }
  test.each(Object.keys(listeners))('when it %s', async (how) => {
    const source = new ScriptedSource<Order>(plain(3))
    const destination = memoryDestination<unknown>()
    const onEvent = listeners[how] as (event: ProcessorEvent) => void
    const processor = new Processor<Order, unknown>({ source, handler: obey, destination, onEvent, threads: 0 })
    const error = await expectCode(processor.run(), 'MR_LISTENER_FAILED', /onEvent threw on 'draining': no such metric/)
    expect(error.cause).toMatchObject({ message: 'no such metric' })
    expect(source.closes).toBe(1)
  })

  test('also before run, which then takes in nothing', async () => {
    const source = new ScriptedSource<Order>(plain(3))
    const destination = memoryDestination<unknown>()
    const { throws } = listeners
    if (throws === undefined) throw new Error('a listener')
    const processor = new Processor<Order, unknown>({ source, handler: obey, destination, onEvent: throws, threads: 0 })
    processor.pause()
    await expectCode(processor.run(), 'MR_LISTENER_FAILED', /onEvent threw on 'paused'/)
    expect([source.yielded, source.closes]).toEqual([0, 1])
  })
})
