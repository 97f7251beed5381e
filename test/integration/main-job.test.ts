import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { handlerModule, iterable, memoryDestination, Processor } from 'millrace'
import { cloudTrailRecords } from '../../examples/cloudtrail-ocsf/generator/records.ts'
import { cloudTrailRecord } from '../../examples/cloudtrail-ocsf/ocsf/cloudtrail-record.ts'
import type normalize from '../../examples/cloudtrail-ocsf/normalize.ts'
import { toOcsf } from '../../examples/cloudtrail-ocsf/ocsf/to-ocsf.ts'
import { startNode, type Child, type ChildResult } from '../helpers/child.ts'

const main = new URL('../../dist/examples/cloudtrail-ocsf/main.js', import.meta.url)
const counters = ['received', 'acked', 'nacked', 'delivered', 'filtered', 'dropped', 'deadLettered', 'emitted'] as const

let folder = ''
let input = ''
let records: readonly string[] = []

/** What the job must write, whatever its threads do. */
const normalized = (lines: readonly string[]): string =>
  lines.map((line) => `${JSON.stringify(toOcsf(cloudTrailRecord(JSON.parse(line))))}\n`).join('')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'main-job-'))
  input = join(folder, 'input.ndjson')
  records = [...cloudTrailRecords({ records: 20_000, seed: 3 })].map((record) => JSON.stringify(record))
  await writeFile(input, `${records.join('\n')}\n`)
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

let folders = 0
const outFolder = (): string => join(folder, `out-${folders++}`)

function start(...args: readonly string[]): Child {
  const child = startNode(main, args)
  onTestFinished(() => void child.process.kill('SIGKILL'))
  return child
}

/** The counters of a summary, which is all that is written to stdout. */
function countersOf({ stdout }: ChildResult): Record<(typeof counters)[number], number> {
  const count = (name: string): number => {
    const [, number] = new RegExp(`^ +${name} +([\\d,]+)$`, 'm').exec(stdout) ?? []
    return Number(number?.replaceAll(',', ''))
  }
  return Object.fromEntries(counters.map((name) => [name, count(name)])) as Record<(typeof counters)[number], number>
}

function expectBalance(result: ChildResult): void {
  const { received, acked, nacked, delivered, filtered, dropped, deadLettered } = countersOf(result)
  expect(received).toBe(acked + nacked)
  expect(acked).toBe(delivered + filtered + dropped + deadLettered)
}

const read = async (out: string, name = 'ocsf.ndjson'): Promise<string> => readFile(join(out, name), 'utf8')

async function untilWritten(path: string): Promise<void> {
  while (!existsSync(path) || (await stat(path)).size === 0) await sleep(2)
}

/** How often each event is in the output; every line of it is whole. */
async function eventsIn(out: string): Promise<Map<string, number>> {
  const events = new Map<string, number>()
  for (const line of (await read(out)).trimEnd().split('\n')) {
    const { metadata } = JSON.parse(line) as { metadata: { uid: string } }
    events.set(metadata.uid, (events.get(metadata.uid) ?? 0) + 1)
  }
  return events
}

const ids = (): readonly string[] => records.map((line) => (JSON.parse(line) as { eventID: string }).eventID)

