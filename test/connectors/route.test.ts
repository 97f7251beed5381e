import * as fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import { memoryDestination } from '../../src/connectors/memory/memory-destination.ts'
import { route } from '../../src/connectors/route/route.ts'
import type { Destination } from '../../src/destination.ts'
import { MillraceError } from '../../src/errors.ts'
import type { Message } from '../../src/message.ts'
import { observe, type Observable } from '../../src/util/observe.ts'
import { messagesOf, noAbort, type Outcome, RecordingSettlement } from '../helpers/recording-settlement.ts'

const names = ['a', 'b', 'c'] as const
type Name = (typeof names)[number]

test('G1, G3: each message reaches its branch in order and settles as the branch says, whatever the order of reports', () => {
  const runs = fc.array(fc.option(fc.constantFrom(...names), { nil: undefined }), { maxLength: 12 }).chain((chosen) =>
    fc.record({
      chosen: fc.constant(chosen),
      reports: fc.array(
        fc.record({
          name: fc.constantFrom(...names),
          at: fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
          ack: fc.boolean(),
        }),
        { maxLength: 20 },
      ),
    }),
  )
  fc.assert(
    fc.property(runs, ({ chosen, reports }) => {
      const ends = {
        a: memoryDestination<number>({ settle: 'manual' }),
        b: memoryDestination<number>({ settle: 'manual' }),
        c: memoryDestination<number>({ settle: 'manual' }),
      }
      const settlement = new RecordingSettlement(chosen.length)
      const destination = route((message: Message<number>) => chosen[message.value], ends)
      void destination.send(messagesOf(...chosen.keys()), settlement, noAbort)

      const indexesOf = (name: Name): number[] => [...chosen.keys()].filter((index) => chosen[index] === name)
      for (const name of names) expect(ends[name].values).toEqual(indexesOf(name))
      const held = { a: ends.a.pending[0], b: ends.b.pending[0], c: ends.c.pending[0] }
      const expected: Outcome[] = chosen.map((name) =>
        name === undefined ? (expect.objectContaining({ code: 'MR_ROUTE_UNMATCHED' }) as Error) : undefined,
      )
      expect(settlement.outcomes).toEqual(expected)
      for (const { name, at, ack } of reports) {
        const indexes = indexesOf(name)
        const [from, to] = at.map((part) => Math.round(part * indexes.length)).toSorted((x, y) => x - y) as [
          number,
          number,
        ]
        const reason = new Error(name)
        if (ack) held[name]?.ack(from, to)
        else held[name]?.nack(reason, from, to)
        for (const index of indexes.slice(from, to)) expected[index] ??= ack ? 'ack' : reason
        expect(settlement.outcomes).toEqual(expected)
      }
    }),
    { numRuns: 500 },
  )
})

test('neighbours are settled as one range, others are not touched', () => {
  const even = memoryDestination<number>({ settle: 'manual' })
  const low = memoryDestination<number>({ settle: 'manual' })
  const settlement = new RecordingSettlement(6)
  const destination = route((message) => (message.value < 3 ? 'low' : 'even'), { low, even })
  void destination.send(messagesOf(0, 1, 9, 2, 8, 8), settlement, noAbort)
  low.pending[0]?.ack()
  even.pending[0]?.ack(0, 0)
  even.pending[0]?.nack(new Error('no'), 0, 3)
  expect(settlement.ranges).toEqual([
    ['ack', 0, 2],
    ['ack', 3, 4],
    ['nack', 2, 3],
    ['nack', 4, 6],
  ])
  expect(() => low.pending[0]).not.toThrow()
})

test('a range outside of the part of a branch throws', () => {
  const all = memoryDestination<number>({ settle: 'manual' })
  const none = memoryDestination<number>({ settle: 'manual' })
  const settlement = new RecordingSettlement(2)
  void route((message) => (message.value === 0 ? 'all' : undefined), { all, none }).send(
    messagesOf(0, 1),
    settlement,
    noAbort,
  )
  expect(() => all.pending[0]?.ack(0, 2)).toThrow(expect.objectContaining({ code: 'MR_SETTLEMENT_RANGE' }))
  expect(none.pending).toEqual([])
})

