import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { iterable } from '../../src/connectors/iterable/iterable.ts'
import { memorySource } from '../../src/connectors/memory/memory-source.ts'
import { mapSource } from '../../src/map-source.ts'
import { Attributes, type Message } from '../../src/message.ts'
import { sourceFrom, type Delivery, type Lane, type Source } from '../../src/source.ts'
import { sourceChecks } from '../../src/testing/index.ts'
import { batchOf, collect, expectCode, never, next, values } from '../helpers/collect.ts'

const upper = (message: Message<string>): Message<string> => ({ ...message, value: message.value.toUpperCase() })
const same = <T>(message: Message<T>): Message<T> => message

function delivery<T>(value: T, rest: Partial<Delivery<T>> = {}): Delivery<T> {
  return { message: { key: '', topic: 't', value }, ack() {}, ...rest }
}

test('messages are mapped, one by one and in batches, to another type', async () => {
  const source = mapSource(iterable(['a', 'bb']), (message) => ({ ...message, value: message.value.length }))
  expectTypeOf(source).toEqualTypeOf<Source<number>>()
  expect(values(await collect(source))).toEqual([1, 2])
  expect(values([await next(mapSource(iterable(['a']), upper))])).toEqual(['A'])
})

test('G2: lane, redelivery count, ack and nack are those of the inner delivery', async () => {
  const lane: Lane = { name: 'p0', ackMode: 'individual', pause: vi.fn(), resume: vi.fn() }
  const inner = memorySource<string>({ log: true })
  inner.push('a', { lane, redelivered: 3 })
  inner.push('b')
  const reason = new Error('no')
  const [a, b] = await batchOf(mapSource(inner, upper))
  expect(a?.lane).toBe(lane)
  expect(a?.redelivered).toBe(3)
  expect(b).not.toHaveProperty('lane')
  expect(b).not.toHaveProperty('redelivered')
  await b?.nack?.(reason)
  await a?.ack()
  expect(inner.settlements.map(({ message, outcome }) => [message.value, outcome.status])).toEqual([
    ['b', 'nacked'],
    ['a', 'acked'],
  ])
})

test('the promise of an ack is passed on, and its rejection', async () => {
  const source = mapSource(
    sourceFrom(async () => delivery('a', { ack: () => Promise.reject(new Error('late')) })),
    same,
  )
  await expect((await next(source)).ack()).rejects.toThrow('late')
})

test('what the inner source does not have, the mapped one has not either', async () => {
  const bare = mapSource(
    sourceFrom(async () => delivery('a')),
    same,
  )
  for (const name of ['recvBatch', 'ackBatch', 'run', 'close', 'ackMode']) expect(bare).not.toHaveProperty(name)
  expect('nack' in (await next(bare))).toBe(false)
})

test('ackBatch gets the inner deliveries, also through two mappings', async () => {
  const given = [delivery('a'), delivery('b')]
  const ackBatch = vi.fn()
  const inner: Source<string> = { ...sourceFrom(async () => undefined), recvBatch: async () => given, ackBatch }
  const source = mapSource(mapSource(inner, upper), same)
  await source.ackBatch?.(await batchOf(source))
  expect(ackBatch.mock.calls).toEqual([[given]])
  expect(ackBatch.mock.calls[0]?.[0][0]).toBe(given[0])
})

test('run, close and ackMode are the inner ones, called on the inner source', async () => {
  const calls: unknown[] = []
  class Inner implements Source<string> {
    readonly ackMode = 'individual'
    recv(): Promise<undefined> {
      calls.push(['recv', this])
      return Promise.resolve(undefined)
    }
    run(signal: AbortSignal): Promise<void> {
      calls.push(['run', this, signal])
      return Promise.resolve()
    }
    close(): Promise<void> {
      calls.push(['close', this])
      return Promise.reject(new Error('stuck'))
    }
  }
  const inner = new Inner()
  const source = mapSource(inner, upper)
  expect(source.ackMode).toBe('individual')
  await source.run?.(never)
  expect(await source.recv(never)).toBeUndefined()
  await expect(source.close?.()).rejects.toThrow('stuck')
  expect(calls).toEqual([
    ['run', inner, never],
    ['recv', inner],
    ['close', inner],
  ])
})

test('G8: what the function leaves alone is kept', async () => {
  class Origin extends Attributes {}
  const inner = memorySource<string>()
  const attributes = new Origin()
  inner.push('a', { id: '1', key: 'k', headers: { h: '1' }, attributes })
  const { message } = await next(mapSource(inner, upper))
  expect(message).toEqual({ id: '1', key: 'k', topic: 'memory', headers: { h: '1' }, attributes, value: 'A' })
  expect(message.attributes).toBe(attributes)
})

describe('failures', () => {
  const cause = new Error('unreadable')
  const failing = (): never => {
    throw cause
  }

  test.each(['recv', 'recvBatch'] as const)('a throw rejects %s, acks nothing, and names the message', async (how) => {
    const inner = memorySource<string>()
    inner.push('a', { id: 'entry-7' })
    const source = mapSource(inner, failing)
    const pending = how === 'recv' ? source.recv(never) : batchOf(source)
    const error = await expectCode(pending, 'MR_SOURCE_FAILED', /'entry-7': unreadable/)
    expect(error.cause).toBe(cause)
    expect(inner.acked).toBe(0)
    expect(inner.inFlight).toBe(1)
  })

  test.each([undefined, null, 'text', {}, Promise.resolve({ key: '', topic: '', value: 1 })])(
    'a result of %o is refused',
    async (result) => {
      const source = mapSource(iterable(['a']), () => result as never)
      await expectCode(source.recv(never), 'MR_SOURCE_DELIVERY', /return a message, got/)
    },
  )

  test.each([null, {}, { message: null, ack() {} }, { message: {} }])('a delivery of %o is refused', async (bad) => {
    const source = mapSource(
      sourceFrom(async () => bad as never),
      same,
    )
    await expectCode(source.recv(never), 'MR_SOURCE_DELIVERY', /deliveries, each with a message and an ack/)
  })

  test('an error of the inner source is passed on as it is', async () => {
    const source = mapSource(
      sourceFrom(() => Promise.reject(cause)),
      same,
    )
    await expect(source.recv(never)).rejects.toBe(cause)
  })

  test.each([undefined, null, {}, () => {}, 'text'])('%o is refused as a source', async (bad) => {
    await expectCode(() => mapSource(bad as never, same), 'MR_OPTION_INVALID', /`source`/)
  })

  test('what is no function is refused', async () => {
    await expectCode(() => mapSource(iterable([]), undefined as never), 'MR_OPTION_INVALID', /`map`/)
  })
})

const mapped = (given: readonly Uint8Array[]): Source<Uint8Array> => mapSource(iterable(given), same)

describe('conformance', () => {
  for (const check of sourceChecks({ create: mapped })) test(check.name, check.run)
})
