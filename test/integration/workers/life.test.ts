import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../helpers/collect.ts'
import { handlerOf, ids, Pipeline, runOver } from '../../helpers/pipeline.ts'

const newDiary = (): string => join(temporaryDirectory(), 'diary')
const linesOf = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')

describe.each([0, 1, 3])('with %i threads', (threads) => {
  const numbers = threads === 0 ? [0] : ids(threads).map(Number)

  test('the setup runs once in each worker, with its options and number; the teardown before run resolves', async () => {
    const path = newDiary()
    const options = { path, nested: { list: [1, 2, 3], when: new Date(0), big: 1n, map: new Map([['k', 'v']]) } }
    const handler = handlerOf<string, { worker: number }>('start-up.mjs', 'diary', options)
    const result = await runOver(handler, ids(300), { threads })
    expect(result.error).toBeUndefined()
    const lines = linesOf(path)
    expect(lines.slice(0, numbers.length).sort()).toEqual(numbers.map((worker) => `setup ${worker}`))
    expect(lines.slice(numbers.length).sort()).toEqual(numbers.map((worker) => `teardown ${worker}`))
    for (const value of result.values) expect(numbers).toContain(value.worker)
    expect(result.values[0]).toMatchObject(options)
  })

  test('G7: a teardown that throws fails the run, when all is acked', async () => {
    const path = newDiary()
    const handler = handlerOf<string>('start-up.mjs', 'diary', { path, fails: 'throw' })
    const { error, acked } = await runOver(handler, ids(20), { threads })
    expect(error).toMatchObject({
      code: 'MR_HANDLER_TEARDOWN',
      message: "The handler's teardown threw: cannot stop",
      cause: { name: 'RangeError' },
      summary: { received: 20, acked: 20 },
    })
    expect(acked).toEqual(ids(20))
    expect(linesOf(path)).toHaveLength(numbers.length)
  })
})

test('a worker that is replaced keeps its number, and only the last life is torn down', async () => {
  const path = newDiary()
  const handler = handlerOf<string>('start-up.mjs', 'diary', { path })
  const values = ids(30).map((id) => (id === '9' ? 'exit' : id))
  const { restarts } = await runOver(handler, values, { threads: 2, onError: { backoffMs: 1 } })
  expect(restarts).toBe(3)
  const lines = linesOf(path)
  expect(lines.filter((line) => line.startsWith('setup'))).toHaveLength(2 + 3)
  expect(lines.filter((line) => line.startsWith('teardown')).sort()).toEqual(['teardown 0', 'teardown 1'])
  expect(new Set(lines.filter((line) => line.startsWith('setup')))).toEqual(new Set(['setup 0', 'setup 1']))
})

test('G7: a worker that ends in its teardown fails the run', async () => {
  const handler = handlerOf<string>('start-up.mjs', 'diary', { path: newDiary(), fails: 'exit' })
  const { error } = await runOver(handler, ids(5))
  expect(error).toMatchObject({ code: 'MR_HANDLER_TEARDOWN', message: 'A worker ended in its teardown.' })
})

test.each([
  [0, 'hang'],
  [1, 'hang'],
  [1, 'loop'],
])('a teardown that does not end fails the run, with %i threads (%s)', async (threads, fails) => {
  const handler = handlerOf<string>('start-up.mjs', 'diary', { path: newDiary(), fails })
  const { error, acked } = await runOver(handler, ids(5), { threads, worker: { setupTimeoutMs: 300 } })
  expect(error).toMatchObject({ code: 'MR_HANDLER_TEARDOWN' })
  expect(error?.message).toContain('took longer than 300 ms')
  expect(acked).toEqual(ids(5))
})

test('a run that fails tears nothing down', async () => {
  const path = newDiary()
  const pipeline = new Pipeline(handlerOf<string>('start-up.mjs', 'diary', { path }), ids(5), {
    isOpen: true,
    threads: 2,
  })
  const running = pipeline.run()
  setTimeout(() => pipeline.source.fail(new Error('gone')), 300)
  expect((await running).error).toMatchObject({ code: 'MR_SOURCE_FAILED' })
  expect(linesOf(path).filter((line) => line.startsWith('teardown'))).toEqual([])
})