describe('a run to the end', () => {
  test.each([0, 1, 2, 4])('writes every event, in order, with %i threads (G1, G3)', async (threads) => {
    const out = outFolder()
    const result = await start(input, '--out', out, '--threads', String(threads)).ended
    expect(result.code).toBe(0)
    expect(countersOf(result)).toMatchObject({ received: 20_000, acked: 20_000, emitted: 20_000, deadLettered: 0 })
    expect(result.stdout).toMatch(/^Done in \d+\.\d\d s: [\d,]+ events\/s, [\d,]+ events\/s per core\n/)
    expect(result.stdout).toContain(join(out, 'ocsf.ndjson'))
    expect(result.stderr).toContain('Normalizing: 20,000 events')
    expect((await read(out)) === normalized(records)).toBe(true)
    expect(await read(out, 'dead-letter.ndjson')).toBe('')
  })

  test('generates its input where none is given, once', async () => {
    const out = outFolder()
    const args = ['--out', out, '--records', '1500', '--seed', '3', '--threads', '1']
    expect((await start(...args).ended).stderr).toContain('Generating: 1,500 events')
    expect((await read(out)) === normalized(records.slice(0, 1_500))).toBe(true)
    expect((await start(...args).ended).stderr).not.toContain('Generating')
    expect((await read(out)) === normalized(records.slice(0, 1_500))).toBe(true)
  })

  test('reads gzip', async () => {
    const out = outFolder()
    const zipped = join(folder, 'input.ndjson.gz')
    await writeFile(zipped, gzipSync(`${records.slice(0, 500).join('\n')}\n`))
    expect((await start(zipped, '--out', out, '--threads', '1').ended).code).toBe(0)
    expect((await read(out)) === normalized(records.slice(0, 500))).toBe(true)
  })

  test('gives to the dead letters what is no CloudTrail record, and goes on', async () => {
    const out = outFolder()
    const mixed = join(folder, 'mixed.ndjson')
    const good = records.slice(0, 3)
    await writeFile(mixed, [good[0], '{"torn', good[1], '{"eventName":"GetObject"}', '', good[2]].join('\n'))
    const result = await start(mixed, '--out', out, '--threads', '2').ended
    expect(result.code).toBe(0)
    expect(countersOf(result)).toMatchObject({ received: 6, acked: 6, delivered: 3, deadLettered: 3, emitted: 3 })
    expect(await read(out)).toBe(normalized(good))
    const letters = (await read(out, 'dead-letter.ndjson'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { stage: string; value: unknown; error: { message: string } })
    // As they are given up: only outputs and acks have an order.
    expect(new Set(letters.map(({ stage, value }) => JSON.stringify([stage, value])))).toEqual(
      new Set([
        '["decode",{"utf8":"{\\"torn"}]',
        '["handle",{"utf8":"{\\"eventName\\":\\"GetObject\\"}"}]',
        '["decode",{"utf8":""}]',
      ]),
    )
    expect(letters.find(({ stage }) => stage === 'handle')?.error.message).toContain(
      'Expected a CloudTrail record, whose eventSource is a string; got none',
    )
  })

  test('loses nothing to workers that exit at random (G5)', async () => {
    const handler = handlerModule<Record<'default', typeof normalize>>(
      new URL('../fixtures/handlers/normalize-exits-at-random.mjs', import.meta.url),
    )
    const destination = memoryDestination<Uint8Array>()
    const lines = records.slice(0, 3_000)
    let restarts = 0
    const processor = new Processor({
      source: iterable(lines.map((line) => new TextEncoder().encode(line))),
      handler,
      destination,
      threads: 2,
      drainTimeoutMs: 1_000,
      onEvent: (event) => {
        if (event.type === 'restart') restarts++
      },
    })
    expect(await processor.run(AbortSignal.timeout(20_000))).toMatchObject({
      received: 3_000,
      delivered: 3_000,
      deadLettered: 0,
    })
    expect(restarts).toBeGreaterThan(3)
    const output = destination.messages.map(({ value }) => `${new TextDecoder().decode(value)}\n`).join('')
    expect(output === normalized(lines)).toBe(true)
  })

  const real = new URL('../../../shared/data/cloudtrail/events.ndjson', import.meta.url)
  test.skipIf(!existsSync(real))(
    'normalizes a set of real records, if it is there: none is a dead letter',
    async () => {
      const path = fileURLToPath(real)
      const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
      for (const threads of ['0', '2']) {
        const out = outFolder()
        const result = await start(path, '--out', out, '--threads', threads).ended
        expect(countersOf(result)).toMatchObject({ received: lines.length, emitted: lines.length, deadLettered: 0 })
        expect((await read(out)) === normalized(lines)).toBe(true)
      }
    },
  )
})

describe('an interrupted run', () => {
  test('drains on SIGTERM, with its counters in balance, and is completed by --resume (G6, G9)', async () => {
    const out = outFolder()
    const child = start(input, '--out', out, '--threads', '2')
    await untilWritten(join(out, 'ocsf.ndjson'))
    child.process.kill('SIGTERM')
    const stopped = await child.ended
    expect({ code: stopped.code, signal: stopped.signal }).toEqual({ code: 0, signal: null })
    expectBalance(stopped)
    const { received } = countersOf(stopped)
    expect(received).toBeLessThan(20_000)
    expect(stopped.stdout).toContain('--resume goes on from here')
    expect((await read(out)) === normalized(records.slice(0, received))).toBe(true)

    const resumed = await start(input, '--out', out, '--resume').ended
    expect(resumed.code).toBe(0)
    expect(countersOf(resumed).received).toBe(20_000 - received)
    expect(resumed.stderr).toContain('100%')
    expect((await read(out)) === normalized(records)).toBe(true)
  })

  test('is completed by --resume after kill -9 at any moment: nothing is missing, little is doubled (G1)', async () => {
    const maxInFlight = 16_384
    for (const delayMs of [0, 40, 150]) {
      const out = outFolder()
      const child = start(input, '--out', out, '--threads', '2')
      await untilWritten(join(out, 'ocsf.ndjson'))
      await sleep(delayMs)
      child.process.kill('SIGKILL')
      await child.ended
      const resumed = await start(input, '--out', out, '--threads', '2', '--resume').ended
      expect(resumed.code).toBe(0)
      const events = await eventsIn(out)
      expect(ids().filter((id) => !events.has(id))).toEqual([])
      const lines = [...events.values()].reduce((sum, times) => sum + times, 0)
      expect(lines - 20_000).toBeLessThanOrEqual(maxInFlight)
    }
  })

  test('is completed by --resume after kill -9 before the first output', async () => {
    const out = outFolder()
    const child = start(input, '--out', out)
    await sleep(50)
    child.process.kill('SIGKILL')
    await child.ended
    expect((await start(input, '--out', out, '--resume').ended).code).toBe(0)
    expect((await read(out)) === normalized(records)).toBe(true)
  })
})

const small = async (name: string, lines: readonly string[]): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, `${lines.join('\n')}\n`)
  return path
}

