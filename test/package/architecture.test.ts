import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { importsOf, withoutComments, type Import } from '../helpers/imports.ts'
import { filesBelow, readText, root } from '../helpers/project.ts'

/** Synchronous, and the same for the same arguments: no promise, no timer, no clock, no chance, no I/O. */
const pureFiles = [
  'src/ack/ack-ledger.ts',
  'src/ack/outcome.ts',
  'src/batch/batch-buffer.ts',
  'src/batch/retry-schedule.ts',
  'src/connectors/lines/line-splitter.ts',
  'src/connectors/poller/poll-schedule.ts',
  'src/processor/account.ts',
  'src/processor/chunk-sizer.ts',
  'src/processor/dispatch-queue.ts',
  'src/processor/processor-state.ts',
  'src/processor/reorder-buffer.ts',
  'src/processor/window.ts',
  'src/run/error-report.ts',
]
const impure =
  /\b(?:async|await|Promise|setTimeout|setInterval|setImmediate|queueMicrotask|performance|process)\b|Date\.now|new Date|Math\.random\(|from 'node:/u

const entries = ['src/index.ts', 'src/handler/index.ts', 'src/testing/index.ts']

/**
 * What each area may load, beside itself. `import type` is free: it is gone at run time, and what crosses a boundary has
 * its type where it belongs.
 */
const mayLoad: Readonly<Record<string, readonly string[]>> = {
  'src/message.ts': [],
  'src/source.ts': [],
  'src/destination.ts': [],
  'src/errors.ts': [],
  'src/util': ['src/errors.ts'],
  'src/ack': ['src/errors.ts'],
  'src/wire': ['src/errors.ts'],
  'src/codec': ['src/errors.ts', 'src/util', 'src/wire'],
  'src/handler': ['src/codec', 'src/message.ts'],
  'src/batch': ['src/errors.ts', 'src/util'],
  'src/map-source.ts': ['src/errors.ts', 'src/util'],
  'src/dead-letter-json.ts': ['src/errors.ts', 'src/util'],
  'src/connectors': ['src/batch', 'src/dead-letter-json.ts', 'src/errors.ts', 'src/message.ts', 'src/util'],
  'src/worker': ['src/codec', 'src/errors.ts', 'src/util', 'src/wire'],
  'src/pool': ['src/errors.ts', 'src/util', 'src/wire', 'src/worker'],
  'src/processor': [
    'src/ack',
    'src/errors.ts',
    'src/handler',
    'src/message.ts',
    'src/pool',
    'src/util',
    'src/wire',
    'src/worker',
  ],
  'src/run': ['src/errors.ts', 'src/util'],
  'src/testing': ['src/errors.ts', 'src/processor', 'src/util', 'src/wire', 'src/worker'],
  workers: ['src/errors.ts', 'src/pool', 'src/wire', 'src/worker'],
}

let modules: ReadonlyMap<string, { readonly code: string; readonly lines: number; readonly imports: readonly Import[] }>

beforeAll(async () => {
  const paths = [...(await filesBelow('src', '.ts')), ...(await filesBelow('workers', '.ts'))]
  const read = paths.map(async (path) => {
    const source = await readText(path)
    const code = withoutComments(source)
    return [path, { code, lines: source.split('\n').length - 1, imports: importsOf(path, source) }] as const
  })
  modules = new Map(await Promise.all(read))
})

function area(path: string): string {
  return Object.keys(mayLoad).find((name) => path === name || path.startsWith(`${name}/`)) ?? path
}

/** What the module loads at run time. */
function loads(path: string): readonly string[] {
  return (modules.get(path)?.imports ?? []).filter(({ isType }) => !isType).map(({ target }) => target)
}

/** `src/connectors/lines` for a file in it. */
function folder(path: string): string {
  return path.split('/').slice(0, 3).join('/')
}

/** Everything that loading the module loads, packages included. */
function reach(...paths: readonly string[]): ReadonlySet<string> {
  const reached = new Set(paths)
  for (const path of reached) for (const target of loads(path)) reached.add(target)
  return reached
}

/** The modules of src and workers that load this one. */
function importersOf(target: RegExp): readonly string[] {
  return [...modules.keys()].filter((path) => loads(path).some((loaded) => target.test(loaded)))
}

describe('imports', () => {
  test('are of files that exist, or of packages that are known', () => {
    const targets = [...modules].flatMap(([path, { imports }]) => imports.map(({ target }) => ({ path, target })))
    const unknown = targets.filter(
      ({ target }) => !/^(?:node:|piscina$|msgpackr)/u.test(target) && !modules.has(target),
    )
    expect(unknown).toEqual([])
    expect(targets.length).toBeGreaterThan(200)
  })

  test('of each package come from one file', () => {
    expect(importersOf(/^piscina/u)).toEqual(['src/pool/piscina.ts'])
    expect(importersOf(/^msgpackr/u)).toEqual(['src/wire/msgpack.ts'])
  })

  test('go one way between areas', () => {
    const wrong = [...modules.keys()].flatMap((path) => {
      if (path === 'src/index.ts') return []
      const allowed = mayLoad[area(path)] ?? []
      const others = loads(path).filter((target) => modules.has(target) && area(target) !== area(path))
      return others.filter((target) => !allowed.includes(area(target))).map((target) => `${path} -> ${target}`)
    })
    expect(wrong).toEqual([])
  })

  test('of a connector are not of another one', () => {
    const wrong = [...modules.keys()].flatMap((path) =>
      area(path) === 'src/connectors'
        ? loads(path).filter((target) => area(target) === 'src/connectors' && folder(target) !== folder(path))
        : [],
    )
    expect(wrong).toEqual([])
  })

  test('have no cycle', () => {
    const cyclic = [...modules.keys()].filter((path) => reach(...loads(path)).has(path))
    expect(cyclic).toEqual([])
  })

  test('of types alone are `import type`, so that nothing is loaded for them', () => {
    const wrong = [...modules].flatMap(([path, { imports }]) =>
      imports
        .filter(
          ({ isType, isReExport, clause }) =>
            !isType && !isReExport && /^\{\s*type [^,]*(?:,\s*type [^,]*)*,?\s*\}$/u.test(clause),
        )
        .map(({ target }) => `${path} -> ${target}`),
    )
    expect(wrong).toEqual([])
  })

  test('are re-exported by the entry points alone, which name everything', () => {
    const barrels = [...modules].filter(([, { imports }]) => imports.some(({ isReExport }) => isReExport))
    expect(barrels.map(([path]) => path).sort()).toEqual(entries.toSorted())
    const stars = [...modules].filter(([, { code }]) => /^export \*/mu.test(code))
    expect(stars.map(([path]) => path)).toEqual([])
  })
})

describe('what a thread loads', () => {
  test('a handler module loads neither piscina nor anything of the main thread', () => {
    const reached = [...reach('src/handler/index.ts')]
    expect(
      reached.filter((path) => /^(?:piscina|src\/(?:connectors|pool|processor|worker|index))/u.test(path)),
    ).toEqual([])
  })

  test('a worker loads no connector, no processor and no entry point', () => {
    const workers = [...modules.keys()].filter((path) => path.startsWith('workers/'))
    expect(workers).not.toEqual([])
    const reached = [...reach(...workers)]
    expect(reached.filter((path) => /^src\/(?:connectors|processor|batch|testing|index)/u.test(path))).toEqual([])
  })

  test('the fault handlers load neither piscina nor a connector', () => {
    const reached = [...reach('src/testing/index.ts')]
    expect(reached.filter((path) => /^(?:piscina|src\/(?:connectors|pool|index))/u.test(path))).toEqual([])
  })
})

describe('files', () => {
  test.each(pureFiles)('%s is pure', (path) => {
    const { code = 'missing', imports = [] } = modules.get(path) ?? {}
    expect(impure.exec(code)?.[0]).toBeUndefined()
    expect(code).not.toBe('missing')
    const impureImports = [...reach(...imports.filter(({ isType }) => !isType).map(({ target }) => target))].filter(
      (target) => target !== 'src/errors.ts' && target !== 'node:util' && impure.test(modules.get(target)?.code ?? ''),
    )
    expect(impureImports).toEqual([])
  })

  test('have at most 300 lines each', () => {
    const long = [...modules].filter(([, { lines }]) => lines > 300).map(([path, { lines }]) => `${path}: ${lines}`)
    expect(long).toEqual([])
  })

  test('are named in kebab-case', () => {
    expect(
      [...modules.keys()].filter(
        (path) => !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*(?:\.d)?\.ts$/u.test(path),
      ),
    ).toEqual([])
  })
})

describe('docs/architecture.md', () => {
  test('names only files that exist', async () => {
    const text = await readText('docs/architecture.md')
    const paths = [...text.matchAll(/`((?:[a-z-]+\/)+[a-z-]+\.(?:ts|js|md))`/gu)].map(([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(10)
    expect(paths.filter((path) => ![path, `src/${path}`].some((place) => existsSync(join(root, place))))).toEqual([])
  })

  test('names every area of src', async () => {
    const text = await readText('docs/architecture.md')
    const areas = new Set([...modules.keys()].map((path) => path.split('/')[1] ?? ''))
    const [, tree = ''] = text.split('## The tree')
    expect([...areas].filter((name) => !tree.includes(name.endsWith('.ts') ? name : `${name}/`))).toEqual([])
  })
})
