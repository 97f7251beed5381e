import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { handlerOf, ids, runOver } from '../../helpers/pipeline.ts'

/** A server on the loopback that sends back what it gets, and counts connections. */
async function echoServer(): Promise<{ readonly port: number; connections: number }> {
  const counted = { port: 0, connections: 0 }
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    counted.connections++
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  counted.port = (server.address() as AddressInfo).port
  return counted
}

describe.each([1, 2])('async handlers with %i threads', (threads) => {
  test('sockets run between messages, and the order is kept (G3)', async () => {
    const server = await echoServer()
    const values = ids(60).map((id) => `message ${id} ${'.'.repeat(Number(id) * 10)}`)
    const handler = handlerOf<string>('async.mjs', 'ask', { port: server.port })
    const result = await runOver(handler, values, { threads, handlerConcurrency: 8 })
    expect(result.values).toEqual(values)
    expect(server.connections).toBe(60)
    expect(result.restarts).toBe(0)
  })

  test('a connection of the setup serves all messages of its worker', async () => {
    const server = await echoServer()
    const values = ids(300)
    const handler = handlerOf<string>('async.mjs', 'askOnOne', { port: server.port })
    const result = await runOver(handler, values, { threads, handlerConcurrency: 16 })
    expect(result.values).toEqual(values)
    expect(server.connections).toBe(threads)
  })
})

test.each([
  [1, 1],
  [8, 8],
  [3, 3],
])(
  'handlerConcurrency %i runs %i handlers at once, and outputs keep their order (G3)',
  async (handlerConcurrency, most) => {
    const waits = ids(40).map((_, index) => 5 + ((index * 7) % 20))
    const result = await runOver(handlerOf<number, number>('async.mjs', 'overlap'), waits, { handlerConcurrency })
    expect(Math.max(...result.values)).toBe(most)
    expect(result.outputs.map(({ id }) => id)).toEqual(ids(40).map((id) => `${id}#0`))
    expect(result.acked).toEqual(ids(40))
  },
)

test('handlerConcurrency 8 takes about an eighth of the time', async () => {
  const waits = ids(64).map(() => 50)
  const { summary } = await runOver(handlerOf<number>('async.mjs', 'wait'), waits, { handlerConcurrency: 8 })
  // One after the other they would take 3.2 s; in eights, 0.4 s and the start of the worker.
  expect(summary.seconds).toBeLessThan(1.6)
})

test.each([0, 1])(
  'timers of the setup fire between messages that keep the thread busy, with %i threads',
  async (threads) => {
    const busy = ids(200).map(() => 1)
    const result = await runOver(handlerOf<number, number>('async.mjs', 'ticking'), busy, { threads })
    // A turn at least every 5 ms or so of 200 ms.
    expect(result.values.at(-1)).toBeGreaterThan(10)
  },
)
