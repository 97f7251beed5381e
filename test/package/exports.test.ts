import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readText, root } from '../helpers/project.ts'

interface Manifest {
  readonly exports: Readonly<Record<string, string>>
  readonly files: readonly string[]
  readonly dependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(await readText('package.json')) as Manifest
const entries = Object.entries(manifest.exports).filter(([name]) => name !== './package.json')

/** What `npm pack` would put into the package. */
const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' })
const [tarball] = JSON.parse(packed) as [{ files: readonly { path: string }[] }]
const published = tarball.files.map(({ path }) => path)

/** The types and the values that an entry point names. */
async function exportsOf(path: string): Promise<readonly string[]> {
  const source = await readText(path)
  const names = [...source.matchAll(/^export (type )?\{([^}]*)\}/gmu)].flatMap(([, isType = '', list = '']) =>
    list
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== '')
      .map((name) => (name.startsWith('type ') || isType === '' ? name : `type ${name}`)),
  )
  return names.sort()
}

describe('package.json', () => {
  test.each(entries)('%s is built, with its types, and is published', (_, path) => {
    expect(existsSync(join(root, path))).toBe(true)
    expect(existsSync(join(root, path.replace(/\.js$/u, '.d.ts')))).toBe(true)
    expect(published).toContain(path.slice(2))
  })

  test('has an entry point for every index.ts, and no other', () => {
    expect(manifest.exports).toEqual({
      '.': './dist/src/index.js',
      './handler': './dist/src/handler/index.js',
      './testing': './dist/src/testing/index.js',
      './package.json': './package.json',
    })
  })

  test('depends on two packages', () => {
    expect(Object.keys(manifest.dependencies).sort()).toEqual(['msgpackr', 'piscina'])
  })
})

describe('the entry points export what is named here, and nothing else', () => {
  test('millrace', async () => {
    expect(await exportsOf('src/index.ts')).toMatchInlineSnapshot(`
      [
        "Attributes",
        "BatchError",
        "MillraceError",
        "Processor",
        "batch",
        "deadLetterFile",
        "deadLetterFromJson",
        "deadLetterMessage",
        "deadLetterToJson",
        "destinationFrom",
        "errorCodes",
        "file",
        "findAttribute",
        "handlerModule",
        "iterable",
        "lines",
        "mapSource",
        "memoryDestination",
        "memorySource",
        "multi",
        "poller",
        "printer",
        "route",
        "run",
        "sourceFrom",
        "tee",
        "type BatchPolicy",
        "type Codec",
        "type DeadLetter",
        "type DeadLetterFileOptions",
        "type Delivery",
        "type Destination",
        "type ErrorCode",
        "type ErrorPolicy",
        "type FileFormatOptions",
        "type FileOptions",
        "type Flush",
        "type Handler",
        "type HandlerContext",
        "type HandlerDefinition",
        "type HandlerRef",
        "type IterableOptions",
        "type Lane",
        "type LinesOptions",
        "type MemoryDestination",
        "type MemoryDestinationOptions",
        "type MemoryOutcome",
        "type MemorySettlement",
        "type MemorySource",
        "type MemorySourceOptions",
        "type Message",
        "type MessageFields",
        "type Output",
        "type PendingSend",
        "type Poll",
        "type PollSchedule",
        "type Polled",
        "type PollerOptions",
        "type PrinterFormatOptions",
        "type PrinterOptions",
        "type ProcessorEvent",
        "type ProcessorOptions",
        "type PushFields",
        "type Pushed",
        "type RetryPolicy",
        "type RunOptions",
        "type Runner",
        "type Settlement",
        "type SetupContext",
        "type Source",
        "type Stage",
        "type Stats",
        "type Summary",
        "type ValueOf",
      ]
    `)
  })

  test('millrace/handler', async () => {
    expect(await exportsOf('src/handler/index.ts')).toMatchInlineSnapshot(`
      [
        "Attributes",
        "defineHandler",
        "findAttribute",
        "json",
        "msgpack",
        "pipe",
        "text",
        "type Codec",
        "type Handler",
        "type HandlerContext",
        "type HandlerDefinition",
        "type Message",
        "type Output",
        "type SetupContext",
      ]
    `)
  })

  test('millrace/testing', async () => {
    expect(await exportsOf('src/testing/index.ts')).toMatchInlineSnapshot(`
      [
        "destinationChecks",
        "exitsAtRandom",
        "exitsInWorker",
        "handleMessages",
        "sourceChecks",
        "throwsAtRandom",
        "type Check",
        "type DestinationChecksOptions",
        "type HandleMessagesOptions",
        "type HandlerInput",
        "type HandlerResult",
        "type RandomFault",
        "type SourceChecksOptions",
        "type ValueKind",
        "type WorkerFault",
      ]
    `)
  })

  test.each(entries)('%s has at run time the values that its source names', async (name, path) => {
    const module = (await import(name === '.' ? 'millrace' : `millrace/${name.slice(2)}`)) as object
    const source = path.replace('./dist/', '').replace(/\.js$/u, '.ts')
    const values = (await exportsOf(source)).filter((exported) => !exported.startsWith('type '))
    expect(Object.keys(module).sort()).toEqual(values)
  })
})
