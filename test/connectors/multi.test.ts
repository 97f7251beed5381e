import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { iterable } from '../../src/connectors/iterable/iterable.ts'
import { memorySource } from '../../src/connectors/memory/memory-source.ts'
import { multi } from '../../src/connectors/multi/multi.ts'
import type { MillraceError } from '../../src/errors.ts'
import { sourceFrom, type Delivery, type Lane, type Source } from '../../src/source.ts'
import { sourceChecks } from '../../src/testing/index.ts'
import { batchOf, collect, expectCode, never, next, values } from '../helpers/collect.ts'

const waiting = (): Source<never> => sourceFrom<never>(() => new Promise(() => {}))
const down = new Error('down')
const failing = (): Source<never> => sourceFrom<never>(() => Promise.reject(down))

function* repeat<T>(value: T): Generator<T> {
  for (;;) yield value
}

function delivery<T>(value: T, rest: Partial<Delivery<T>> = {}): Delivery<T> {
  return { message: { key: '', topic: 't', value }, ack() {}, ...rest }
}

const pauseOf = (lane: Lane | undefined): void => lane?.pause?.()
const resumeOf = (lane: Lane | undefined): void => lane?.resume?.()

describe('fan-in', () => {
  test('yields what all yield, each in its order, and ends when all have ended', async () => {
    const source = multi({ letters: iterable(['a', 'b', 'c']), numbers: iterable([1, 2]), none: iterable([]) })
    expectTypeOf(source).toEqualTypeOf<Source<string | number>>()
    const deliveries = await collect(source, 2)
    const of = (name: string): unknown[] => values(deliveries.filter(({ lane }) => lane?.name === name))
    expect(of('letters')).toEqual(['a', 'b', 'c'])
    expect(of('numbers')).toEqual([1, 2])
    expect(deliveries).toHaveLength(5)
    expect(await source.recv(never)).toBeUndefined()
  })

  test('does not end while one is still open', async () => {
    const open = memorySource<string>()
    const source = multi({ short: iterable(['a']), open })
    expect(values([await next(source)])).toEqual(['a'])
    const pending = source.recv(never)
    open.push('b')
    expect((await pending)?.message.value).toBe('b')
    const last = source.recv(never)
    open.end()
    expect(await last).toBeUndefined()
  })

  test('takes many sources without a warning', async () => {
    const warned = vi.fn()
    process.on('warning', warned)
    const many = Array.from({ length: 30 }, (_, index) => [`s${index}`, memorySource<string>()] as const)
    const source = multi(Object.fromEntries(many))
    const pending = source.recv(never)
    await new Promise((resolve) => setImmediate(resolve))
    await source.close?.()
    expect(await pending).toBeUndefined()
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', warned)
    expect(warned).not.toHaveBeenCalled()
  })

  test('there is at most one recv of each source under way', async () => {
    let running = 0
    let most = 0
    const slow = sourceFrom(async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setTimeout(resolve, 5))
      running -= 1
      return delivery('slow')
    })
    const source = multi({ slow, busy: iterable(repeat('busy')) })
    for (let count = 0; count < 20; count++) await batchOf(source, 10)
    expect(most).toBe(1)
  })

  test('G4: what waits inside is no more than a batch', async () => {
    let taken = 0
    const counting = (): Source<number> =>
      iterable(
        (function* () {
          for (;;) yield ++taken
        })(),
      )
    const source = multi({ a: counting(), b: counting(), c: counting() })
    let received = 0
    for (let count = 0; count < 10; count++) {
      received += (await batchOf(source, 12)).length
      expect(taken - received).toBeLessThanOrEqual(12)
    }
  })

  test('a batch is bounded by max and bytes', async () => {
    const source = multi({ a: iterable(repeat('aaaa')), b: iterable(repeat('bbbb')) })
    for (const max of [1, 2, 3, 10]) expect((await batchOf(source, max)).length).toBeLessThanOrEqual(max)
    for (let count = 0; count < 5; count++) expect((await batchOf(source, 10, 9)).length).toBeLessThanOrEqual(3)
    expect(await batchOf(source, 10, 0)).toHaveLength(1)
  })
})

