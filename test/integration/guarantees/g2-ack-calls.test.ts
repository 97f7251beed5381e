import { setTimeout as sleep } from 'node:timers/promises'
import { memoryDestination, type MillraceError, Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import {
  itemsOf,
  ScriptedDestination,
  ScriptedLane,
  ScriptedSource,
  type SourceScript,
} from '../../helpers/scripted-ends.ts'

const plain = (count: number): { value: Order }[] => itemsOf(count, () => ({ value: {} }))

/** A source of plain messages and a processor around it, in one thread of its own. */
function processorOf(source: ScriptedSource<Order>, options: { maxInFlight?: number; drainTimeoutMs?: number } = {}) {
  const destination = new ScriptedDestination<unknown>({ journal: source.journal })
  return new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1, ...options })
}

test('G2: runs of acks go to ackBatch, in order, and no single ack is called', async () => {
  const runs: (readonly string[])[] = []
  const source = new ScriptedSource<Order>(plain(200), { batch: 50, ackBatch: (ids) => void runs.push(ids) })
  const destination = memoryDestination<unknown>()
  await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1 }).run()
  expect(runs.flat()).toEqual(source.journal.ids('recv'))
  expect(runs.length).toBeLessThan(100)
  expect(source.journal.ids('ack')).toHaveLength(200)
})

test('G2: acks are not awaited one by one, and all of them are at the end', async () => {
  let pending = 0
  let most = 0
  const source = new ScriptedSource<Order>(plain(40), {
    batch: 40,
    onAck: async () => {
      most = Math.max(most, ++pending)
      await sleep(50)
      pending--
    },
    close: async () => expect(pending).toBe(0),
  })
  await processorOf(source).run()
  expect(most).toBeGreaterThan(20)
  expect(pending).toBe(0)
})

describe.each([
  ['single acks', 3, false],
  ['single acks', 1, false],
  ['ackBatch', 4, true],
] as const)('G2: slow %s with a window of %i', (_name, maxInFlight, inRuns) => {
  test('are pending at most as many as the window holds, and the run still ends', async () => {
    let pending = 0
    let most = 0
    const wait = async (count: number): Promise<void> => {
      pending += count
      most = Math.max(most, pending)
      await sleep(2)
      pending -= count
    }
    const script: SourceScript = inRuns
      ? { batch: 10, ackBatch: (ids) => wait(ids.length) }
      : { batch: 10, onAck: () => wait(1) }
    const source = new ScriptedSource<Order>(plain(60), script)
    const summary = await processorOf(source, { maxInFlight }).run()
    expect(summary.acked).toBe(60)
    expect(most).toBeLessThanOrEqual(maxInFlight)
    expect(source.journal.ids('ack')).toEqual(source.journal.ids('recv'))
  })
})

describe('G2: an ack that fails is fatal', () => {
  const fails: Record<string, () => void | Promise<void>> = {
    throws: () => {
      throw new Error('no quorum')
    },
    rejects: () => Promise.reject(new Error('no quorum')),
    'rejects late': async () => {
      await sleep(20)
      throw new Error('no quorum')
    },
  }
  test.each(Object.keys(fails))(
    'where it %s, its message is in flight again, and nothing behind it is acked',
    async (how) => {
      const source = new ScriptedSource<Order>(plain(20), {
        stayOpen: true,
        onAck: (id) => (id === 'm5' ? fails[how]?.() : undefined),
      })
      const error = await expectCode(
        processorOf(source, { maxInFlight: 1 }).run(),
        'MR_ACK_FAILED',
        /failed to take an ack of lane "source": no quorum/,
      )
      expect((error.cause as Error).message).toBe('no quorum')
      const acked = source.journal.ids('ack')
      if (how !== 'rejects late') expect(acked).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
      expect(error.summary).toMatchObject({ acked: acked.length - 1, nacked: 0 })
      expect(source.closes).toBe(1)
      expect(source.violations).toEqual([])
    },
  )

  test.each(['throws', 'rejects'])('where ackBatch %s, and its whole run is in flight again', async (how) => {
    const source = new ScriptedSource<Order>(plain(30), { batch: 30, ackBatch: () => fails[how]?.() })
    const error = await expectCode(processorOf(source).run(), 'MR_ACK_FAILED', /no quorum/)
    expect(error.summary).toMatchObject({ received: 30, acked: 0 })
  })

  test('for its own lane; what the others are flushing may still be acked', async () => {
    const [bad, good] = [new ScriptedLane('bad'), new ScriptedLane('good')]
    const items = itemsOf(8, (index) => ({ value: {}, lane: index % 2 === 0 ? bad : good }))
    const destination: ScriptedDestination<unknown> = new ScriptedDestination<unknown>({
      holds: true,
      close: async () => destination.settle(),
    })
    const source = new ScriptedSource<Order>(items, {
      stayOpen: true,
      onAck: (id) => (id === 'm0' ? fails['throws']?.() : undefined),
    })
    const running = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1 }).run()
    await expect.poll(() => destination.ids.length).toBe(8)
    destination.settle('m0#0')
    await expectCode(running, 'MR_ACK_FAILED', /lane "bad"/)
    expect(source.journal.ids('ack')).toEqual(['m0', 'm1', 'm3', 'm5', 'm7'])
  })
})

