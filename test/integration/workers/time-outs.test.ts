import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startNode } from '../../helpers/child.ts'
import { temporaryDirectory } from '../../helpers/collect.ts'
import { eventsOf, handlerOf, ids, Pipeline, runOver } from '../../helpers/pipeline.ts'

const COUNT = 30
const OFFENDER = 11
/** Far above what a handler that does nothing takes, also on a machine that is busy with other things. */
const handlerTimeoutMs = 300

const values = (offence: string): string[] =>
  ids(COUNT).map((id, index) => (index === OFFENDER ? offence : `fine${id}`))
const innocent = ids(COUNT).filter((id) => id !== String(OFFENDER))

const configs = [
  { threads: 1, handlerConcurrency: 1 },
  { threads: 2, handlerConcurrency: 8 },
]

describe.each(configs)('G5: handlerTimeoutMs with $threads threads, $handlerConcurrency handlers at once', (config) => {
  test.each(['loop', 'loop while async', 'loop in a microtask', 'never resolve'])(
    '%s costs only its own message, after 3 attempts',
    async (offence) => {
      const options = { ...config, handlerTimeoutMs, onError: { backoffMs: 1 } }
      const result = await runOver(handlerOf<string>('ends.mjs', 'hang'), values(offence), options)
      expect(result.error).toBeUndefined()
      expect(result.letters).toMatchObject([
        { id: String(OFFENDER), stage: 'handle', attempts: 3, error: { code: 'MR_HANDLER_TIMEOUT' } },
      ])
      expect(result.letters[0]?.error.message).toContain('did not return within 300 ms (handlerTimeoutMs)')
      expect(result.outputs.map(({ id }) => id)).toEqual(innocent.map((id) => `${id}#0`))
      const attempts = result.values.map((value) => Number(String(value).split(':')[1]))
      expect(Math.max(...attempts)).toBeLessThanOrEqual(config.handlerConcurrency === 1 ? 1 : 2)
      expect(result.acked).toEqual(ids(COUNT))
      const restarts = eventsOf(result, 'restart')
      expect(restarts.length).toBeGreaterThanOrEqual(3)
      for (const { error } of restarts) expect(error).toMatchObject({ code: 'MR_HANDLER_TIMEOUT' })
    },
  )
})

test.each([0, 1, 2])(
  'G5: a handler that heeds context.signal times out without its worker, with %i threads',
  async (threads) => {
    const options = { threads, handlerTimeoutMs: 100, handlerConcurrency: 4, onError: { backoffMs: 1 } }
    const result = await runOver(handlerOf<string>('ends.mjs', 'hang'), values('heed the signal'), options)
    expect(result.restarts).toBe(0)
    expect(result.letters).toMatchObject([{ id: String(OFFENDER), stage: 'handle', attempts: 3 }])
    expect(eventsOf(result, 'deadLetter')).toMatchObject([
      { error: { code: 'MR_HANDLER_TIMEOUT', cause: { name: 'AbortError' } } },
    ])
    expect(result.values).toEqual(innocent.map((id) => `fine${id}:1`))
  },
)

test('G5: several messages that hang at once are charged at once, and no other', async () => {
  const hanging = [3, 4, 5, 6]
  const mixed = ids(20).map((id, index) => (hanging.includes(index) ? 'never resolve' : id))
  const options = { handlerConcurrency: 4, handlerTimeoutMs, onError: { backoffMs: 1 } }
  const result = await runOver(handlerOf<string>('ends.mjs', 'hang'), mixed, options)
  expect(result.letters.map(({ id }) => Number(id)).sort((a, b) => a - b)).toEqual(hanging)
  expect(result.values).toEqual(
    ids(20)
      .filter((_, index) => !hanging.includes(index))
      .map((id) => `${id}:1`),
  )
  // All four together, then each alone, twice.
  expect(result.restarts).toBe(1 + 4 * 2)
})

test('G5: a message never gets less than its time, and one just below it passes', async () => {
  const options = { handlerTimeoutMs: 400, handlerConcurrency: 2 }
  const result = await runOver(handlerOf<number>('async.mjs', 'wait'), [200, 200, 0, 200], options)
  expect(result.restarts).toBe(0)
  expect(result.letters).toEqual([])
  expect(result.acked).toEqual(ids(4))
})

test('G5: a process that was stopped for longer than a time-out charges nobody for it', async () => {
  const child = startNode(new URL('../../fixtures/handlers/stopped-run.mjs', import.meta.url))
  await child.saw('flushed')
  await new Promise((resolve) => setTimeout(resolve, 50))
  child.process.kill('SIGSTOP')
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  child.process.kill('SIGCONT')
  expect((await child.ended).stdout).toContain('acked 4, restarts 0')
})

test('G6: context.signal aborts when the time of the drain is up, and the handler still learns it', async () => {
  const path = join(temporaryDirectory(), 'reason')
  const pipeline = new Pipeline(handlerOf<string>('async.mjs', 'noteAbort', { path }), ['a', 'b'], {
    isOpen: true,
    drainTimeoutMs: 100,
  })
  const abort = new AbortController()
  const running = pipeline.run(abort.signal)
  while (!existsSync(`${path}.started`)) await new Promise((resolve) => setTimeout(resolve, 5))
  abort.abort()
  const { error, acked, summary } = await running
  expect(error).toMatchObject({ code: 'MR_DRAIN_TIMEOUT' })
  expect(error?.message).toContain('2 messages')
  expect(readFileSync(path, 'utf8')).toBe('MR_DRAIN_TIMEOUT')
  expect(acked).toEqual([])
  expect(summary).toMatchObject({ received: 2, acked: 0 })
})
