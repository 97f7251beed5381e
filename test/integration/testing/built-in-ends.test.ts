import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterAll, beforeAll, describe, test } from 'vitest'
import {
  batch,
  file,
  iterable,
  lines,
  mapSource,
  memoryDestination,
  memorySource,
  multi,
  poller,
  printer,
  route,
  tee,
  type Destination,
  type MemoryDestination,
  type Source,
} from 'millrace'
import { destinationChecks, sourceChecks, type Check } from 'millrace/testing'

type Values = readonly Uint8Array[]

let directory: string
let files = 0

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-'))
})
afterAll(() => rm(directory, { recursive: true }))

const newPath = (): string => join(directory, `far-end-${files++}`)
const doNothing = (): void => {}
const newline = Buffer.from('\n')
const longLines = { maxLineBytes: 2_000_000 }
/** Far beyond any check: what is held back is handed over by `flush`, or not at all. */
const policy = { periodMs: 60_000 }

function conform(name: string, checks: readonly Check[]): void {
  describe(name, () => {
    for (const check of checks) test(check.name, check.run)
  })
}

function asLines(values: Values): Buffer {
  return Buffer.concat(values.flatMap((value) => [Buffer.from(value), newline]))
}

function fromLines(bytes: Buffer): Values {
  const values: Buffer[] = []
  for (let from = 0, end = bytes.indexOf(newline); end !== -1; from = end + 1, end = bytes.indexOf(newline, from)) {
    values.push(bytes.subarray(from, end))
  }
  return values
}

function filled(values: Values): Source<Uint8Array> & { end(): void } {
  const source = memorySource<Uint8Array>()
  for (const value of values) source.push(value)
  return source
}

function ended(values: Values): Source<Uint8Array> {
  const source = filled(values)
  source.end()
  return source
}

describe('sources', () => {
  let path = ''
  const open = (): Source<Uint8Array> => lines(path, { ...longLines, checkpoint: `${path}.checkpoint` })
  conform(
    'lines of a file, with a checkpoint',
    sourceChecks({
      values: 'line',
      create(values) {
        path = newPath()
        writeFileSync(path, asLines(values))
        return open()
      },
      reopen: open,
    }),
  )

  conform(
    'lines of a stream',
    sourceChecks({
      values: 'line',
      create: (values) => lines(new PassThrough({ highWaterMark: 100 }).end(asLines(values)), longLines),
    }),
  )

  conform('iterable', sourceChecks({ create: (values) => iterable(values) }))

  let taken = 0
  conform(
    'iterable, async',
    sourceChecks({
      create(values) {
        taken = 0
        return iterable(
          (async function* read() {
            for (const value of values) {
              taken++
              yield value
            }
          })(),
        )
      },
      taken: () => taken,
      maxReadAhead: 1,
    }),
  )

  conform('memorySource', sourceChecks({ create: ended }))
  conform('memorySource that waits for more', sourceChecks({ create: filled, ends: false }))

  conform(
    'poller',
    sourceChecks({
      create(values) {
        const rest = [...values]
        return poller(async () => rest.splice(0, 7), { intervalMs: 0 })
      },
      ends: false,
    }),
  )

  conform(
    'mapSource',
    sourceChecks({
      create: (values) => mapSource(ended(values), (message) => ({ ...message, value: { body: message.value } })),
      toBytes: ({ body }) => body,
    }),
  )

  conform(
    'multi',
    sourceChecks({
      create: (values) =>
        multi({
          even: ended(values.filter((_, index) => index % 2 === 0)),
          odd: iterable(values.filter((_, index) => index % 2 === 1)),
        }),
    }),
  )
})

describe('destinations', () => {
  let path = ''
  conform(
    'file',
    destinationChecks({
      values: 'line',
      create() {
        path = newPath()
        return file(path, { policy })
      },
      received: () => (existsSync(path) ? fromLines(readFileSync(path)) : []),
    }),
  )

  let printed: Buffer[] = []
  let resume: (() => void) | undefined
  let isStopped = false
  conform(
    'printer',
    destinationChecks({
      values: 'line',
      create() {
        printed = []
        const stream = new Writable({
          write(chunk: Buffer, _encoding, done) {
            const write = (): void => {
              printed.push(Buffer.from(chunk))
              done()
            }
            if (isStopped) resume = write
            else setImmediate(write)
          },
        })
        return printer({ stream })
      },
      received: () => fromLines(Buffer.concat(printed)),
      hold() {
        isStopped = true
        return () => {
          isStopped = false
          resume?.()
          resume = undefined
        }
      },
    }),
  )

  let memory: MemoryDestination<Uint8Array> = memoryDestination()
  conform(
    'memoryDestination',
    destinationChecks({
      create() {
        memory = memoryDestination()
        return memory
      },
      received: () => memory.values,
    }),
  )

  let stored: Uint8Array[] = []
  let held: Promise<void> | undefined
  const batched = (concurrency = 1): Destination<Uint8Array> =>
    batch<Uint8Array>(
      async (messages) => {
        await held
        stored.push(...messages.map(({ value }) => value.slice()))
      },
      { ...policy, concurrency },
    )
  const intoStore = (create: () => Destination<Uint8Array>, ordered: boolean): readonly Check[] =>
    destinationChecks({
      create() {
        stored = []
        return create()
      },
      received: () => stored,
      ordered,
      hold() {
        let release = doNothing
        held = new Promise((resolve) => {
          release = resolve
        })
        return () => {
          held = undefined
          release()
        }
      },
    })
  conform('batch', intoStore(batched, true))
  conform(
    'batch, four flushes at once',
    intoStore(() => batched(4), false),
  )
  conform(
    'tee',
    intoStore(() => tee(batched(), memoryDestination<Uint8Array>()), true),
  )
  conform(
    'route',
    intoStore(
      () =>
        route<Uint8Array, 'even' | 'odd'>(({ value }) => (value.byteLength % 2 === 0 ? 'even' : 'odd'), {
          even: batched(),
          odd: batched(),
        }),
      false,
    ),
  )
})
