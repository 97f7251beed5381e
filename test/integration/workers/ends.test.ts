import { describe, expect, test } from 'vitest'
import { eventsOf, handlerOf, ids, type Result, runOver } from '../../helpers/pipeline.ts'

const COUNT = 40
const OFFENDER = 17

/** Messages that are fine, but for one that says what to do to the worker. */
function valuesWith(offence: string, others = 'fine'): string[] {
  return ids(COUNT).map((id, index) => (index === OFFENDER ? offence : others + id))
}

/** All but the offender were delivered, once, in order, and so many of them at a second attempt at most. */
function expectOthersWhole({ outputs, values, acked }: Result<unknown>, charged: number): void {
  const innocent = ids(COUNT).filter((id) => id !== String(OFFENDER))
  expect(outputs.map(({ id }) => id).filter((id) => id !== `${OFFENDER}#0`)).toEqual(innocent.map((id) => `${id}#0`))
  const attempts = values.filter((value) => value !== 'returned').map((value) => Number(String(value).split(':')[1]))
  expect(Math.max(...attempts)).toBeLessThanOrEqual(2)
  expect(attempts.filter((attempt) => attempt > 1).length).toBeLessThanOrEqual(charged)
  expect(acked).toEqual(ids(COUNT))
}

const configs = [
  { threads: 1, handlerConcurrency: 1, name: 'default' },
  { threads: 2, handlerConcurrency: 1, name: 'default' },
  { threads: 1, handlerConcurrency: 8, name: 'later' },
  { threads: 2, handlerConcurrency: 8, name: 'later' },
] as const

type Row = readonly [offence: string, code: string, message: RegExp]

const common: readonly Row[] = [
  ['exit 1', 'MR_WORKER_EXIT', /./u],
  ['exit while async', 'MR_WORKER_EXIT', /./u],
  ['throw in a timer', 'MR_WORKER_CRASH', /^late$/u],
  ['reject and float', 'MR_WORKER_CRASH', /^floating$/u],
]
const rare: readonly Row[] = [
  ['exit 0', 'MR_WORKER_EXIT', /./u],
  ['exit in a microtask', 'MR_WORKER_EXIT', /./u],
  ['exit in an output', 'MR_WORKER_EXIT', /./u],
  ['throw null in a timer', 'MR_WORKER_CRASH', /null/u],
  ['throw at length', 'MR_WORKER_CRASH', /^first line\n\P{L}+$/u],
]

describe.each(configs)('G5: $threads threads, $handlerConcurrency handlers at once', ({ name, ...options }) => {
  const rows = options.threads === 1 && options.handlerConcurrency === 1 ? [...common, ...rare] : common
  test.each(rows)('%s costs only its own message, after 3 attempts', async (offence, code, message) => {
    const handler = handlerOf<string>('ends.mjs', name)
    const result = await runOver(handler, valuesWith(offence), { ...options, onError: { backoffMs: 1 } })

    expect(result.error).toBeUndefined()
    expect(result.letters).toMatchObject([{ id: String(OFFENDER), value: offence, stage: 'handle', attempts: 3 }])
    expect(result.letters[0]?.error.message).toMatch(message)
    expect(result.summary).toMatchObject({ received: COUNT, delivered: COUNT - 1, deadLettered: 1, emitted: COUNT - 1 })
    // Who ran beside the offender when it ended their worker was charged once; from then on it runs alone.
    expectOthersWhole(result, options.handlerConcurrency - 1)

    const restarts = eventsOf(result, 'restart')
    expect(result.restarts).toBe(restarts.length)
    // In a microtask nobody runs: the offender is found by splitting its chunk.
    if (offence === 'exit in a microtask') expect(restarts.length).toBeGreaterThanOrEqual(3)
    else expect(restarts).toHaveLength(3)
    for (const { worker, error } of restarts) {
      expect(worker).toBeLessThan(options.threads)
      expect(error).toMatchObject({ name: 'MillraceError', code })
      const exitCode = /^exit (\d)$/u.exec(offence)?.[1]
      if (exitCode !== undefined) expect((error.cause as Error).message).toBe(`worker exited with code: ${exitCode}`)
    }
    expect(eventsOf(result, 'deadLetter')).toMatchObject([{ id: String(OFFENDER), error: { code } }])
  })

  test.each(['throw once it has returned', 'float once it has returned'])('%s: nothing is lost', async (offence) => {
    const handler = handlerOf<string>('ends.mjs', name)
    const result = await runOver(handler, valuesWith(offence, 'busy'), { ...options, onError: { backoffMs: 1 } })
    // A late throw is charged to those that run just then, which may be anybody; nobody is given up for one.
    expect(result.letters).toEqual([])
    expect(result.restarts).toBeGreaterThanOrEqual(1)
    expect(result.summary).toMatchObject({ delivered: COUNT, emitted: COUNT })
    expectOthersWhole(result, options.handlerConcurrency * result.restarts)
  })
})