describe('fairness', () => {
  test.each([1, 2, 100])('sources that are always ready get the same, %i at a time', async (max) => {
    const source = multi({ a: iterable(repeat('a')), b: iterable(repeat('b')), c: iterable(repeat('c')) })
    const counts = new Map<unknown, number>()
    for (let received = 0; received < 3_000;) {
      const batch = await batchOf(source, max)
      received += batch.length
      for (const value of values(batch)) counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    for (const value of ['a', 'b', 'c']) expect(counts.get(value)).toBeGreaterThan(900)
  })

  test('a source that never waits does not starve one that waits for a timer', async () => {
    const slow = sourceFrom(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      return delivery('slow')
    })
    const source = multi({ busy: iterable(repeat('busy')), slow })
    let seen = 0
    for (let count = 0; count < 100_000 && seen < 3; count++) {
      seen += values(await batchOf(source, 10)).filter((value) => value === 'slow').length
    }
    expect(seen).toBe(3)
  })
})

describe('lanes', () => {
  test('are the ones of the sources, or one for each, with its name and ack mode', async () => {
    const own: Lane = { name: 'partition-3', ackMode: 'individual' }
    const log = memorySource<string>({ ackMode: 'cumulative' })
    const queue = memorySource<string>()
    log.push('a')
    log.push('b')
    queue.push('c')
    queue.push('d', { lane: own })
    const source = multi({ log, queue })
    const deliveries = await batchOf(source)
    while (deliveries.length < 4) (deliveries as Delivery<string>[]).push(...(await batchOf(source)))
    const laneOf = (value: string): Lane | undefined => deliveries.find(({ message }) => message.value === value)?.lane
    expect(laneOf('a')).toMatchObject({ name: 'log', ackMode: 'cumulative' })
    expect(laneOf('b')).toBe(laneOf('a'))
    expect(laneOf('c')).toMatchObject({ name: 'queue', ackMode: 'individual' })
    expect(laneOf('d')).toBe(own)
    expect(source.ackMode).toBe('cumulative')
    expect(multi({ queue }).ackMode).toBe('individual')
  })

  test('a paused source is not asked, and does not hold up the others; resumed, it goes on', async () => {
    const recv = vi.fn(async () => delivery('paused'))
    const source = multi({ paused: sourceFrom(recv), other: iterable(repeat('other')) })
    const first: Delivery<string>[] = []
    while (first.every(({ lane }) => lane?.name !== 'paused')) first.push(...(await batchOf(source, 2)))
    const lane = first.find(({ lane }) => lane?.name === 'paused')?.lane
    pauseOf(lane)
    const asked = recv.mock.calls.length
    for (let count = 0; count < 10; count++) {
      for (const value of values(await batchOf(source, 4))) expect(value).toBe('other')
    }
    expect(recv.mock.calls.length - asked).toBeLessThanOrEqual(1)
    resumeOf(lane)
    const later = [...(await batchOf(source, 4)), ...(await batchOf(source, 4))]
    expect(values(later)).toContain('paused')
  })

  test('what was received ahead of a paused source waits for it to be resumed', async () => {
    const source = multi({ a: iterable(repeat('a')), b: iterable(repeat('b')) })
    const first = await next(source)
    await next(source)
    await new Promise((resolve) => setImmediate(resolve))
    pauseOf(first.lane)
    const other = first.message.value === 'a' ? 'b' : 'a'
    for (let count = 0; count < 10; count++) expect((await next(source)).message.value).toBe(other)
    resumeOf(first.lane)
    const later = values([await next(source), await next(source)])
    expect(later).toContain(first.message.value)
  })

  test('a recv that waits because all are paused goes on when one is resumed', async () => {
    const inner = memorySource<string>()
    const source = multi({ inner })
    inner.push('a')
    const { lane } = await next(source)
    pauseOf(lane)
    inner.push('b')
    const pending = source.recv(never)
    const early = await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 20, 'none'))])
    expect(early).toBe('none')
    resumeOf(lane)
    expect((await pending)?.message.value).toBe('b')
  })
})

