import { setTimeout as sleep } from 'node:timers/promises'
import { batch, type Delivery, memoryDestination, MillraceError, Processor, type Source } from 'millrace'
import { pipe } from 'millrace/handler'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { itemsOf, ScriptedSource } from '../../helpers/scripted-ends.ts'

const ack = (): void => {}
const message = { key: '', topic: 'rubbish', value: 1 }

/** Runs a source that yields or does what no type allows. */
function runOf(source: object): Promise<unknown> {
  const destination = memoryDestination<unknown>()
  return new Processor({ source: source as Source<unknown>, handler: pipe, destination, threads: 0 }).run()
}

describe('G7: what a source yields is checked, and named when it is wrong', () => {
  test.each<[string, unknown, RegExp]>([
    ['null', null, /a delivery { message, ack }, got null/],
    ['a number', 5, /a delivery { message, ack }, got 5/],
    ['the message alone', message, /a delivery to have an `ack` function, got undefined/],
    ['no ack', { message }, /an `ack` function, got undefined/],
    ['a nack that is none', { message, ack, nack: true }, /`nack` to be a function, got true/],
    ['no message', { ack }, /a `message` object, got undefined/],
    ['no value', { ack, message: { key: '', topic: '' } }, /a message to have a `value`/],
    ['no key', { ack, message: { ...message, key: undefined } }, /`key` to be a string, '' for none, got undefined/],
    ['a key of bytes', { ack, message: { ...message, key: new Uint8Array(1) } }, /`key` to be a string/],
    ['no topic', { ack, message: { ...message, topic: null } }, /`topic` to be a string, got null/],
    ['a numeric id', { ack, message: { ...message, id: 7 } }, /`id` to be a string, got 7/],
    ['headers of text', { ack, message: { ...message, headers: 'a: b' } }, /`headers` to be an object, got 'a: b'/],
    [
      'a numeric header',
      { ack, message: { ...message, headers: { a: 1 } } },
      /every header of a message to be a string, got 1/,
    ],
    [
      'a lane without a mode',
      { ack, message, lane: { name: 'p0' } },
      /`ackMode` to be 'cumulative' or 'individual', got undefined/,
    ],
    ['a lane of null', { ack, message, lane: null }, /`lane` to be an object, got null/],
    ['a negative count', { ack, message, redelivered: -1 }, /`redelivered` to be a number, 0 or more, got -1/],
    ['a count that is none', { ack, message, redelivered: NaN }, /`redelivered` to be a number/],
  ])('%s', async (_what, yielded, expected) => {
    let asked = 0
    const recv = async (): Promise<unknown> => (asked++ === 0 ? yielded : undefined)
    const error = await expectCode(runOf({ recv }), 'MR_SOURCE_DELIVERY', expected)
    expect(error.message).toMatch(/Mend the source/)
    expect(error.summary).toMatchObject({ received: 0, acked: 0 })
  })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /an array of at most \d+ deliveries, got undefined/],
    ['a delivery', { ack, message }, /an array of at most \d+ deliveries, got object/],
    [
      'more than asked for',
      Array.from({ length: 2_000 }, () => ({ ack, message })),
      /at most 1000 deliveries, got 2000/,
    ],
    ['a hole', [{ ack, message }, undefined], /a delivery { message, ack }, got undefined/],
  ])('as a batch: %s', async (_what, yielded, expected) => {
    const source = { recv: () => Promise.reject(new Error('unused')), recvBatch: async () => yielded }
    const error = await expectCode(runOf(source), 'MR_SOURCE_DELIVERY', expected)
    expect(error.summary, 'nothing of it is taken in').toMatchObject({ received: 0 })
  })
})

/** Rejects with anything. */
async function rejects(reason: unknown): Promise<never> {
  throw reason
}

describe('G7: a recv that fails is fatal', () => {
  test.each<[string, () => Promise<Delivery<unknown>>, unknown]>([
    ['rejects', () => Promise.reject(new TypeError('bad frame')), { name: 'TypeError', message: 'bad frame' }],
    ['rejects with null', () => rejects(null), null],
    ['rejects with text', () => rejects('bad frame'), 'bad frame'],
    [
      'throws',
      () => {
        throw new TypeError('bad frame')
      },
      { name: 'TypeError', message: 'bad frame' },
    ],
  ])('when it %s', async (_how, recv, cause) => {
    const error = await expectCode(runOf({ recv }), 'MR_SOURCE_FAILED', /^The source failed: /)
    if (typeof cause === 'object' && cause !== null) expect(error.cause).toMatchObject(cause)
    else expect(error.cause).toBe(cause)
    expect(error.summary).toMatchObject({ received: 0, acked: 0, nacked: 0 })
  })

  test('with the error itself, where it is one of ours', async () => {
    const mine = new MillraceError('MR_LINE_TOO_LONG', 'Expected a line of at most 10 bytes.')
    await expect(runOf({ recv: () => Promise.reject(mine) })).rejects.toBe(mine)
  })
})

test('G7: what is being flushed when the source fails may finish and is acked; what waits for a batch is not', async () => {
  const calls: number[] = []
  const source = new ScriptedSource<number>(
    itemsOf(8, (index) => ({ value: index })),
    { stayOpen: true },
  )
  const destination = batch<unknown>(
    async (messages) => {
      calls.push(messages.length)
      await sleep(100)
    },
    { count: 5, periodMs: 60_000 },
  )
  const processor = new Processor<number, unknown>({ source, handler: pipe, destination, threads: 1 })
  const running = processor.run()
  await expect.poll(() => calls.length > 0 && processor.stats().inFlight === 8).toBe(true)
  source.fail(new Error('gone'))
  const error = await expectCode(running, 'MR_SOURCE_FAILED', /gone/)
  expect(calls).toEqual([5])
  expect(source.journal.ids('ack')).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
  expect(error.summary).toMatchObject({ received: 8, acked: 5, delivered: 5 })
  expect(source.violations).toEqual([])
})

test('G7: what a source yields while the run fails is not taken in', async () => {
  const source = new ScriptedSource<number>([{ value: 1 }], { stayOpen: true, isDeaf: true })
  const destination = batch<unknown>(() => Promise.reject(new Error('down')), { count: 1, retry: { attempts: 1 } })
  const processor = new Processor<number, unknown>({ source, handler: pipe, destination, threads: 0 })
  await expectCode(processor.run(), 'MR_FLUSH_FAILED', /down/)
  source.push({ value: 2 })
  await sleep(20)
  expect(processor.stats()).toMatchObject({ received: 1, inFlight: 1 })
  expect(source.journal.ids('ack')).toEqual([])
})
