import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { memoryDestination, memorySource, type MillraceError, Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { startNode } from '../../helpers/child.ts'
import { expectCode, temporaryDirectory } from '../../helpers/collect.ts'
import {
  eventsOf,
  fixture,
  handlerOf,
  Pipeline,
  type PipelineOptions,
  type Result,
  runOver,
} from '../../helpers/pipeline.ts'

const values = ['a', 'b', 'c']

/** The run failed at once: nothing was asked of the source, so nothing was acked. */
function expectNotStarted({ error, acked, summary, outputs }: Result<unknown>): MillraceError {
  expect(outputs).toEqual([])
  expect(acked).toEqual([])
  expect(summary).toMatchObject({ received: 0, acked: 0, nacked: 0 })
  if (error === undefined) throw new Error('Expected the run to fail.')
  return error
}

function build(handler: unknown): unknown {
  const ends = { source: memorySource(), destination: memoryDestination() }
  return new Processor<unknown, unknown>({ ...ends, handler: handler as URL, threads: 1 })
}

describe('G7: a handler that can be seen to be wrong is refused by the constructor', () => {
  test.each([
    ['a module that does not exist', fixture('nowhere.mjs'), 'MR_HANDLER_NOT_FOUND', /no such file/u],
    ['a directory', fixture('.'), 'MR_HANDLER_NOT_FOUND', /no such file/u],
    ['a data: URL', new URL('data:text/javascript,export default () => []'), 'MR_OPTION_INVALID', /a file: URL/u],
    ['an http: URL', new URL('http://127.0.0.1/handler.mjs'), 'MR_OPTION_INVALID', /a file: URL/u],
    ['a node: URL', new URL('node:fs'), 'MR_OPTION_INVALID', /a file: URL/u],
    ['a path', '/handlers/greet.mjs', 'MR_OPTION_INVALID', /`handler`/u],
    ['a path in a reference', { module: '/handlers/greet.mjs' }, 'MR_OPTION_INVALID', /`handler\.module` to be a URL/u],
    ['an empty export', { module: fixture('upper.mjs'), export: '' }, 'MR_OPTION_INVALID', /handler\.export/u],
    ['a function for a thread', () => [], 'MR_OPTION_INVALID', /threads: 0/u],
    ['nothing', undefined, 'MR_OPTION_INVALID', /`handler`/u],
    [
      'options with a function',
      { module: fixture('upper.mjs'), options: { f() {} } },
      'MR_OPTION_INVALID',
      /plain data/u,
    ],
    [
      'options with a symbol',
      { module: fixture('upper.mjs'), options: Symbol('s') },
      'MR_OPTION_INVALID',
      /plain data/u,
    ],
  ] as const)('%s', async (_what, handler, code, message) => {
    await expectCode(() => build(handler), code, message)
  })

  test('TypeScript, where Node cannot load it; elsewhere it runs', async () => {
    const { stdout } = await startNode(new URL('../../fixtures/handlers/typescript-run.mjs', import.meta.url)).ended
    const canLoad = Boolean((process.features as { typescript?: unknown }).typescript)
    expect(stdout).toMatch(
      canLoad ? /^Hello Ada!$/mu : /^MR_HANDLER_TYPESCRIPT The handler module .*typed\.ts is TypeScript.*Node 22\.18/u,
    )
  })
})

describe.each([1, 3])('G7: workers that cannot start fail the run at once, with %i threads', (threads) => {
  test.each([
    ['throws', 'MR_HANDLER_SETUP', { name: 'RangeError', message: 'not today', code: 'E_SETUP' }],
    ['rejects', 'MR_HANDLER_SETUP', { name: 'RangeError', message: 'not today' }],
    ['throwsNull', 'MR_HANDLER_SETUP', { name: 'Error' }],
    ['exits', 'MR_HANDLER_SETUP', { code: 'MR_WORKER_EXIT' }],
    ['floats', 'MR_HANDLER_SETUP', { code: 'MR_WORKER_CRASH', cause: { name: 'RangeError', message: 'not today' } }],
    ['throwsInTheFirst', 'MR_HANDLER_SETUP', { name: 'RangeError', message: 'not today' }],
  ] as const)('a setup that %s: %s', async (exported, code, cause) => {
    const error = expectNotStarted(await runOver(handlerOf<string>('start-up.mjs', exported), values, { threads }))
    expect(error).toMatchObject({ code, cause })
  })

  test.each(['hangs', 'loops'])('a setup that %s: MR_HANDLER_SETUP_TIMEOUT', async (exported) => {
    const options = { threads, worker: { setupTimeoutMs: 250 } }
    const error = expectNotStarted(await runOver(handlerOf<string>('start-up.mjs', exported), values, options))
    expect(error).toMatchObject({ code: 'MR_HANDLER_SETUP_TIMEOUT' })
    expect(error.message).toContain('longer than 250 ms (worker.setupTimeoutMs)')
  })

  test.each([
    ['number', /Expected the export "number" of file:.* to be a function or what defineHandler\(\) returns, got 42/u],
    ['empty', /to be a function or what defineHandler\(\) returns, got \{\}/u],
    ['badCodec', /`input` .*to be a codec with `decode` and `encode`/u],
    ['badSetup', /`setup` .*got 'soon'/u],
    ['missing', /to have the export "missing", got \[/u],
    ['default', /to have the export "default"/u],
  ])('an export that is no handler (%s): MR_HANDLER_EXPORT', async (exported, message) => {
    const error = expectNotStarted(await runOver(handlerOf<string>('start-up.mjs', exported), values, { threads }))
    expect(error.code).toBe('MR_HANDLER_EXPORT')
    expect(error.message).toMatch(message)
  })

  test('a module that throws: MR_HANDLER_LOAD, with what it threw', async () => {
    const error = expectNotStarted(await runOver(fixture('throws-at-import.mjs'), values, { threads }))
    expect(error).toMatchObject({
      code: 'MR_HANDLER_LOAD',
      cause: { name: 'RangeError', message: 'not today', code: 'E_IMPORT', cause: { name: 'TypeError' } },
    })
    expect((error.cause as Error).stack).toContain('throws-at-import.mjs')
  })

  test('a module that does not parse, or imports what is not there: MR_HANDLER_LOAD', async () => {
    const directory = temporaryDirectory()
    const broken = join(directory, 'broken.mjs')
    writeFileSync(broken, 'export default (message) => [')
    const orphan = join(directory, 'orphan.mjs')
    writeFileSync(orphan, "import './nowhere.mjs'\nexport default () => []")
    const parsed = expectNotStarted(await runOver(pathToFileURL(broken), values, { threads }))
    expect(parsed).toMatchObject({ code: 'MR_HANDLER_LOAD', cause: { name: 'SyntaxError' } })
    const imported = expectNotStarted(await runOver(pathToFileURL(orphan), values, { threads }))
    expect(imported).toMatchObject({ code: 'MR_HANDLER_LOAD', cause: { code: 'ERR_MODULE_NOT_FOUND' } })
  })

  test('a module that exits, or whose import never ends', async () => {
    const exited = expectNotStarted(await runOver(fixture('exits-at-import.mjs'), values, { threads }))
    expect(exited).toMatchObject({ code: 'MR_HANDLER_SETUP', cause: { code: 'MR_WORKER_EXIT' } })
    const options = { threads, worker: { setupTimeoutMs: 250 } }
    const hung = expectNotStarted(await runOver(fixture('hangs-at-import.mjs'), values, options))
    expect(hung.code).toBe('MR_HANDLER_SETUP_TIMEOUT')
  })
})

test.each(['throws', 'missing', 'hangs'])(
  'G7: with threads: 0, a handler module fails the same way (%s)',
  async (exported) => {
    const codes = { throws: 'MR_HANDLER_SETUP', missing: 'MR_HANDLER_EXPORT', hangs: 'MR_HANDLER_SETUP_TIMEOUT' }
    const options = { threads: 0, worker: { setupTimeoutMs: 100 } }
    const error = expectNotStarted(await runOver(handlerOf<string>('start-up.mjs', exported), values, options))
    expect(error.code).toBe(codes[exported as keyof typeof codes])
  },
)

test('the signal of the setup aborts when its time is up', async () => {
  const path = join(temporaryDirectory(), 'reason')
  const options = { worker: { setupTimeoutMs: 100 } }
  const error = expectNotStarted(
    await runOver(handlerOf<string>('start-up.mjs', 'heedsSignal', { path }), values, options),
  )
  expect(error.code).toBe('MR_HANDLER_SETUP_TIMEOUT')
  expect(readFileSync(path, 'utf8')).toBe('MR_HANDLER_SETUP_TIMEOUT')
})

test('G5, G1: a setup that fails when its worker is replaced ends the run; what was not settled stays unacked', async () => {
  const path = join(temporaryDirectory(), 'mark')
  const handler = handlerOf<string>('start-up.mjs', 'throwsOnRespawn', { path })
  const result = await runOver(handler, ['a', 'b', 'exit', 'c', 'd'])
  expect(result.error).toMatchObject({ code: 'MR_HANDLER_SETUP', cause: { message: 'not again' } })
  expect(result.acked).toEqual(result.outputs.map(({ id }) => id?.replace('#0', '')))
  expect(result.acked).not.toContain('2')
  expect(eventsOf(result, 'restart')).toHaveLength(1)
})

test('G6: an abort while the workers start ends the run well, and at once', async () => {
  const options: PipelineOptions<string, unknown> = { threads: 2, isOpen: true, worker: { setupTimeoutMs: 20_000 } }
  const pipeline = new Pipeline(handlerOf<string>('start-up.mjs', 'hangs'), values, options)
  const abort = new AbortController()
  const running = pipeline.run(abort.signal)
  setTimeout(() => abort.abort(), 150)
  const { error, summary } = await running
  expect(error).toBeUndefined()
  expect(summary).toMatchObject({ received: 0 })
  expect(summary.seconds).toBeLessThan(10)
})

test('G6: runs that are aborted while their workers load end well, and not the process', async () => {
  const { code, stdout, stderr } = await startNode(
    new URL('../../fixtures/handlers/killed-early-run.mjs', import.meta.url),
  ).ended
  expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'all ended well\n', stderr: '' })
})

test('a CommonJS module is a handler module too', async () => {
  const path = join(temporaryDirectory(), 'handler.cjs')
  writeFileSync(path, 'module.exports = (message) => [{ value: message.value + "!" }]')
  expect(existsSync(path)).toBe(true)
  const result = await runOver<string, unknown>(pathToFileURL(path), values)
  expect(result.values).toEqual(['a!', 'b!', 'c!'])
})
