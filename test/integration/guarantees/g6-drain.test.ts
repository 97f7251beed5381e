import { batch, iterable, memoryDestination, Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, Journal, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

const plain = (count: number): { value: Order }[] => itemsOf(count, () => ({ value: {} }))

describe('G6: an abort', () => {
  test('stops recv; what was received is handled, flushed at once and acked, and the ends are closed once', async () => {
    const abort = new AbortController()
    const journal = new Journal()
    const flushed: string[] = []
    const source = new ScriptedSource<Order>(
      itemsOf(100_000, (index) => ({ value: { waitMs: index % 50 === 0 ? 5 : 0 } })),
      { journal, batch: 20 },
    )
    const destination = batch<unknown>(async (messages) => void flushed.push(...messages.map(({ id }) => id ?? '')), {
      count: 1_000_000,
      periodMs: 60_000,
    })
    const running = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 2 }).run(abort.signal)
    await expect.poll(() => source.yielded).toBeGreaterThan(300)
    journal.add('abort')
    abort.abort()
    const summary = await running

    expect(journal.entries.slice(journal.at('abort')).filter(({ what }) => what === 'recv')).toEqual([])
    expect(summary).toMatchObject({ received: source.yielded, acked: source.yielded })
    expect(journal.ids('ack')).toEqual(journal.ids('recv'))
    expect(flushed).toHaveLength(source.yielded)
    expect(source.closes).toBe(1)
    expect(source.violations).toEqual([])
  })

  test('flushes again for what the drain still sends', async () => {
    const abort = new AbortController()
    const source = new ScriptedSource<Order>([{ value: {} }, { value: { waitMs: 150 } }, { value: { waitMs: 30 } }], {
      stayOpen: true,
    })
    const destination = new ScriptedDestination<unknown>({ holds: true })
    const options = { source, handler: obey, destination, threads: 1 }
    const running = new Processor<Order, unknown>(options).run(abort.signal)
    await expect.poll(() => destination.ids.length).toBe(1)
    expect(destination.flushes).toBe(0)
    abort.abort()
    expect(await running).toMatchObject({ acked: 3 })
    expect(destination.flushes).toBeGreaterThan(1)
  })

  test('is not delayed by a recv that ignores its signal', async () => {
    const abort = new AbortController()
    const source = new ScriptedSource<Order>(plain(5), { stayOpen: true, isDeaf: true })
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), threads: 1 }
    const processor = new Processor<Order, unknown>(options)
    const running = processor.run(abort.signal)
    await expect.poll(() => processor.stats().acked).toBe(5)
    const start = performance.now()
    abort.abort()
    expect(await running).toMatchObject({ received: 5, acked: 5 })
    expect(performance.now() - start).toBeLessThan(2_000)
    source.push({ value: {} })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(source.journal.ids('ack'), 'what arrives later stays unacked').toHaveLength(5)
    expect(processor.stats().received).toBe(5)
  })

  test('handles a delivery that still arrives before the drain has ended', async () => {
    const abort = new AbortController()
    const source = new ScriptedSource<Order>([{ value: { waitMs: 200 } }], { stayOpen: true, isDeaf: true })
    const destination = new ScriptedDestination<unknown>()
    const options = { source, handler: obey, destination, threads: 1 }
    const running = new Processor<Order, unknown>(options).run(abort.signal)
    await expect.poll(() => source.yielded).toBe(1)
    abort.abort()
    source.push({ value: {} }, { value: {} })
    expect(await running).toMatchObject({ received: 2, acked: 2 })
    expect(destination.ids).toEqual(['m0#0', 'm1#0'])
    expect(source.yielded, 'and asks for no other').toBe(2)
  })

  test('makes a recv that rejects the end', async () => {
    const abort = new AbortController()
    const source = new ScriptedSource<Order>(plain(3), { stayOpen: true, isDeaf: true })
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), threads: 1 }
    const processor = new Processor<Order, unknown>(options)
    const running = processor.run(abort.signal)
    await expect.poll(() => processor.stats().acked).toBe(3)
    abort.signal.addEventListener('abort', () => source.fail(new Error('connection closed')))
    abort.abort()
    expect(await running).toMatchObject({ acked: 3 })
  })

  test('before run: nothing is received, and the ends are closed', async () => {
    const source = new ScriptedSource<Order>(plain(3))
    const destination = new ScriptedDestination<unknown>()
    const options = { source, handler: obey, destination, threads: 2 }
    const summary = await new Processor<Order, unknown>(options).run(AbortSignal.abort())
    expect(summary).toMatchObject({ received: 0 })
    expect([source.yielded, source.closes, destination.closes]).toEqual([0, 1, 1])
  })

  test('while the workers start: nothing is received, and the ends are closed', async () => {
    const abort = new AbortController()
    const source = new ScriptedSource<Order>(plain(3))
    const destination = new ScriptedDestination<unknown>()
    const options = { source, handler: obey, destination, threads: 2 }
    const running = new Processor<Order, unknown>(options).run(abort.signal)
    setImmediate(() => abort.abort())
    expect(await running).toMatchObject({ received: 0 })
    expect([source.yielded, source.closes, destination.closes]).toEqual([0, 1, 1])
  })

  test('twice, and after the end, does nothing more', async () => {
    const [first, second] = [new AbortController(), new AbortController()]
    const source = new ScriptedSource<Order>(plain(50), { batch: 10, stayOpen: true })
    const destination = new ScriptedDestination<unknown>({ settleMs: () => 20 })
    const options = { source, handler: obey, destination, threads: 1 }
    const running = new Processor<Order, unknown>(options).run(AbortSignal.any([first.signal, second.signal]))
    await expect.poll(() => source.yielded).toBe(50)
    first.abort()
    second.abort()
    expect(await running).toMatchObject({ acked: 50 })
    first.abort()
    expect([source.closes, destination.closes]).toEqual([1, 1])
  })
})

describe('G6: the end of the source', () => {
  test('drains what is in flight, and flushes at once', async () => {
    const source = new ScriptedSource<Order>(
      itemsOf(100, () => ({ value: { waitMs: 1 } })),
      { batch: 100 },
    )
    const destination = batch<unknown>(async () => {}, { count: 1_000_000, periodMs: 60_000 })
    const options = { source, handler: obey, destination, threads: 2, handlerConcurrency: 4 }
    expect(await new Processor<Order, unknown>(options).run()).toMatchObject({ acked: 100, delivered: 100 })
  })

  test.each([0, 1])('of an empty one ends the run (threads: %i)', async (threads) => {
    const destination = new ScriptedDestination<never>()
    const options = { source: iterable<never>([]), handler: obey, destination, threads }
    expect(await new Processor<never, never>(options).run()).toMatchObject({ received: 0, acked: 0 })
    expect(destination.closes).toBe(1)
  })

  test('drains without limit', async () => {
    const source = new ScriptedSource<Order>([{ value: { waitMs: 300 } }])
    const destination = new ScriptedDestination<unknown>({ settleMs: () => 100 })
    const options = { source, handler: obey, destination, threads: 1, drainTimeoutMs: 20 }
    expect(await new Processor<Order, unknown>(options).run()).toMatchObject({ acked: 1 })
  })
})
