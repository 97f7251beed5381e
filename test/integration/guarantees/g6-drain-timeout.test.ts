import { batch, Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { startNode } from '../../helpers/child.ts'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

const script = new URL('../../fixtures/guarantees/drain-timeout.mjs', import.meta.url)
const drainTimeoutMs = 200
/** What `close` gets past the time-out, and what a busy machine may add. */
const graceMs = 2_000
const slackMs = 1_000

interface Told {
  readonly code: string
  readonly message: string
  readonly ms: number
  readonly received: number
  readonly acked: number
}

describe('G6: past the drain time-out the run rejects in time, and nothing holds the process', () => {
  test.concurrent.for([
    ['handler', 1, 3],
    ['handler', 0, 3],
    ['thread', 2, 3],
    ['send', 1, 3],
    ['flush', 1, 3],
    ['ack', 1, 0],
    ['sourceRun', 1, 0],
    ['sourceClose', 1, 0],
    ['destinationRun', 1, 0],
    ['destinationClose', 1, 0],
    ['teardown', 2, 0],
    ['all', 1, 3],
  ] as const)(
    'where it is held up by: %s (threads: %i)',
    async ([culprit, threads, unsettled], { expect, onTestFinished }) => {
      const child = startNode(script, [culprit, `${threads}`])
      onTestFinished(() => void child.process.kill('SIGKILL'))
      const { code, stdout, stderr } = await child.ended
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const told = JSON.parse(stdout) as Told
      expect(told.code).toBe('MR_DRAIN_TIMEOUT')
      expect(told.message).toMatch(new RegExp(`longer than 200 ms \\(drainTimeoutMs\\): ${unsettled} messages`))
      expect(told.ms).toBeGreaterThan(drainTimeoutMs - 50)
      expect(told.ms).toBeLessThan(drainTimeoutMs + graceMs + slackMs)
      expect(told.received).toBe(3)
      if (culprit !== 'ack') expect(told.acked).toBe(3 - unsettled)
    },
  )
})

test('G6: the time-out aborts the signal of send and of a running flush, and nothing is acked any more', async () => {
  const abort = new AbortController()
  const source = new ScriptedSource<Order>(
    itemsOf(4, () => ({ value: {} })),
    { stayOpen: true },
  )
  const reasons: unknown[] = []
  const destination = batch<unknown>(
    (_messages, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push((signal.reason as { code?: unknown }).code)
          reject(new Error('given up'))
        })
      }),
    { count: 2 },
  )
  const options = { source, handler: obey, destination, threads: 1, drainTimeoutMs: 100 }
  const running = new Processor<Order, unknown>(options).run(abort.signal)
  await expect.poll(() => source.yielded).toBe(4)
  abort.abort()
  const error = await expectCode(running, 'MR_DRAIN_TIMEOUT', /4 messages were not settled and may come again/)
  expect(error.summary).toMatchObject({ received: 4, acked: 0 })
  expect(reasons).toEqual(['MR_DRAIN_TIMEOUT'])
  expect(source.journal.ids('ack')).toEqual([])
  expect(source.closes).toBe(1)
})

test.each([
  ['an output', {}],
  ['a dead letter', { failures: 9 }],
])('G6: %s that is settled after the run has ended is not acked', async (_what, value) => {
  const abort = new AbortController()
  const source = new ScriptedSource<Order>([{ value }], { stayOpen: true })
  const destination = new ScriptedDestination<unknown>({ holds: 'firmly' })
  const deadLetter = new ScriptedDestination<unknown>({ holds: 'firmly' })
  const options = { source, handler: obey, destination, deadLetter, threads: 1, drainTimeoutMs: 100 }
  const processor = new Processor<Order, unknown>(options)
  const running = processor.run(abort.signal)
  await expect.poll(() => destination.ids.length + deadLetter.ids.length).toBe(1)
  abort.abort()
  await expectCode(running, 'MR_DRAIN_TIMEOUT', /1 messages/)
  deadLetter.settle()
  destination.settle()
  expect(source.journal.ids('ack')).toEqual([])
  expect(source.violations).toEqual([])
  expect(processor.stats()).toMatchObject({ inFlight: 1, acked: 0 })
})

test('G6, G7: after a fatal error the drain has a limit too', async () => {
  const source = new ScriptedSource<Order>([{ value: {} }], { stayOpen: true })
  const destination = new ScriptedDestination<unknown>({ close: () => new Promise(() => {}) })
  const options = { source, handler: obey, destination, threads: 1, drainTimeoutMs: 100 }
  const running = new Processor<Order, unknown>(options).run()
  await expect.poll(() => source.journal.ids('ack')).toEqual(['m0'])
  const start = performance.now()
  source.fail(new Error('gone'))
  const error = await expectCode(running, 'MR_DRAIN_TIMEOUT', /longer than 100 ms/)
  expect(error.cause).toMatchObject({ code: 'MR_SOURCE_FAILED', cause: { message: 'gone' } })
  expect(performance.now() - start).toBeLessThan(100 + graceMs + slackMs)
  expect(source.closes).toBe(1)
})
