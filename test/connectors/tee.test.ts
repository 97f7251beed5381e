import * as fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import { memoryDestination } from '../../src/connectors/memory/memory-destination.ts'
import { tee } from '../../src/connectors/tee/tee.ts'
import type { Destination } from '../../src/destination.ts'
import { MillraceError } from '../../src/errors.ts'
import { observe, type Observable } from '../../src/util/observe.ts'
import { messagesOf, noAbort, type Outcome, RecordingSettlement } from '../helpers/recording-settlement.ts'

const acking = (): Destination<unknown> => memoryDestination<unknown>()

test('G1, G10: settles a message once, only after every branch has, with the worst outcome, however reports overlap', () => {
  const runs = fc.integer({ min: 2, max: 4 }).chain((branches) =>
    fc.integer({ min: 0, max: 6 }).chain((length) =>
      fc.record({
        branches: fc.constant(branches),
        length: fc.constant(length),
        reports: fc.array(
          fc.record({
            branch: fc.nat(branches - 1),
            range: fc.tuple(fc.nat(length), fc.nat(length)),
            ack: fc.boolean(),
          }),
          { maxLength: 40 },
        ),
      }),
    ),
  )
  fc.assert(
    fc.property(runs, ({ branches, length, reports }) => {
      const ends = Array.from({ length: branches }, () => memoryDestination<number>({ settle: 'manual' }))
      const [first, second, ...rest] = ends
      if (first === undefined || second === undefined) throw new Error('two branches or more')
      const settlement = new RecordingSettlement(length)
      void tee(first, second, ...rest).send(messagesOf(...Array(length).keys()), settlement, noAbort)
      const held = ends.map((end) => end.pending[0])
      const model = Array.from({ length }, () => new Map<number, 'ack' | Error>())
      const worst: Outcome[] = Array.from({ length }, () => undefined)

      reports.forEach(({ branch, range, ack }, step) => {
        const [from, to] = range.toSorted((a, b) => a - b) as [number, number]
        const reason = new Error(`step ${step}`)
        if (ack) held[branch]?.ack(from, to)
        else held[branch]?.nack(reason, from, to)
        for (let index = from; index < to; index++) {
          const told = model[index]
          if (told === undefined || told.has(branch)) continue
          told.set(branch, ack ? 'ack' : reason)
          if (told.size === branches) worst[index] = [...told.values()].find((one) => one !== 'ack') ?? 'ack'
        }
        expect(settlement.outcomes).toEqual(worst)
        expect(settlement.reports.every((all) => all.length <= 1)).toBe(true)
      })
    }),
    { numRuns: 500 },
  )
})

test('settles in ranges', () => {
  const left = memoryDestination<string>({ settle: 'manual' })
  const right = memoryDestination<string>({ settle: 'manual' })
  const settlement = new RecordingSettlement(6)
  void tee(left, right).send(messagesOf('a', 'b', 'c', 'd', 'e', 'f'), settlement, noAbort)
  const reason = new Error('no')
  left.pending[0]?.nack(reason, 2, 4)
  left.pending[0]?.ack()
  expect(settlement.ranges).toEqual([])
  right.pending[0]?.ack()
  expect(settlement.ranges).toEqual([
    ['ack', 0, 2],
    ['nack', 2, 4],
    ['ack', 4, 6],
  ])
})

test('a range outside of the send throws, and settles nothing', () => {
  const left = memoryDestination<string>({ settle: 'manual' })
  const settlement = new RecordingSettlement(1)
  void tee<string>(left, acking()).send(messagesOf('a'), settlement, noAbort)
  for (const [from, to] of [
    [0, 2],
    [-1, 1],
    [1, 0],
    [0.5, 1],
    [NaN, 1],
  ] as const) {
    expect(() => left.pending[0]?.ack(from, to)).toThrow(expect.objectContaining({ code: 'MR_SETTLEMENT_RANGE' }))
  }
  expect(settlement.outcomes).toEqual([undefined])
})