test('G2, G6: an ack that hangs ends in the drain time-out after an abort', async () => {
  const abort = new AbortController()
  const source = new ScriptedSource<Order>(plain(3), {
    stayOpen: true,
    onAck: (id) => (id === 'm2' ? new Promise<void>(() => {}) : undefined),
  })
  const running = processorOf(source, { drainTimeoutMs: 100 }).run(abort.signal)
  await expect.poll(() => source.journal.ids('ack')).toHaveLength(3)
  abort.abort()
  await expectCode(running, 'MR_DRAIN_TIMEOUT', /longer than 100 ms/)
})

describe('G2: nack', () => {
  const failing = itemsOf(6, (index) => ({ value: index % 3 === 1 ? { failures: 9 } : {} }))
  const onError = { then: 'nack' } as const

  test('reaches an individual lane with the reason, in the order of its lane', async () => {
    const reasons = new Map<string, Error>()
    const source = new ScriptedSource<Order>(failing, {
      ackMode: 'individual',
      onNack: (id, reason) => void reasons.set(id, reason),
    })
    const options = { source, handler: obey, destination: new ScriptedDestination<unknown>(), onError, threads: 2 }
    const summary = await new Processor<Order, unknown>(options).run()
    expect(summary).toMatchObject({ received: 6, acked: 4, nacked: 2, delivered: 4 })
    expect([...reasons.keys()]).toEqual(['m1', 'm4'])
    const reason = reasons.get('m1')
    expect(reason).toMatchObject({ code: 'MR_HANDLER_THREW', cause: { name: 'RangeError', code: 'E_ORDERED' } })
    const settled = source.journal.entries.filter(({ what }) => what === 'ack' || what === 'nack')
    expect(settled.map(({ id }) => id)).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
  })

  test('that rejects is as fatal as an ack', async () => {
    const source = new ScriptedSource<Order>(failing, {
      ackMode: 'individual',
      onNack: () => Promise.reject(new Error('gone')),
    })
    const options = { source, handler: obey, destination: new ScriptedDestination<unknown>(), onError, threads: 1 }
    const error = await expectCode(new Processor<Order, unknown>(options).run(), 'MR_ACK_FAILED', /gone/)
    expect(error.summary).toMatchObject({ nacked: 0 })
  })

  test('is refused when built, where the source says that it is cumulative', () => {
    const source = new ScriptedSource<Order>(failing, { ackMode: 'cumulative' })
    expect(
      () =>
        new Processor<Order, unknown>({
          source,
          handler: obey,
          destination: new ScriptedDestination<unknown>(),
          onError,
        }),
    ).toThrow(expect.objectContaining({ code: 'MR_NACK_REFUSED' }) as MillraceError)
  })

  test.each([
    ['its lane is cumulative', { lane: new ScriptedLane('partition 3') }, {}],
    ['the source does not say that it is individual', {}, {}],
    ['the delivery has no nack', {}, { ackMode: 'individual', hasNack: false }],
  ] as const)('is fatal later, where %s', async (_why, fields, script) => {
    const source = new ScriptedSource<Order>([{ value: { failures: 9 }, ...fields }], script)
    const processor = new Processor<Order, unknown>({
      source,
      handler: obey,
      destination: new ScriptedDestination<unknown>(),
      onError,
      threads: 1,
    })
    await expectCode(processor.run(), 'MR_NACK_REFUSED', /Use 'deadLetter', 'drop' or 'stop' with this source/)
    expect(source.journal.ids('ack')).toEqual([])
    expect(source.journal.ids('nack')).toEqual([])
  })
})
