import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BatchError } from '../../../src/batch/batch-error.ts'
import { rig, settle, type Receipt } from './support.ts'

type Step =
  | { readonly do: 'send'; readonly sizes: readonly number[] }
  | { readonly do: 'flush' }
  | {
      readonly do: 'end'
      readonly which: number
      readonly how: 'done' | 'down' | 'final' | 'split' | 'failed'
      readonly mask: number
    }

const how = fc.oneof(
  { weight: 6, arbitrary: fc.constant('done' as const) },
  { weight: 3, arbitrary: fc.constant('failed' as const) },
  { weight: 2, arbitrary: fc.constant('split' as const) },
  { weight: 2, arbitrary: fc.constant('down' as const) },
  { weight: 1, arbitrary: fc.constant('final' as const) },
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      sizes: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 7 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('end' as const),
      which: fc.nat({ max: 3 }),
      how,
      mask: fc.nat({ max: 127 }),
    }),
  },
)
const policy = fc.record({
  count: fc.integer({ min: 1, max: 5 }),
  bytes: fc.integer({ min: 1, max: 12 }),
  concurrency: fc.integer({ min: 1, max: 3 }),
  attempts: fc.integer({ min: 1, max: 3 }),
})
const size = (value: unknown): number => Number((value as string).split(':')[1])

describe('Batcher, any schedule of sends, flushes and results', () => {
  it('G1, G3, G10: settles each message once and truly, in order, within its policy, one attempt at a time', async () => {
    await fc.assert(
      fc.asyncProperty(policy, fc.array(step, { maxLength: 40 }), fc.boolean(), async (policy, steps, closes) => {
        const { count, bytes, concurrency, attempts } = policy
        const { far, batcher, send } = rig({
          count,
          bytes,
          concurrency,
          retry: { attempts },
          sizeOf: ({ value }) => size(value),
        })
        let fatal: unknown
        batcher.run(new AbortController().signal).catch((error: unknown) => {
          fatal = error
        })
        const receipts: Receipt[] = []
        const sent: string[] = []
        const where = new Map<string, readonly [receipt: Receipt, index: number]>()
        const stored = new Set<string>()
        const open = new Set<number>()
        let seen = 0

        const watch = (): void => {
          for (; seen < far.calls.length; seen++) {
            const { values } = far.call(seen)
            expect(values.length).toBeGreaterThan(0)
            expect(values.length).toBeLessThanOrEqual(count)
            if (values.length > 1)
              expect(values.reduce((sum, value) => sum + size(value), 0)).toBeLessThanOrEqual(bytes)
            for (const other of open) expect(far.call(other).values).not.toEqual(expect.arrayContaining([values[0]]))
            for (const value of values) expect(stored.has(value)).toBe(false)
            open.add(seen)
          }
          expect(open.size).toBeLessThanOrEqual(concurrency)
          for (const [value, [receipt, index]] of where) expect(receipt.acked.includes(index)).toBe(stored.has(value))
        }
        const end = async (call: number, how: Extract<Step, { do: 'end' }>['how'], mask: number): Promise<void> => {
          const { values, done, fail } = far.call(call)
          open.delete(call)
          const error = new BatchError(how)
          if (how === 'failed')
            for (const index of values.keys()) if ((mask & (1 << index)) !== 0) error.failed(index, new Error('row'))
          for (const [index, value] of values.entries()) {
            if (how === 'done' || (error.failures.size > 0 && !error.failures.has(index))) stored.add(value)
          }
          if (how === 'done') done()
          else if (how === 'down') fail(new Error('down'))
          else if (how === 'final') fail(Object.assign(new Error('final'), { retryable: false }))
          else fail(how === 'split' ? error.split() : error)
          await settle()
        }

        for (const act of steps) {
          if (fatal !== undefined) break
          if (act.do === 'flush') batcher.flush()
          if (act.do === 'send') {
            const values = act.sizes.map((bytes, index) => `${sent.length + index}:${bytes}`)
            const { receipt, room } = send(...values)
            room?.catch(() => undefined)
            sent.push(...values)
            for (const [index, value] of values.entries()) where.set(value, [receipt, index])
            receipts.push(receipt)
          }
          if (act.do === 'end') {
            const call = [...open][act.which % Math.max(1, open.size)]
            if (call !== undefined) await end(call, act.how, act.mask)
          }
          watch()
        }

        const isLive = (): boolean => fatal === undefined && !closes
        const before = far.calls.length
        if (closes) void batcher.close().catch(() => undefined)
        while (open.size > 0 || (isLive() && stored.size + nackedIn(receipts) < sent.length)) {
          if (isLive()) batcher.flush()
          watch()
          const [call] = open
          if (call !== undefined) await end(call, 'done', 0)
          watch()
        }
        await settle()
        watch()
        if (isLive()) expect(stored.size + nackedIn(receipts)).toBe(sent.length)
        else expect(far.calls.length).toBe(before)
        if (concurrency === 1) {
          const firsts = [...new Set(far.values.flat())]
          expect(firsts).toEqual(sent.slice(0, firsts.length))
        }
        await batcher.close()
      }),
      { numRuns: 500 },
    )
  })
})

function nackedIn(receipts: readonly Receipt[]): number {
  return receipts.reduce((sum, { nacked }) => sum + nacked.size, 0)
}
