import { batch, type DeadLetter, memoryDestination, memorySource, Processor, type ProcessorEvent } from 'millrace'
import { describe, expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, ScriptedLane, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

const settled = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 30))

describe('pause() and resume()', () => {
  test('stop and start the intake; what was received goes on', async () => {
    const source = memorySource<Order>()
    const events: ProcessorEvent[] = []
    const processor = new Processor<Order, unknown>({
      source,
      handler: obey,
      destination: memoryDestination<unknown>(),
      threads: 1,
      onEvent: (event) => void events.push(event),
    })
    const running = processor.run()
    source.push({})
    await expect.poll(() => processor.stats().acked).toBe(1)
    processor.pause()
    processor.pause()
    // A recv that is under way may still bring something.
    source.push({})
    await expect.poll(() => processor.stats().acked).toBe(2)
    source.push({})
    source.push({})
    await settled()
    expect(processor.stats()).toMatchObject({ received: 2, acked: 2 })
    processor.resume()
    processor.resume()
    await expect.poll(() => processor.stats().acked).toBe(4)
    source.end()
    await running
    expect(events.map((event) => ('reason' in event ? `${event.type} ${event.reason}` : event.type))).toEqual([
      'paused requested',
      'resumed requested',
      'draining ended',
    ])
  })

  test('before run, nothing is asked for until resume', async () => {
    const source = new ScriptedSource<Order>(itemsOf(3, () => ({ value: {} })))
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), threads: 0 }
    const processor = new Processor<Order, unknown>(options)
    processor.pause()
    const running = processor.run()
    await settled()
    expect(source.yielded).toBe(0)
    processor.resume()
    expect(await running).toMatchObject({ acked: 3 })
  })

  test('G6: an abort drains a paused run', async () => {
    const abort = new AbortController()
    const source = new ScriptedSource<Order>(itemsOf(3, () => ({ value: {} })))
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), threads: 0 }
    const processor = new Processor<Order, unknown>(options)
    processor.pause()
    const running = processor.run(abort.signal)
    await settled()
    abort.abort()
    expect(await running).toMatchObject({ received: 0 })
    expect(source.closes).toBe(1)
  })

  test('G4: a window that is full while the run is paused does not wait for a batch timer', async () => {
    const source = new ScriptedSource<Order>(
      itemsOf(10, () => ({ value: {} })),
      { batch: 10, stayOpen: true },
    )
    const destination = batch<unknown>(async () => {}, { count: 1_000, periodMs: 60_000 })
    const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1, maxInFlight: 10 })
    const running = processor.run()
    await expect.poll(() => source.yielded).toBe(10)
    processor.pause()
    // The window has room again once it is told to flush; what is left may wait for its timer.
    await expect.poll(() => processor.stats().acked, { timeout: 8_000 }).toBeGreaterThan(0)
    processor.resume()
    source.end()
    await running
  }, 10_000)
})

describe('stats()', () => {
  test('tell what is in flight, and nothing once it has ended', async () => {
    const source = new ScriptedSource<Order>(
      itemsOf(8, () => ({ value: { bytes: 1_000, padding: new Uint8Array(500) } })),
      { batch: 8, stayOpen: true },
    )
    const destination = new ScriptedDestination<Uint8Array>({ holds: 'firmly' })
    const processor = new Processor<Order, Uint8Array>({ source, handler: obey, destination, threads: 2 })
    const none = { received: 0, inFlight: 0, inFlightBytes: 0, oldestMs: 0, seconds: 0 }
    const idle = { busy: 0, handled: 0, restarts: 0 }
    expect(processor.stats()).toMatchObject({ ...none, workers: [idle, idle] })
    const running = processor.run()
    await expect.poll(() => destination.ids.length).toBe(8)
    await settled()
    const during = processor.stats()
    expect(during).toMatchObject({ received: 8, inFlight: 8, acked: 0, emitted: 0 })
    expect(during.inFlightBytes).toBeGreaterThan(8 * 1_500)
    expect(during.inFlightBytes).toBeLessThan(8 * 1_500 + 8 * 300)
    expect(during.oldestMs).toBeGreaterThan(20)
    expect(during.oldestMs).toBeLessThan(during.seconds * 1_000)
    expect(during.workers.reduce((sum, { handled }) => sum + handled, 0)).toBe(8)
    for (const { busy } of during.workers) expect(busy).toBeLessThanOrEqual(1)
    destination.settle()
    expect(processor.stats()).toMatchObject({ inFlight: 0, inFlightBytes: 0, oldestMs: 0, acked: 8, emitted: 8 })
    source.end()
    const summary = await running
    expect(processor.stats()).toMatchObject({ ...summary, inFlight: 0, inFlightBytes: 0, oldestMs: 0 })
  })

  test('count the restarts of a worker', async () => {
    const source = new ScriptedSource<Order>([{ value: { exits: 1 } }, { value: {} }])
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), threads: 1 }
    const processor = new Processor<Order, unknown>(options)
    expect(await processor.run()).toMatchObject({ acked: 2 })
    expect(processor.stats().workers).toMatchObject([{ restarts: 1 }])
  })
})

test('onEvent is told of every kind of event', async () => {
  const seen = new Set<ProcessorEvent['type']>()
  const run = async (then: 'deadLetter' | 'drop' | 'nack'): Promise<void> => {
    const lanes = [new ScriptedLane('a', 'individual'), new ScriptedLane('b', 'individual')]
    const source = new ScriptedSource<Order>(
      itemsOf(60, (index) => ({
        value: { failures: index === 7 ? 1 : index === 9 ? 9 : 0, exits: index === 11 ? 1 : 0 },
        lane: lanes[index < 50 ? index % 2 : 0] as ScriptedLane,
      })),
      { batch: 10 },
    )
    let flushes = 0
    const destination = batch<unknown>(async () => (flushes++ === 0 ? Promise.reject(new Error('busy')) : undefined), {
      retry: { backoffMs: 1 },
      periodMs: 5,
    })
    await new Processor<Order, unknown>({
      source,
      handler: obey,
      destination,
      deadLetter: memoryDestination<DeadLetter>(),
      onError: { attempts: 2, backoffMs: 1, then },
      threads: 1,
      maxInFlight: 8,
      onEvent: ({ type }) => void seen.add(type),
    }).run()
  }
  await Promise.all([run('deadLetter'), run('drop'), run('nack')])
  const all = ['deadLetter', 'draining', 'drop', 'flushFailed', 'nack', 'paused', 'restart', 'resumed', 'retry']
  expect([...seen].toSorted()).toEqual(all)
})
