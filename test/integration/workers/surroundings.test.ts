import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { fixture, handlerOf, runOver, type PipelineOptions } from '../../helpers/pipeline.ts'

interface Surroundings {
  readonly env: Record<string, string>
  readonly execArgv: readonly string[]
  readonly preloaded: string | undefined
  readonly resourceLimits: Record<string, number>
  readonly isMainThread: boolean
  readonly threadId: number
}

async function look(options: PipelineOptions<string, Surroundings>): Promise<Surroundings> {
  const { values, error } = await runOver(handlerOf<string, Surroundings>('surroundings.mjs'), ['where?'], options)
  expect(error).toBeUndefined()
  const [found] = values
  if (found === undefined) throw new Error('Expected an output.')
  return found
}

test('handlers run in threads of their own, or on the main thread with threads: 0', async () => {
  expect(await look({ threads: 1 })).toMatchObject({ isMainThread: false })
  expect((await look({ threads: 0 })).threadId).toBe((await look({ threads: 0 })).threadId)
})

test('without worker.env a worker has a copy of the environment of the process', async () => {
  process.env['MILLRACE_TEST'] = 'of the process'
  onTestFinished(() => void delete process.env['MILLRACE_TEST'])
  expect((await look({})).env['MILLRACE_TEST']).toBe('of the process')
})

test('worker.env is the whole environment of a worker: nothing of the process leaks into it', async () => {
  process.env['MILLRACE_SECRET'] = 'of the process'
  onTestFinished(() => void delete process.env['MILLRACE_SECRET'])
  const env = { REGION: 'eu' }
  const found = await look({ worker: { env } })
  expect(found.env).toEqual(env)
  expect(JSON.stringify(found)).not.toContain('of the process')
})

test('worker.execArgv reaches the worker: a module of --import is loaded before the handler', async () => {
  const found = await look({ worker: { execArgv: ['--import', fixture('preload.mjs').href] } })
  expect(found.preloaded).toBe('by --import')
  expect(found.execArgv).toEqual(['--import', fixture('preload.mjs').href])
  expect((await look({ worker: { execArgv: [] } })).preloaded).toBeUndefined()
})

test('worker.resourceLimits reach the worker', async () => {
  const resourceLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 12, stackSizeMb: 3 }
  expect((await look({ worker: { resourceLimits } })).resourceLimits).toMatchObject(resourceLimits)
})

test('G7: what Node does not start a thread with fails the run, with the reason', async () => {
  const refused = await runOver(handlerOf<string>('surroundings.mjs'), ['a'], {
    worker: { execArgv: ['--title=worker'] },
  })
  expect(refused.error).toMatchObject({ name: 'MillraceError', summary: { received: 0 } })
  expect(causesOf(refused.error)).toContain('ERR_WORKER_INVALID_EXEC_ARGV')
  const missing = await runOver(handlerOf<string>('surroundings.mjs'), ['a'], {
    worker: { execArgv: ['--import', `${fileURLToPath(fixture('.'))}nowhere.mjs`] },
  })
  expect(causesOf(missing.error)).toContain('ERR_MODULE_NOT_FOUND')
})

/** The codes of an error and its causes. */
function causesOf(error: unknown): unknown[] {
  if (!(error instanceof Error)) return []
  return [(error as { code?: unknown }).code, ...causesOf(error.cause)]
}
