import { batch, memoryDestination, Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, randomFrom, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

describe.each([
  ['recv', undefined],
  ['recvBatch', 500],
] as const)('G4: with %s', (_name, batchSize) => {
  test.each([1, 7, 64])('never more than maxInFlight = %i messages are received and unsettled', async (maxInFlight) => {
    const random = randomFrom(maxInFlight)
    const items = itemsOf(maxInFlight === 1 ? 60 : 600, () => ({ value: { outputs: Math.floor(random() * 3) } }))
    const source = new ScriptedSource<Order>(items, batchSize === undefined ? {} : { batch: batchSize })
    const destination = new ScriptedDestination<unknown>({ settleMs: () => Math.floor(random() * 4) })
    const options = { source, handler: obey, destination, threads: 2, maxInFlight }
    const summary = await new Processor<Order, unknown>(options).run()
    expect(summary.acked).toBe(items.length)
    expect(source.mostOutstanding).toBeLessThanOrEqual(maxInFlight)
    expect(source.mostOutstanding, 'and the window is used').toBeGreaterThan(maxInFlight / 2)
    expect(source.asked.every((max) => max >= 1 && max <= maxInFlight)).toBe(true)
    expect(source.violations).toEqual([])
  })
})

test('G4: the received bytes stay within maxInFlightBytes, but for one message', async () => {
  const items = itemsOf(200, () => ({ value: new Uint8Array(1_000) }))
  const source = new ScriptedSource<Uint8Array>(items)
  const destination = batch<unknown>(async () => {}, { count: 7 })
  const { pipe } = await import('millrace/handler')
  const options = { source, handler: pipe, destination, threads: 2, maxInFlightBytes: 10_500 } as const
  const summary = await new Processor<Uint8Array, unknown>(options).run()
  expect(summary.acked).toBe(200)
  expect(source.mostOutstanding).toBeLessThanOrEqual(11)
  expect(source.mostOutstanding).toBeGreaterThan(5)
})

test('G4: a destination that settles nothing stops the source at maxInFlight, and nothing is lost', async () => {
  const source = new ScriptedSource<Order>(
    itemsOf(300, () => ({ value: {} })),
    { batch: 10 },
  )
  const destination = new ScriptedDestination<unknown>({ holds: 'firmly' })
  const options = { source, handler: obey, destination, threads: 1, maxInFlight: 25 }
  const processor = new Processor<Order, unknown>(options)
  const running = processor.run()
  await expect.poll(() => destination.ids.length).toBe(25)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(source.yielded).toBe(25)
  expect(processor.stats()).toMatchObject({ inFlight: 25, acked: 0, received: 25 })
  expect(destination.flushes, 'it was told that it is waited for').toBeGreaterThan(0)

  destination.settle('m0#0', 'm1#0')
  await expect.poll(() => source.yielded).toBe(27)
  const timer = setInterval(() => destination.settle(), 1)
  expect(await running).toMatchObject({ acked: 300 })
  clearInterval(timer)
})

test('G4: where outputs are far larger than inputs, only the oldest is handled once the window is full', async () => {
  const maxInFlightBytes = 1024 * 1024
  const outputBytes = 300_000
  const source = new ScriptedSource<Order>(
    itemsOf(60, () => ({ value: { bytes: outputBytes, spinMs: 3 } })),
    { batch: 60 },
  )
  const destination = new ScriptedDestination<Uint8Array>({ holds: 'firmly' })
  const options = { source, handler: obey, destination, threads: 2, maxInFlightBytes }
  const processor = new Processor<Order, Uint8Array>(options)
  const running = processor.run()
  // Nothing is settled: what was handled is what the window allows, and what the two workers had in hand.
  await expect.poll(() => processor.stats().inFlightBytes).toBeGreaterThan(maxInFlightBytes)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(processor.stats().inFlightBytes).toBeLessThan(maxInFlightBytes + 8 * outputBytes)
  expect(destination.ids.length).toBeLessThan(15)

  const timer = setInterval(() => destination.settle(), 1)
  expect(await running).toMatchObject({ acked: 60, emitted: 60 })
  clearInterval(timer)
  expect(processor.stats().inFlightBytes).toBe(0)
}, 10_000)

test('G4: a window whose bytes are full of outputs waits for no timer, though the source has nothing to yield', async () => {
  const source = new ScriptedSource<Order>(
    itemsOf(40, () => ({ value: { bytes: 100_000, spinMs: 3 } })),
    { batch: 40, stayOpen: true },
  )
  const destination = batch<Uint8Array>(async () => {}, { count: 1_000, periodMs: 60_000 })
  const options = { source, handler: obey, destination, threads: 1, maxInFlightBytes: 300_000 }
  const processor = new Processor<Order, Uint8Array>(options)
  const running = processor.run()
  await expect.poll(() => processor.stats().acked, { timeout: 8_000 }).toBeGreaterThan(30)
  source.end()
  expect(await running).toMatchObject({ acked: 40 })
}, 10_000)

test('G4: one message larger than maxInFlightBytes goes through alone', async () => {
  const { pipe } = await import('millrace/handler')
  const source = new ScriptedSource<Uint8Array>(
    itemsOf(5, () => ({ value: new Uint8Array(5_000) })),
    { batch: 5 },
  )
  const options = { source, handler: pipe, destination: memoryDestination<unknown>(), threads: 1, maxInFlightBytes: 1 }
  expect(await new Processor<Uint8Array, unknown>(options).run()).toMatchObject({ acked: 5 })
})