test('G1: a nack without a reason is never taken for an ack', () => {
  const careless: Destination<string> = {
    send(_, settlement) {
      settlement.nack(undefined as unknown as Error)
    },
  }
  const settlement = new RecordingSettlement(1)
  void tee<string>(careless, acking()).send(messagesOf('a'), settlement, noAbort)
  expect(settlement.outcomes).toEqual([expect.any(Error)])
})

test('is ready for the next when all branches are: at once, or when the slowest is', async () => {
  expect(tee(acking(), acking()).send([], new RecordingSettlement(0), noAbort)).toBeUndefined()
  let free: (() => void) | undefined
  const slow: Destination<string> = { send: () => new Promise((resolve) => (free = resolve)) }
  let ready = false
  const sent = Promise.resolve(
    tee<string>(slow, acking()).send(messagesOf('a'), new RecordingSettlement(1), noAbort),
  ).then(() => (ready = true))
  await new Promise(setImmediate)
  expect(ready).toBe(false)
  free?.()
  await sent
  expect(ready).toBe(true)
})

test('a fatal error of one branch is fatal, names it and keeps its code; a failing sibling is not left unhandled', async () => {
  const cause = new MillraceError('MR_FLUSH_FAILED', 'down')
  const throws: Destination<string> = {
    send() {
      throw cause
    },
  }
  const rejects: Destination<string> = { send: () => Promise.reject(new Error('also down')) }
  const settlement = new RecordingSettlement(1)
  const send = (...[a, b]: [Destination<string>, Destination<string>]): Promise<void> =>
    Promise.resolve(tee(a, b).send(messagesOf('a'), settlement, noAbort))
  await expect(send(rejects, throws)).rejects.toMatchObject({ code: expect.any(String) as string })
  await expect(send(acking(), throws)).rejects.toMatchObject({
    code: 'MR_FLUSH_FAILED',
    message: expect.stringContaining('branch 1 of `tee`') as string,
    cause,
  })
  await expect(send(rejects, acking())).rejects.toMatchObject({ code: 'MR_SEND_FAILED' })
  expect(settlement.outcomes).toEqual([undefined])
})

test('runs, flushes, observes and closes all branches; closes the rest where one fails to', async () => {
  const calls: string[] = []
  const end = (name: string, closes: () => Promise<void>): Destination<unknown> & Observable => ({
    send() {},
    flush: () => calls.push(`flush ${name}`),
    run: async (signal) => {
      calls.push(`run ${name} ${signal === noAbort}`)
    },
    close: () => {
      calls.push(`close ${name}`)
      return closes()
    },
    [observe]: () => calls.push(`observe ${name}`),
  })
  const both: Destination<unknown> & Observable = tee(
    end('a', () => Promise.reject(new Error('stuck'))),
    end('b', () => Promise.resolve()),
    { send() {} },
  )
  both[observe]?.(() => {})
  await both.run?.(noAbort)
  both.flush?.()
  await expect(both.close?.()).rejects.toMatchObject({ code: 'MR_END_FAILED', message: /branch 0.*stuck/s })
  expect(calls).toEqual([
    'observe a',
    'observe b',
    'run a true',
    'run b true',
    'flush a',
    'flush b',
    'close a',
    'close b',
  ])
})

test('its run rejects as soon as one of its branches does', async () => {
  const waits: Destination<unknown> = { send() {}, run: () => new Promise(() => {}) }
  const fails: Destination<unknown> = { send() {}, run: () => Promise.reject(new Error('lost')) }
  await expect(tee(waits, fails).run?.(noAbort)).rejects.toMatchObject({ code: 'MR_END_FAILED', message: /branch 1/ })
})

test('refuses fewer than two, the same one twice, and what is no destination', () => {
  const one = acking()
  const loose = tee as (...ends: unknown[]) => unknown
  expect(() => loose(one)).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  expect(() => loose(one, {})).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  expect(() => loose(one, undefined)).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  expect(() => tee(one, acking(), one)).toThrow(expect.objectContaining({ code: 'MR_END_IN_USE' }))
})

test('takes what all of its branches take', () => {
  const narrow: Destination<string> = memoryDestination<string>()
  const wide: Destination<Uint8Array | string> = memoryDestination<Uint8Array | string>()
  expectTypeOf(tee(wide, narrow)).toEqualTypeOf<Destination<string>>()
})
