import { batch, BatchError, type DeadLetter, Processor, tee } from 'millrace'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, Journal, randomFrom, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

/** Every output of every acked message had been flushed, under each of the names, when the ack came. */
function expectFlushedBeforeAck(journal: Journal, outputsOf: (id: string) => number, names: readonly string[]): void {
  const done = new Set<string>()
  for (const { what, id } of journal.entries) {
    if (what.startsWith('flushed')) done.add(`${what} ${id}`)
    if (what !== 'ack') continue
    for (let output = 0; output < outputsOf(id); output++) {
      for (const name of names) expect(done, `ack of ${id}`).toContain(`flushed${name} ${id}#${output}`)
    }
  }
}

test.each([1, 2, 3])(
  'G1: acks after every output is flushed, with outputs, filters and delays at random (%i)',
  async (seed) => {
    const random = randomFrom(seed)
    const journal = new Journal()
    const outputs = new Map<string, number>()
    const items = itemsOf(500, (index) => {
      const count = Math.floor(random() * 4)
      outputs.set(`m${index}`, count)
      return { value: { outputs: count } satisfies Order }
    })
    const source = new ScriptedSource<Order>(items, { journal, batch: 50 })
    const destination = new ScriptedDestination<unknown>({ journal, settleMs: () => Math.floor(random() * 6) })
    const summary = await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2 }).run()

    expectFlushedBeforeAck(journal, (id) => outputs.get(id) ?? NaN, [''])
    const filtered = [...outputs.values()].filter((count) => count === 0).length
    const emitted = [...outputs.values()].reduce((sum, count) => sum + count, 0)
    expect(summary).toMatchObject({ received: 500, acked: 500, filtered, delivered: 500 - filtered, emitted })
    expect(journal.ids('ack')).toHaveLength(500)
  },
)

test('G1: of a message with many outputs, the last one to be flushed releases the ack', async () => {
  const journal = new Journal()
  const source = new ScriptedSource<Order>([{ value: { outputs: 5 } }], { journal })
  // Flushed in the order 1, 4, 3, 0, 2.
  const delays = [40, 1, 60, 20, 10]
  const destination = new ScriptedDestination<unknown>({
    journal,
    settleMs: ({ id }) => delays[Number(id?.slice(3))] ?? 0,
  })
  await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 0 }).run()
  expect(journal.ids('ack')).toEqual(['m0'])
  expect(journal.at('ack', 'm0')).toBe(journal.at('flushed', 'm0#2') + 1)
})

test('G1: of a tee, the slowest destination releases the ack', async () => {
  const random = randomFrom(7)
  const journal = new Journal()
  const source = new ScriptedSource<Order>(
    itemsOf(200, () => ({ value: { outputs: 2 } })),
    { journal, batch: 20 },
  )
  const left = new ScriptedDestination<unknown>({ journal, name: 'Left', settleMs: () => Math.floor(random() * 4) })
  const right = new ScriptedDestination<unknown>({ journal, name: 'Right', settleMs: () => Math.floor(random() * 8) })
  await new Processor<Order, unknown>({ source, handler: obey, destination: tee(left, right), threads: 2 }).run()
  expectFlushedBeforeAck(journal, () => 2, ['Left', 'Right'])
  expect(journal.ids('ack')).toHaveLength(200)
})

const isBad = (id: string): boolean => Number(id.slice(1)) % 7 === 3

describe('G1: a message that was given up is acked', () => {
  const items = itemsOf(60, (index) => ({ value: index % 7 === 3 ? { failures: 99 } : {} }))

  test('after its dead letter was written', async () => {
    const journal = new Journal()
    const source = new ScriptedSource<Order>(items, { journal, batch: 7 })
    const summary = await new Processor<Order, unknown>({
      source,
      handler: obey,
      destination: new ScriptedDestination<unknown>({ journal }),
      deadLetter: new ScriptedDestination<DeadLetter>({ journal, name: 'Letter', settleMs: () => 5 }),
      threads: 2,
    }).run()
    const bad = journal.ids('ack').filter(isBad)
    expect(bad).toHaveLength(summary.deadLettered)
    expect(bad).toHaveLength(9)
    for (const id of bad) expect(journal.at('flushedLetter', id)).toBeLessThan(journal.at('ack', id))
    for (const id of bad) expect(journal.at('flushedLetter', id)).toBeGreaterThan(-1)
  })

  test("at once with the policy 'drop', and counted", async () => {
    const source = new ScriptedSource<Order>(items)
    const destination = new ScriptedDestination<unknown>()
    const onError = { then: 'drop' } as const
    const summary = await new Processor<Order, unknown>({
      source,
      handler: obey,
      destination,
      onError,
      threads: 2,
    }).run()
    expect(summary).toMatchObject({ acked: 60, dropped: 9, delivered: 51 })
    expect(destination.ids.some((id) => isBad(id.split('#')[0] ?? ''))).toBe(false)
  })

  test("never with the policy 'stop': what is behind it in its lane stays unacked too", async () => {
    const source = new ScriptedSource<Order>(items)
    const processor = new Processor<Order, unknown>({
      source,
      handler: obey,
      destination: new ScriptedDestination<unknown>(),
      threads: 1,
    })
    await expectCode(processor.run(), 'MR_MESSAGE_FAILED', /Message m3 failed at the stage 'handle' and stays unacked/)
    expect(source.journal.ids('ack')).toEqual(['m0', 'm1', 'm2'].slice(0, source.journal.ids('ack').length))
  })
})

describe('G1: a flush that fails for good', () => {
  test('leaves its messages unacked, and those behind it', async () => {
    const flushed: string[] = []
    const source = new ScriptedSource<Order>(itemsOf(30, () => ({ value: {} })))
    const destination = batch<unknown>(
      async (messages) => {
        if (messages.some(({ id }) => id === 'm12#0')) throw new Error('the disk is full')
        flushed.push(...messages.map(({ id }) => id ?? ''))
      },
      { count: 5, retry: { attempts: 1 } },
    )
    const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2 })
    await expectCode(processor.run(), 'MR_FLUSH_FAILED', /the disk is full/)
    expect(source.journal.ids('ack')).toEqual(flushed.map((id) => id.slice(0, -2)))
    expect(flushed.length).toBeLessThanOrEqual(12)
    expect(flushed).toEqual(flushed.map((_, index) => `m${index}#0`))
  })

  test('in part, acks what is durable and gives up the rest, in order', async () => {
    const source = new ScriptedSource<Order>(itemsOf(10, () => ({ value: {} })))
    const letters = new ScriptedDestination<DeadLetter>({ journal: source.journal, name: 'Letter' })
    const destination = batch<unknown>(
      async (messages) => {
        const error = new BatchError('refused')
        messages.forEach(({ id }, index) => id === 'm4#0' && error.failed(index, new Error('no such column')))
        if (error.failures.size > 0) throw error
      },
      { count: 10, retry: { attempts: 2, backoffMs: 1 } },
    )
    const options = { source, handler: obey, destination, deadLetter: letters, threads: 1 }
    const summary = await new Processor<Order, unknown>(options).run()
    expect(summary).toMatchObject({ acked: 10, delivered: 9, deadLettered: 1, emitted: 9 })
    expect(letters.ids).toEqual(['m4'])
    expect(source.journal.ids('ack')).toEqual(
      itemsOf(10, (index) => ({ value: `m${index}` })).map(({ value }) => value),
    )
    expect(source.journal.at('flushedLetter', 'm4')).toBeLessThan(source.journal.at('ack', 'm4'))
  })
})
