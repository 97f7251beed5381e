import { expect, test } from 'vitest'
import { eventsOf, fixture, handlerOf, ids, runOver } from '../../helpers/pipeline.ts'

const COUNT = 10_000

test.each([1, 2])('G5: one poison message among 10,000 costs only itself, with %i threads', async (threads) => {
  const values = ids(COUNT).map((id) => (id === '6789' ? 'exit 1' : id))
  const result = await runOver(handlerOf<string>('ends.mjs'), values, { threads, onError: { backoffMs: 1 } })
  expect(result.restarts).toBe(3)
  expect(result.letters).toMatchObject([{ id: '6789', attempts: 3 }])
  expect(result.values).toEqual(values.filter((value) => value !== 'exit 1').map((value) => `${value}:1`))
  expect(result.acked).toEqual(ids(COUNT))
  expect(result.summary).toMatchObject({ delivered: COUNT - 1, deadLettered: 1, emitted: COUNT - 1 })
})

test('G1, G3: workers that exit at random, 1 message in 100, lose nothing of 20,000', async () => {
  const count = 20_000
  const result = await runOver(fixture('exits-at-random.mjs'), ids(count), { threads: 2, onError: { backoffMs: 1 } })
  expect(result.error).toBeUndefined()
  const buried = new Set(result.letters.map(({ id }) => id))
  expect(result.values).toEqual(ids(count).filter((id) => !buried.has(id)))
  expect(result.acked).toEqual(ids(count))
  // Three draws in a row hit 1 message in a million: hardly one of these.
  expect(buried.size).toBeLessThanOrEqual(2)
  // Each exit is charged to its own message, and to no other.
  const charged = eventsOf(result, 'retry').length + eventsOf(result, 'deadLetter').length
  expect(charged).toBe(result.restarts)
  expect(result.restarts).toBeGreaterThan(150)
  expect(result.restarts).toBeLessThan(260)
}, 60_000)