describe('settlement', () => {
  test('G2: goes to the source that yielded the delivery', async () => {
    const a = memorySource<string>({ log: true })
    const b = memorySource<string>({ log: true })
    for (const value of ['a0', 'a1']) a.push(value, { redelivered: 2 })
    for (const value of ['b0', 'b1']) b.push(value)
    a.end()
    b.end()
    const reason = new Error('no')
    for (const delivery of await collect(multi({ a, b }))) {
      expect(delivery.redelivered).toBe(delivery.lane?.name === 'a' ? 2 : undefined)
      if (delivery.message.value === 'b0') await delivery.nack?.(reason)
      else await delivery.ack()
    }
    const outcomes = (source: typeof a): unknown[] =>
      source.settlements.map(({ message, outcome }) => `${message.value} ${outcome.status}`)
    expect(outcomes(a)).toEqual(['a0 acked', 'a1 acked'])
    expect(outcomes(b)).toEqual(['b0 nacked', 'b1 acked'])
  })

  test('ackBatch reaches the right source with its own deliveries, or their single acks', async () => {
    const given = [delivery('a'), delivery('b')]
    const ackBatch = vi.fn()
    const batches = [given, []]
    const batching: Source<string> = {
      recv: async () => undefined,
      recvBatch: async () => batches.shift() ?? [],
      ackBatch,
    }
    const plain = memorySource<string>({ log: true, ackMode: 'cumulative' })
    for (const value of ['x', 'y']) plain.push(value)
    plain.end()
    const source = multi({ batching, plain })
    const deliveries = await collect(source)
    const of = (name: string): Delivery<string>[] => deliveries.filter(({ lane }) => lane?.name === name)
    await source.ackBatch?.(of('plain'))
    expect(ackBatch).not.toHaveBeenCalled()
    expect(plain.settlements.map(({ message }) => message.value)).toEqual(['x', 'y'])
    await source.ackBatch?.(of('batching'))
    expect(ackBatch.mock.calls[0]?.[0]).toEqual(given)
    expect(ackBatch.mock.calls[0]?.[0][1]).toBe(given[1])
  })

  test('single acks of a run stop at the first that throws; a late rejection rejects the run', async () => {
    const acked: number[] = []
    const acks = [() => void acked.push(0), () => Promise.reject(down), () => void acked.push(2)]
    const rejecting = multi({ a: sourceFrom(async () => undefined), b: iterable([]) })
    expect(await batchOf(rejecting)).toEqual([])
    const one = multi({ a: laneOf(acks) })
    await expect(one.ackBatch?.(await collect(one))).rejects.toBe(down)
    expect(acked).toEqual([0, 2])

    acked.length = 0
    const throwing = [
      () => Promise.reject(new Error('unheard')),
      () => {
        throw down
      },
      () => void acked.push(2),
    ]
    const two = multi({ a: laneOf(throwing) })
    const deliveries = await collect(two)
    expect(() => two.ackBatch?.(deliveries)).toThrow(down)
    expect(acked).toEqual([])
  })
})

function laneOf(acks: readonly Delivery<number>['ack'][]): Source<number> {
  const left = acks.map((ack, index) => delivery(index, { ack }))
  return sourceFrom(async () => left.shift())
}

describe('a failing source', () => {
  test('fails the whole at once, with its name and the cause, though others wait or flow', async () => {
    for (const others of [{ waiting: waiting() }, { busy: iterable(repeat('x')) }]) {
      const source = multi({ ...others, broken: failing() })
      const pending = (async () => {
        for (;;) await source.recv(never)
      })()
      const error = await expectCode(pending, 'MR_SOURCE_FAILED', /source 'broken' of multi .*: down/)
      expect(error.cause).toBe(down)
      await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /'broken'/)
    }
  })

  test('yields no message in place of the error', async () => {
    const source = multi({ broken: failing() })
    await expect(source.recv(never)).rejects.toThrow('down')
  })

  test('that yields rubbish is named', async () => {
    const source = multi({ bad: sourceFrom(async () => ({ message: undefined }) as never) })
    const error: MillraceError = await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /source 'bad'/)
    expect(error.cause).toMatchObject({ code: 'MR_SOURCE_DELIVERY' })
  })

  test('after an abort it is the end', async () => {
    const controller = new AbortController()
    const late = sourceFrom<string>(
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(down))),
    )
    const source = multi({ late })
    const pending = source.recv(controller.signal)
    controller.abort()
    expect(await pending).toBeUndefined()
    expect(await source.recv(controller.signal)).toBeUndefined()
  })
})