test.each([
  ['returned undefined', () => undefined, undefined],
  ['named no branch', () => 'nowhere', undefined],
  ['named a property of every object', () => '__proto__', undefined],
  ['named another', () => 'constructor', undefined],
  ['returned a promise', () => Promise.resolve('known'), undefined],
  [
    'threw',
    () => {
      throw new TypeError('no level')
    },
    expect.any(TypeError) as unknown,
  ],
  [
    'threw null',
    () => {
      throw null as unknown as Error
    },
    expect.any(Error) as unknown,
  ],
])('what no branch takes is given up: choose %s', (_, choose, cause) => {
  const known = memoryDestination<string>()
  const settlement = new RecordingSettlement(1)
  void route(choose as () => 'known', { known }).send(messagesOf('x'), settlement, noAbort)
  const [outcome] = settlement.outcomes
  expect(outcome).toBeInstanceOf(MillraceError)
  expect(outcome).toMatchObject({ code: 'MR_ROUTE_UNMATCHED' })
  expect((outcome as Error).cause).toEqual(cause)
  expect(known.values).toEqual([])
})

test('a branch may have any name', () => {
  const odd = memoryDestination<string>()
  const branches = JSON.parse('{"__proto__": 0}') as Record<string, Destination<string>>
  Object.defineProperty(branches, '__proto__', { value: odd, enumerable: true })
  void route(() => '__proto__', branches).send(messagesOf('x'), new RecordingSettlement(1), noAbort)
  expect(odd.values).toEqual(['x'])
})

test('a fatal error of one branch is fatal and names it', async () => {
  const bad: Destination<string> = { send: () => Promise.reject(new Error('down')) }
  const good = memoryDestination<string>()
  const destination = route((message) => (message.value === 'x' ? 'bad' : 'good'), { bad, good })
  const settlement = new RecordingSettlement(2)
  await expect(destination.send(messagesOf('x', 'y'), settlement, noAbort)).rejects.toMatchObject({
    code: 'MR_SEND_FAILED',
    message: "branch 'bad' of `route` failed: down",
  })
  expect(settlement.outcomes).toEqual([undefined, 'ack'])
})

test('runs, flushes, observes and closes all branches', async () => {
  const calls: string[] = []
  const end: Destination<string> & Observable = {
    send() {},
    flush: () => calls.push('flush'),
    run: async () => void calls.push('run'),
    close: async () => void calls.push('close'),
    [observe]: () => calls.push('observe'),
  }
  const other = memoryDestination<string>()
  const destination: Destination<string> & Observable = route(() => 'end', { end, other })
  destination[observe]?.(() => {})
  await destination.run?.(noAbort)
  destination.flush?.()
  await destination.close?.()
  expect(calls).toEqual(['observe', 'run', 'flush', 'close'])
  expect([other.flushes, other.closed]).toEqual([1, true])
})

test('refuses wrong options', () => {
  const loose = route as (choose: unknown, branches: unknown) => unknown
  const end = memoryDestination<string>()
  for (const [choose, branches] of [
    ['a', { end }],
    [() => 'a', {}],
    [() => 'a', undefined],
    [() => 'a', { a: 1 }],
  ]) {
    expect(() => loose(choose, branches)).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  }
  expect(() => route(() => 'a', { a: end, b: end })).toThrow(expect.objectContaining({ code: 'MR_END_IN_USE' }))
})

test('types: the message is that of the branches, and only their names may be chosen', () => {
  const a: Destination<string> = memoryDestination<string>()
  const b: Destination<string | number> = memoryDestination<string | number>()
  const destination = route(
    (message) => {
      expectTypeOf(message.value).toEqualTypeOf<string>()
      return message.value === '' ? undefined : 'a'
    },
    { a, b },
  )
  expectTypeOf(destination).toEqualTypeOf<Destination<string>>()
  // @ts-expect-error: no branch has that name
  route(() => 'c', { a })
})
