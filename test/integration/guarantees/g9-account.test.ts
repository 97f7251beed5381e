import { batch, BatchError, type DeadLetter, Processor, type Stats } from 'millrace'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import {
  itemsOf,
  randomFrom,
  ScriptedDestination,
  ScriptedSource,
  type SourceScript,
} from '../../helpers/scripted-ends.ts'

function expectBalanced(stats: Stats): void {
  expect(stats.received).toBe(stats.acked + stats.nacked + stats.inFlight)
  expect(stats.acked).toBe(stats.delivered + stats.filtered + stats.dropped + stats.deadLettered)
  expect(stats.inFlight).toBeGreaterThanOrEqual(0)
}

describe.each(['deadLetter', 'drop', 'nack'] as const)("G9: with the policy '%s'", (then) => {
  test('the account is balanced, and that of the source, at every event and at random moments', async () => {
    const random = randomFrom(31)
    let processor: Processor<Order, unknown> | undefined
    let looks = 0
    const look = (): Stats => {
      const stats = (processor as Processor<Order, unknown>).stats()
      expectBalanced(stats)
      looks++
      return stats
    }
    const script: SourceScript = {
      ackMode: 'individual',
      batch: 20,
      onAck: () => void look(),
      onNack: () => void look(),
    }
    const source = new ScriptedSource<Order>(
      itemsOf(600, () => {
        const kind = random()
        const failures = kind < 0.1 ? 1 : kind < 0.2 ? 9 : 0
        return { value: { outputs: Math.floor(random() * 4), failures, waitMs: kind > 0.97 ? 3 : 0 } }
      }),
      script,
    )
    const destination = batch<unknown>(
      async (messages) => {
        const error = new BatchError('some rows')
        messages.forEach((_, index) => random() < 0.03 && error.failed(index, new Error('bad row')))
        if (error.failures.size > 0) throw error
      },
      { count: 40, periodMs: 5, retry: { attempts: 2, backoffMs: 1 } },
    )
    const deadLetter =
      then === 'deadLetter' ? { deadLetter: new ScriptedDestination<DeadLetter>({ settleMs: () => 2 }) } : {}
    processor = new Processor<Order, unknown>({
      source,
      handler: obey,
      destination,
      ...deadLetter,
      onError: { attempts: 2, backoffMs: 1, then },
      threads: 2,
      maxInFlight: 100,
      onEvent: () => void look(),
    })
    expectBalanced(processor.stats())
    const timer = setInterval(() => {
      const stats = look()
      expect(stats.received).toBe(source.yielded)
      expect(stats.acked).toBe(source.journal.ids('ack').length)
      expect(stats.nacked).toBe(source.journal.ids('nack').length)
    }, 1)
    const summary = await processor.run()
    clearInterval(timer)
    const stats = look()
    expect(stats).toMatchObject({ ...summary, inFlight: 0, inFlightBytes: 0, oldestMs: 0, received: 600 })
    expect(looks).toBeGreaterThan(600)
    expect(summary.filtered).toBeGreaterThan(0)
    expect(summary.delivered).toBeGreaterThan(0)
    const givenUp = { deadLetter: summary.deadLettered, drop: summary.dropped, nack: summary.nacked }
    expect(givenUp[then]).toBeGreaterThan(20)
    expect(Object.values(givenUp).filter((count) => count > 0)).toHaveLength(1)
  })

  test('of several outcomes of one message the worst counts, and what was flushed is emitted', async () => {
    const source = new ScriptedSource<Order>([{ value: { outputs: 3 } }], { ackMode: 'individual' })
    const destination = new ScriptedDestination<unknown>({
      settleMs: ({ id }) => (id === 'm0#1' ? 1 : 20),
      nack: ({ id }) => (id === 'm0#1' ? new Error('refused') : undefined),
    })
    const options = { source, handler: obey, destination, onError: { then }, threads: 0 }
    const deadLetter = then === 'deadLetter' ? { deadLetter: new ScriptedDestination<DeadLetter>() } : {}
    const summary = await new Processor<Order, unknown>({ ...options, ...deadLetter }).run()
    const counts = { deadLettered: 0, dropped: 0, nacked: 0, delivered: 0 }
    const column = { deadLetter: 'deadLettered', drop: 'dropped', nack: 'nacked' } as const
    expect(summary).toMatchObject({ ...counts, [column[then]]: 1, received: 1, emitted: 2 })
  })
})

test('G9: outcomes count when the ack is released, not before', async () => {
  const source = new ScriptedSource<Order>([{ value: {} }, { value: { outputs: 0 } }, { value: {} }], {
    stayOpen: true,
  })
  const destination = new ScriptedDestination<unknown>({ holds: 'firmly' })
  const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 0 })
  const running = processor.run()
  await expect.poll(() => destination.ids.length).toBe(2)
  destination.settle('m2#0')
  expect(processor.stats()).toMatchObject({ acked: 0, delivered: 0, filtered: 0, inFlight: 3, emitted: 1 })
  expect(processor.stats().oldestMs).toBeGreaterThan(0)
  destination.settle('m0#0')
  expect(processor.stats()).toMatchObject({ acked: 3, delivered: 2, filtered: 1, inFlight: 0, emitted: 2, oldestMs: 0 })
  source.end()
  await running
})

test('G9: the account of a failed run is balanced too', async () => {
  const source = new ScriptedSource<Order>(
    itemsOf(50, (index) => ({ value: { failures: index === 30 ? 9 : 0 } })),
    { batch: 10 },
  )
  const destination = new ScriptedDestination<unknown>({ settleMs: () => 1 })
  const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2 })
  const error = await expectCode(processor.run(), 'MR_MESSAGE_FAILED', /m30/)
  const stats = processor.stats()
  expectBalanced(stats)
  expect(error.summary).toMatchObject({ received: stats.received, acked: stats.acked, seconds: stats.seconds })
  expect(stats.inFlight).toBe(source.outstanding)
})