describe('the output folder', () => {
  test('is written anew without --resume', async () => {
    const out = outFolder()
    await start(await small('first.ndjson', ['no JSON', ...records.slice(0, 20)]), '--out', out).ended
    expect(await read(out, 'dead-letter.ndjson')).not.toBe('')
    const second = records.slice(20, 30)
    expect((await start(await small('second.ndjson', second), '--out', out).ended).code).toBe(0)
    expect(await read(out)).toBe(normalized(second))
    expect(await read(out, 'dead-letter.ndjson')).toBe('')
  })

  test('is begun by --resume where nothing was begun', async () => {
    const out = outFolder()
    const path = await small('third.ndjson', records.slice(0, 10))
    expect((await start(path, '--out', out, '--resume').ended).code).toBe(0)
    expect(await read(out)).toBe(normalized(records.slice(0, 10)))
    const again = await start(path, '--out', out, '--resume').ended
    expect(again.code).toBe(0)
    expect(countersOf(again)).toMatchObject({ received: 0, emitted: 0 })
    expect(await read(out)).toBe(normalized(records.slice(0, 10)))
  })

  test('is not resumed with another input, and stays as it is', async () => {
    const out = outFolder()
    await start(await small('mine.ndjson', records.slice(0, 10)), '--out', out).ended
    const other = await start(await small('other.ndjson', records.slice(10, 40)), '--out', out, '--resume').ended
    expect(other.code).toBe(1)
    expect(other.stderr).toContain('MR_CHECKPOINT_MISMATCH')
    expect(await read(out)).toBe(normalized(records.slice(0, 10)))
  })
})

describe('the command line', () => {
  test('--help explains it', async () => {
    const { code, stdout, stderr } = await start('--help').ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('npm start -- [FILE] [options]')
  })

  test.each([
    ['a file that is missing', () => [join(folder, 'none.ndjson')], 'none.ndjson, which does not exist'],
    ['a folder for a file', () => [folder], 'which is none'],
    ['an unknown option', () => ['--fast'], '--fast'],
    ['a bad number', () => ['--threads', 'all'], '--threads to be a whole number'],
    ['an output folder that is a file', () => [input, '--out', input], '--out to be a folder'],
    ['an input that would be overwritten', () => [join(folder, 'ocsf.ndjson'), '--out', folder], 'is not written to'],
  ])('refuses %s in one line', async (_name, args, message) => {
    await writeFile(join(folder, 'ocsf.ndjson'), 'precious\n')
    const { code, stdout, stderr } = await start(...args()).ended
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(await read(folder)).toBe('precious\n')
  })
})
