import { expect, test } from 'vitest'
import {
  iterable,
  memoryDestination,
  Processor,
  type ErrorPolicy,
  type HandlerRef,
  type ProcessorEvent,
} from 'millrace'

const values = Array.from({ length: 2_000 }, (_, index) => `message ${index}`)

async function through(fixture: string, onError: ErrorPolicy) {
  const events: ProcessorEvent[] = []
  const destination = memoryDestination<string>()
  const handler: HandlerRef<string, string> = { module: new URL(`../../fixtures/faults/${fixture}`, import.meta.url) }
  const processor = new Processor({
    source: iterable(values, { id: (_, index) => `${index}` }),
    handler,
    destination,
    threads: 2,
    onError,
    onEvent: (event) => events.push(event),
  })
  const summary = await processor.run()
  return { summary, received: destination.values, restarts: events.filter(({ type }) => type === 'restart') }
}

test('exitsAtRandom: workers end, and every message arrives once, in order (G1, G3, G5)', async () => {
  const { summary, received, restarts } = await through('exits-at-random.mjs', { attempts: 10, backoffMs: 1 })
  expect(restarts.length).toBeGreaterThan(5)
  expect(received).toEqual(values)
  expect(summary).toMatchObject({ received: values.length, acked: values.length, delivered: values.length })
})

test('exitsInWorker: only that worker ends, again and again, and every message arrives (G1, G5)', async () => {
  const { received, restarts } = await through('exits-in-worker.mjs', { backoffMs: 1 })
  expect(restarts.length).toBeGreaterThan(0)
  expect(restarts.every((event) => event.type === 'restart' && event.worker === 1)).toBe(true)
  expect(received).toEqual(values)
})

test('throwsAtRandom: retries are drawn anew, no worker ends, and every message arrives (G5)', async () => {
  const { received, restarts } = await through('throws-at-random.mjs', { attempts: 10, backoffMs: 1 })
  expect(restarts).toEqual([])
  expect(received).toEqual(values)
})
