import { type DeadLetter, memoryDestination, Processor } from 'millrace'
import { pipe } from 'millrace/handler'
import { expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { itemsOf, ScriptedSource } from '../../helpers/scripted-ends.ts'

const maxMessageBytes = 1_000

/** The messages that a worker has handled. */
function handled(processor: Processor<Uint8Array, unknown>): number {
  return processor.stats().workers.reduce((sum, worker) => sum + worker.handled, 0)
}

test.each([0, 1])(
  'G4: a message above maxMessageBytes gets the policy, and no worker sees it (threads: %i)',
  async (threads) => {
    const sizes = [maxMessageBytes - 1, maxMessageBytes, maxMessageBytes + 1, 64 * 1024 * 1024, 10]
    const source = new ScriptedSource<Uint8Array>(
      itemsOf(sizes.length, (index) => ({ value: new Uint8Array(sizes[index] ?? 0) })),
    )
    const destination = memoryDestination<unknown>()
    const deadLetter = memoryDestination<DeadLetter>()
    const processor = new Processor<Uint8Array, unknown>({
      source,
      handler: pipe,
      destination,
      deadLetter,
      threads,
      maxMessageBytes,
    })
    const summary = await processor.run()

    expect(summary).toMatchObject({ received: 5, acked: 5, delivered: 3, deadLettered: 2 })
    expect(destination.messages.map(({ id }) => id)).toEqual(['m0#0', 'm1#0', 'm4#0'])
    expect(handled(processor)).toBe(3)
    expect(deadLetter.values.map(({ id, stage, attempts, error }) => [id, stage, attempts, error.code])).toEqual([
      ['m2', 'size', 0, 'MR_MESSAGE_TOO_LARGE'],
      ['m3', 'size', 0, 'MR_MESSAGE_TOO_LARGE'],
    ])
    expect(deadLetter.values[1]?.value).toHaveProperty('length', 64 * 1024 * 1024)
    expect(source.journal.ids('ack')).toEqual(['m0', 'm1', 'm2', 'm3', 'm4'])
  },
)

test('G4: key and headers count as well', async () => {
  const value = new Uint8Array(maxMessageBytes - 10)
  const source = new ScriptedSource<Uint8Array>([
    { value, key: '0123456789' },
    { value, key: '0123456789a' },
    { value, headers: { name: '012345' } },
    { value, headers: { name: '0123456' } },
  ])
  const onError = { then: 'drop' } as const
  const destination = memoryDestination<unknown>()
  const options = { source, handler: pipe, destination, onError, maxMessageBytes, threads: 0 }
  expect(await new Processor<Uint8Array, unknown>(options).run()).toMatchObject({ delivered: 2, dropped: 2 })
  expect(destination.messages.map(({ id }) => id)).toEqual(['m0#0', 'm2#0'])
})

test('G4, G7: without a dead letter an oversized message stops the run, unacked', async () => {
  const source = new ScriptedSource<Uint8Array>([{ value: new Uint8Array(maxMessageBytes + 1) }])
  const processor = new Processor<Uint8Array, unknown>({
    source,
    handler: pipe,
    destination: memoryDestination<unknown>(),
    maxMessageBytes,
    threads: 0,
  })
  const error = await expectCode(processor.run(), 'MR_MESSAGE_FAILED', /Message m0 failed at the stage 'size'/)
  expect(error.cause).toMatchObject({ code: 'MR_MESSAGE_TOO_LARGE' })
  expect(error.summary).toMatchObject({ received: 1, acked: 0 })
  expect(source.journal.ids('ack')).toEqual([])
})