test('G5, G7: what a late throw threw is told with its name, code, stack and cause', async () => {
  const result = await runOver(handlerOf<string>('ends.mjs'), ['throw in a timer'], { onError: { backoffMs: 1 } })
  expect(result.letters[0]?.error).toMatchObject({ name: 'RangeError', message: 'late', code: 'E_LATE' })
  expect(result.letters[0]?.error.stack).toMatch(/^RangeError: late\n +at .*ends\.mjs/u)
  const [restart] = eventsOf(result, 'restart')
  expect(restart?.error).toMatchObject({
    name: 'MillraceError',
    message: 'An error that nothing caught ended the worker: late',
    cause: { name: 'RangeError', cause: { name: 'TypeError', message: 'the root' } },
  })
})

test('G5: an error in a timer of the setup is charged to the message that runs then', async () => {
  const values = valuesWith('armed')
  const result = await runOver(handlerOf<string>('ends.mjs', 'interval'), values, { onError: { backoffMs: 1 } })
  expect(result.restarts).toBe(1)
  expect(result.values).toEqual(values.map((value) => `${value}:${value === 'armed' ? 2 : 1}`))
})

test("G5: onError.attempts above 3 holds for ends of the worker too, and 'stop' leaves the offender unacked", async () => {
  const more = await runOver(handlerOf<string>('ends.mjs'), ['a', 'exit 1', 'b'], {
    onError: { attempts: 5, backoffMs: 1 },
  })
  expect(more.letters).toMatchObject([{ attempts: 5 }])
  const stopped = await runOver(handlerOf<string>('ends.mjs'), ['a', 'exit 1', 'b'], {
    hasDeadLetter: false,
    onError: { backoffMs: 1 },
  })
  expect(stopped.error).toMatchObject({ code: 'MR_MESSAGE_FAILED', cause: { code: 'MR_WORKER_EXIT' } })
  expect(stopped.acked).not.toContain('1')
  expect(stopped.acked).not.toContain('2')
})

test('G5: workers that end 10 times in a row without a message handled end the run', async () => {
  const result = await runOver(handlerOf<string>('ends.mjs', 'loop'), [], { isOpen: true })
  expect(result.error).toMatchObject({ code: 'MR_WORKER_CRASH_LOOP', cause: { code: 'MR_WORKER_EXIT' } })
  expect(eventsOf(result, 'restart')).toHaveLength(10)
})

test('G5: many poison messages are no crash loop', async () => {
  const values = ids(60).map((id, index) => (index % 10 === 5 ? 'exit 1' : id))
  const result = await runOver(handlerOf<string>('ends.mjs'), values, { threads: 2, onError: { backoffMs: 1 } })
  expect(result.error).toBeUndefined()
  expect(result.summary).toMatchObject({ delivered: 54, deadLettered: 6 })
  expect(result.acked).toEqual(ids(60))
  // Nor are they with nothing else between: each is given up in its turn.
  const alone = await runOver(
    handlerOf<string>('ends.mjs'),
    values.filter((value) => value === 'exit 1'),
    {
      onError: { backoffMs: 1 },
    },
  )
  expect(alone.summary).toMatchObject({ received: 6, deadLettered: 6 })
  expect(alone.restarts).toBe(18)
})
