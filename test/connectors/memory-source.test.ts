import { describe, expect, expectTypeOf, test } from 'vitest'
import { memorySource, type MemorySource } from '../../src/connectors/memory/memory-source.ts'
import type { Lane } from '../../src/source.ts'
import { sourceChecks } from '../../src/testing/index.ts'
import { batchOf, collect, expectCode, never, next, values } from '../helpers/collect.ts'

const reason = new Error('given up')

describe('push and recv', () => {
  test('messages come in the order of push, before and while recv waits', async () => {
    const source = memorySource<string>()
    source.push('a')
    source.push('b')
    expect(values(await batchOf(source))).toEqual(['a', 'b'])
    const pending = batchOf(source)
    source.push('c')
    expect(values(await pending)).toEqual(['c'])
    source.push('d')
    source.end()
    expect(values(await collect(source))).toEqual(['d'])
  })

  test('a message has the fields it was pushed with', async () => {
    const lane: Lane = { name: 'p0', ackMode: 'cumulative' }
    const source = memorySource<string>({ topic: 'orders' })
    source.push('a')
    source.push('b', { id: '7', key: 'k', topic: 't', headers: { h: '1' }, redelivered: 2, lane })
    const [plain, full] = await batchOf(source)
    expect(plain?.message).toEqual({ key: '', topic: 'orders', value: 'a' })
    expect(full?.message).toEqual({ id: '7', key: 'k', topic: 't', headers: { h: '1' }, value: 'b' })
    expect(full?.lane).toBe(lane)
    expect(full?.redelivered).toBe(2)
    expect(plain).toHaveProperty('nack')
    expect(full).not.toHaveProperty('nack')
  })

  test('a batch is bounded by max and bytes, and the queue keeps its order through many of them', async () => {
    const source = memorySource<string>()
    for (let index = 0; index < 10_000; index++) source.push(`${index}`.padStart(10))
    source.end()
    expect(await batchOf(source, 100, 25)).toHaveLength(3)
    expect(await batchOf(source, 100, 0)).toHaveLength(1)
    const rest = await collect(source, 7)
    expect(values(rest).map(Number)).toEqual(Array.from({ length: 9_996 }, (_, index) => index + 4))
  })

  test('its types: what is pushed is what is received', () => {
    expectTypeOf(memorySource<number>).returns.toEqualTypeOf<MemorySource<number>>()
    // @ts-expect-error a string is no number
    memorySource<number>().push('a')
  })
})

describe('the end', () => {
  test('ends once the queue is empty, and stays the end, with no zero messages', async () => {
    const source = memorySource<string>()
    const pending = source.recv(never)
    source.end()
    source.end()
    expect(await pending).toBeUndefined()
    for (let times = 0; times < 3; times++) expect(await source.recv(never)).toBeUndefined()
  })

  test.each(['end', 'fail', 'close'] as const)('push after %s throws', async (how) => {
    const source = memorySource<string>({ topic: 'orders' })
    if (how === 'fail') source.fail(reason)
    else await source[how]?.()
    await expectCode(() => source.push('late'), 'MR_SOURCE_FAILED', /memory source 'orders'.*before end\(\)/)
  })

  test('fail rejects recv, the waiting one too, with the cause', async () => {
    const source = memorySource<string>()
    const pending = source.recv(never)
    source.fail(reason)
    const error = await expectCode(pending, 'MR_SOURCE_FAILED', /given up/)
    expect(error.cause).toBe(reason)
    await expectCode(batchOf(source), 'MR_SOURCE_FAILED', /given up/)
  })

  test('G6: recv ends with its signal, and what is pushed then waits', async () => {
    const source = memorySource<string>()
    const controller = new AbortController()
    const pending = source.recv(controller.signal)
    controller.abort()
    expect(await pending).toBeUndefined()
    source.push('a')
    expect(await source.recv(controller.signal)).toBeUndefined()
    expect(source.pending).toBe(1)
  })
})

describe('settlements', () => {
  test('settled tells what became of a message, whenever it is asked', async () => {
    const source = memorySource<string>()
    const [first, second, third] = [source.push('a'), source.push('b'), source.push('c')]
    const early = first.settled
    const [a, b] = await batchOf(source, 2)
    expect(first.outcome).toBeUndefined()
    await a?.ack()
    await b?.nack?.(reason)
    expect(await early).toEqual({ status: 'acked' })
    expect(await second.settled).toEqual({ status: 'nacked', reason })
    expect(third.outcome).toBeUndefined()
    await source.close?.()
    expect(await third.settled).toEqual({ status: 'unsettled' })
  })

  test('close settles what is in flight as unsettled, so that nobody waits for ever', async () => {
    const source = memorySource<string>()
    const pushed = source.push('a')
    await next(source)
    await source.close?.()
    await source.close?.()
    expect(await pushed.settled).toEqual({ status: 'unsettled' })
    expect(await source.recv(never)).toBeUndefined()
  })

  test('the counters say where the messages are', async () => {
    const source = memorySource<string>()
    for (const value of ['a', 'b', 'c', 'd']) source.push(value)
    const [a, b] = await batchOf(source, 3)
    await a?.ack()
    await b?.nack?.(reason)
    const { pending, inFlight, acked, nacked } = source
    expect({ pending, inFlight, acked, nacked }).toEqual({ pending: 1, inFlight: 1, acked: 1, nacked: 1 })
  })

  test('the first settlement stays; the log has every call', async () => {
    const source = memorySource<string>({ log: true })
    const pushed = source.push('a')
    const delivery = await next(source)
    await delivery.ack()
    await delivery.nack?.(reason)
    await delivery.ack()
    expect(pushed.outcome).toEqual({ status: 'acked' })
    expect(source.acked).toBe(1)
    expect(source.nacked).toBe(0)
    const { message } = delivery
    expect(source.settlements).toEqual([
      { message, outcome: { status: 'acked' }, repeated: false },
      { message, outcome: { status: 'nacked', reason }, repeated: true },
      { message, outcome: { status: 'acked' }, repeated: true },
    ])
  })

  test('without a log nothing is kept', async () => {
    const source = memorySource<string>()
    source.push('a')
    await (await next(source)).ack()
    expect(source.settlements).toEqual([])
  })

  test('a cumulative source has no nack', async () => {
    const source = memorySource<string>({ ackMode: 'cumulative' })
    source.push('a')
    expect(source.ackMode).toBe('cumulative')
    expect(await next(source)).not.toHaveProperty('nack')
  })
})

test('a wrong option is refused', async () => {
  await expectCode(() => memorySource({ ackMode: 'some' as never }), 'MR_OPTION_INVALID', /`ackMode`/)
  await expectCode(() => memorySource({ log: 1 as never }), 'MR_OPTION_INVALID', /`log`/)
  await expectCode(() => memorySource({ size: 1 } as never), 'MR_OPTION_INVALID', /`size`/)
})

function holding(given: readonly Uint8Array[]): MemorySource<Uint8Array> {
  const source = memorySource<Uint8Array>()
  for (const value of given) source.push(value)
  source.end()
  return source
}

describe('conformance', () => {
  for (const check of sourceChecks({ create: holding })) test(check.name, check.run)
})