describe('abort', () => {
  test('G6: recv ends though no source heeds the signal', async () => {
    const controller = new AbortController()
    const source = multi({ a: waiting(), b: waiting() })
    const pending = source.recv(controller.signal)
    controller.abort()
    expect(await pending).toBeUndefined()
    await source.close?.()
  })

  test('what was received ahead is still yielded, and no source is asked again', async () => {
    const recv = vi.fn(async () => delivery('a'))
    const source = multi({ a: sourceFrom(recv), b: sourceFrom(recv) })
    await next(source)
    const received = recv.mock.calls.length
    await new Promise((resolve) => setImmediate(resolve))
    const rest = await batchOf(source, 10, Infinity, AbortSignal.abort())
    expect(rest).toHaveLength(received - 1)
    expect(await batchOf(source, 10, Infinity, AbortSignal.abort())).toEqual([])
    expect(recv.mock.calls.length).toBe(received)
  })
})

describe('run and close', () => {
  test('every source is run and closed, once; runs get a signal that aborts at the end', async () => {
    const calls: string[] = []
    const part = (name: string): Source<never> => ({
      recv: async () => undefined,
      run: async (signal) => {
        calls.push(`run ${name}`)
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        calls.push(`ran ${name}`)
      },
      close: async () => void calls.push(`close ${name}`),
    })
    const source = multi({ a: part('a'), b: part('b'), bare: sourceFrom(async () => undefined) })
    const controller = new AbortController()
    const running = source.run?.(controller.signal)
    expect(calls).toEqual(['run a', 'run b'])
    controller.abort()
    await running
    await Promise.all([source.close?.(), source.close?.()])
    expect(calls).toEqual(['run a', 'run b', 'ran a', 'ran b', 'close a', 'close b'])
  })

  test('a run that fails fails the whole at once, with its name; close waits for the others', async () => {
    let ended = false
    const steady: Source<never> = {
      recv: () => new Promise(() => {}),
      run: async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        await new Promise((resolve) => setTimeout(resolve, 10))
        ended = true
      },
    }
    const broken: Source<never> = { recv: () => new Promise(() => {}), run: () => Promise.reject(down) }
    const source = multi({ steady, broken })
    const error = await expectCode(source.run?.(never) ?? Promise.resolve(), 'MR_SOURCE_FAILED', /source 'broken'/)
    expect(error.cause).toBe(down)
    expect(ended).toBe(false)
    await source.close?.()
    expect(ended).toBe(true)
  })

  test('a close that fails is named, and does not keep the others open', async () => {
    const close = vi.fn(async () => {})
    const source = multi({
      broken: { recv: async () => undefined, close: () => Promise.reject(down) },
      other: { recv: async () => undefined, close },
    })
    await expectCode(source.close?.() ?? Promise.resolve(), 'MR_END_FAILED', /source 'broken'.*down/)
    expect(close).toHaveBeenCalledTimes(1)
  })
})

describe('bad input', () => {
  test.each([undefined, null, {}, [], 'text'])('%o is refused as sources', async (bad) => {
    await expectCode(() => multi(bad as never), 'MR_OPTION_INVALID', /one or more sources by name/)
  })

  test('what is no source is refused by name, and a source that is given twice', async () => {
    await expectCode(() => multi({ a: {} as never }), 'MR_OPTION_INVALID', /`sources\.a`/)
    const twice = iterable([1])
    await expectCode(() => multi({ a: twice, b: twice }), 'MR_END_IN_USE', /'a' and 'b'/)
  })
})

function dealt(given: readonly Uint8Array[]): Source<Uint8Array> {
  return multi({
    even: iterable(
      given.filter((_, index) => index % 2 === 0),
      { topic: 'even' },
    ),
    odd: iterable(
      given.filter((_, index) => index % 2 === 1),
      { topic: 'odd' },
    ),
  })
}

describe('conformance', () => {
  for (const check of sourceChecks({ create: dealt })) test(check.name, check.run)
})
