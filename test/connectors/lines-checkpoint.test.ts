import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LinesOptions } from '../../src/connectors/lines/lines-options.ts'
import { lines as unclosed } from '../../src/connectors/lines/lines.ts'
import type { Source } from '../../src/source.ts'
import { sourceChecks } from '../../src/testing/index.ts'
import { batchOf, closing, collect, expectCode, never, temporaryDirectory, values } from '../helpers/collect.ts'

const lines: typeof unclosed = (input, options) => closing(unclosed(input, options))

interface Files {
  readonly directory: string
  readonly input: string
  readonly checkpoint: string
}

function files(content: string | Uint8Array, name = 'events.log'): Files {
  const directory = temporaryDirectory()
  const input = join(directory, name)
  writeFileSync(input, content)
  return { directory, input, checkpoint: join(directory, 'events.checkpoint') }
}

/** A run that acks the first `acks` of the lines that it receives, and ends. */
async function run({ input, checkpoint }: Files, acks = Infinity, options: LinesOptions = {}): Promise<unknown[]> {
  const source = lines(input, { checkpoint, ...options })
  const deliveries = await collect(source)
  for (const delivery of deliveries.slice(0, acks)) await delivery.ack()
  await source.close?.()
  return values(deliveries)
}

const numbered = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, index) => `line ${from + index}\n`).join('')
const names = (count: number, from = 0): string[] => numbered(count, from).split('\n').slice(0, -1)

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const offsetIn = (checkpoint: string): number =>
  (JSON.parse(readFileSync(checkpoint, 'utf8')) as { offset: number }).offset

describe('going on where it was', () => {
  test('G1: what was not acked comes again, and nothing else', async () => {
    const given = files(numbered(10))
    expect(await run(given, 4)).toEqual(names(10))
    expect(await run(given, 3)).toEqual(names(6, 4))
    expect(await run(given)).toEqual(names(3, 7))
    expect(await run(given)).toEqual([])
  })

  test('the id of a line is the same in the next run', async () => {
    const given = files(numbered(4))
    await run(given, 2)
    const [delivery] = await collect(lines(given.input, { checkpoint: given.checkpoint }))
    expect(delivery?.message.id).toBe(`${given.input}:14`)
  })

  test('nothing acked writes no checkpoint; an ack of the last of a run stands for all', async () => {
    const given = files(numbered(4))
    await run(given, 0)
    expect(existsSync(given.checkpoint)).toBe(false)
    const source = lines(given.input, { checkpoint: given.checkpoint })
    await source.ackBatch?.(await batchOf(source, 3))
    await source.ackBatch?.([])
    await source.close?.()
    expect(await run(given)).toEqual(names(1, 3))
  })

  test('G2: a late ack of an earlier line does not move the offset back', async () => {
    const given = files(numbered(4))
    const source = lines(given.input, { checkpoint: given.checkpoint })
    const [first, second, third] = await collect(source)
    await third?.ack()
    await first?.ack()
    await second?.ack()
    await source.close?.()
    expect(offsetIn(given.checkpoint)).toBe(21)
  })

  test('what is appended between runs is read by the next', async () => {
    const given = files(numbered(3))
    await run(given)
    appendFileSync(given.input, numbered(2, 3))
    expect(await run(given)).toEqual(names(2, 3))
  })

  test.each([
    ['a last line without end', 'a\nb', {}, ['b']],
    ['CRLF', 'a\r\nb\r\nc\r\n', {}, ['b', 'c']],
    ['a long delimiter', 'a<->b<->c', { delimiter: '<->' }, ['b', 'c']],
    ['skipped empty lines', '\n\na\n\n\nb\n\n', { skipEmpty: true }, ['b']],
  ] as const)('with %s the offset is just after the acked line', async (_, content, options, rest) => {
    const given = files(content)
    await run(given, 1, options)
    expect(await run(given, Infinity, options)).toEqual(rest)
    expect(await run(given, Infinity, options)).toEqual([])
  })

  test('gzip: the offset counts decompressed bytes', async () => {
    const text = numbered(50_000)
    const given = files(gzipSync(text), 'events.gz')
    expect(await run(given, 49_990)).toHaveLength(50_000)
    expect(offsetIn(given.checkpoint)).toBe(names(49_990).join('\n').length + 1)
    expect(await run(given, 3)).toEqual(names(10, 49_990))
    expect(await run(given)).toEqual(names(7, 49_993))
    expect(await run(given)).toEqual([])
  })

  test('G1: any number of runs with any acks yields every line, each again until it is acked', async () => {
    const scenario = fc.record({
      lengths: fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 30 }),
      acks: fc.array(fc.nat(12), { maxLength: 6 }),
      gzip: fc.boolean(),
    })
    const directory = temporaryDirectory()
    await fc.assert(
      fc.asyncProperty(scenario, async ({ lengths, acks, gzip }) => {
        const expected = lengths.map((length, index) => `${index}${'z'.repeat(length)}`)
        const text = `${expected.join('\n')}\n`
        const given = { directory, input: join(directory, 'input'), checkpoint: join(directory, 'checkpoint') }
        writeFileSync(given.input, gzip ? gzipSync(text) : text)
        rmSync(given.checkpoint, { force: true })
        let acked = 0
        for (const count of [...acks, Infinity]) {
          expect(await run(given, count, { gzip })).toEqual(expected.slice(acked))
          acked += count
        }
        expect(await run(given, 0, { gzip })).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

describe('when it is written', () => {
  test('during the run, at most once a period, without an ack waiting for it', async () => {
    const given = files(numbered(1_000))
    const source = lines(given.input, { checkpoint: given.checkpoint, checkpointEveryMs: 50 })
    const deliveries = await collect(source)
    expect(deliveries[0]?.ack()).toBeUndefined()
    expect(existsSync(given.checkpoint)).toBe(false)
    while (!existsSync(given.checkpoint)) await sleep(5)
    expect(offsetIn(given.checkpoint)).toBe(7)
    for (const delivery of deliveries) void delivery.ack()
    while (offsetIn(given.checkpoint) === 7) await sleep(5)
    expect(offsetIn(given.checkpoint)).toBe(numbered(1_000).length)
    await source.close?.()
  })

  test('again after a write during which more was acked', async () => {
    const given = files(numbered(1_000))
    const source = lines(given.input, { checkpoint: given.checkpoint, checkpointEveryMs: 1 })
    const deliveries = await collect(source)
    const last = deliveries.at(-1)
    for (const delivery of deliveries.slice(0, -1)) {
      await delivery.ack()
      const before = performance.now()
      while (!existsSync(`${given.checkpoint}.tmp`) && performance.now() < before + 5) await turn()
      if (existsSync(`${given.checkpoint}.tmp`)) break
    }
    await last?.ack()
    while (!existsSync(given.checkpoint) || offsetIn(given.checkpoint) < numbered(1_000).length) await sleep(5)
  })

  test('G6: at close, at once, though the period is not over; closing twice is no error', async () => {
    const given = files(numbered(3))
    const source = lines(given.input, { checkpoint: given.checkpoint, checkpointEveryMs: 2_147_483_647 })
    for (const delivery of await collect(source)) await delivery.ack()
    await Promise.all([source.close?.(), source.close?.()])
    await source.close?.()
    expect(offsetIn(given.checkpoint)).toBe(21)
  })

  test('run ends with its signal', async () => {
    const given = files('a\n')
    const source = lines(given.input, { checkpoint: given.checkpoint })
    const controller = new AbortController()
    const running = source.run?.(controller.signal)
    controller.abort()
    await running
    await source.close?.()
  })

  test('G1: one that cannot be written fails run, every later ack, and close', async () => {
    const given = files(numbered(3))
    const nowhere = join(given.directory, 'missing', 'checkpoint')
    const source = lines(given.input, { checkpoint: nowhere, checkpointEveryMs: 1 })
    const running = expectCode(source.run?.(never) ?? Promise.resolve(), 'MR_CHECKPOINT_FAILED', /write .*ENOENT/)
    const [first, second] = await collect(source)
    await first?.ack()
    const error = await running
    expect(error.cause).toMatchObject({ code: 'ENOENT' })
    await expectCode(() => second?.ack(), 'MR_CHECKPOINT_FAILED', /directory exists/)
    await expectCode(source.close?.() ?? Promise.resolve(), 'MR_CHECKPOINT_FAILED', /write/)
  })
})

describe('which file it is', () => {
  test('a copy of the file, with other times, goes on', async () => {
    const given = files(numbered(2_000))
    await run(given, 1_500)
    const input = join(given.directory, 'copy.log')
    copyFileSync(given.input, input)
    utimesSync(input, 1, 1)
    expect(await run({ ...given, input })).toEqual(names(500, 1_500))
  })

  test.each([
    ['plain', 'events.log', (text: string) => Buffer.from(text)],
    ['gzip', 'events.gz', (text: string) => gzipSync(text)],
  ])('%s: one that starts differently, or is shorter, is refused', async (_, name, pack) => {
    const given = files(pack(numbered(1_000)), name)
    await run(given, 900)
    const before = readFileSync(given.checkpoint)
    writeFileSync(given.input, pack(numbered(1_000, 1)))
    await expectCode(run(given), 'MR_CHECKPOINT_MISMATCH', /starts with other bytes.*Delete the checkpoint/)
    writeFileSync(given.input, pack(numbered(800)))
    await expectCode(run(given), 'MR_CHECKPOINT_MISMATCH', /one of \d+ bytes/)
    writeFileSync(given.input, pack(''))
    await expectCode(run(given), 'MR_CHECKPOINT_MISMATCH', /one of 0 bytes/)
    expect(readFileSync(given.checkpoint)).toEqual(before)
  })

  test.each([
    '',
    '{',
    'null',
    '[]',
    '{"version":2}',
    '{"version":1,"offset":-1,"head":{"bytes":0,"sha256":""}}',
    '\0\0\0',
  ])('a checkpoint of %j is refused, not taken for the start', async (content) => {
    const given = files(numbered(3))
    writeFileSync(given.checkpoint, content)
    await expectCode(run(given), 'MR_CHECKPOINT_FAILED', /events\.checkpoint.*Delete it/)
  })

  test('one that cannot be read is refused', async () => {
    const given = files(numbered(3))
    mkdirSync(given.checkpoint)
    await expectCode(run(given), 'MR_CHECKPOINT_FAILED', /read .*EISDIR/)
  })

  test('what a crash left of a write does no harm', async () => {
    const given = files(numbered(5))
    await run(given, 2)
    writeFileSync(`${given.checkpoint}.tmp`, '{"version":1,"off')
    expect(await run(given, 1)).toEqual(names(3, 2))
    expect(await run(given)).toEqual(names(2, 3))
    expect(existsSync(`${given.checkpoint}.tmp`)).toBe(false)
  })

  test('what is no regular file cannot have one', async () => {
    const given = files('')
    await expectCode(
      lines(given.directory, { checkpoint: given.checkpoint }).recv(never),
      'MR_OPTION_INVALID',
      /no regular file/,
    )
  })
})

test('closing while a large gzip file is being skipped does not read it to the end', async () => {
  const given = files(gzipSync(Buffer.alloc(100_000_000, 'x\n')), 'events.gz')
  const head = { bytes: 4_096, sha256: '' }
  writeFileSync(given.checkpoint, JSON.stringify({ version: 1, offset: 99_000_000, head }))
  let from = performance.now()
  await expectCode(run(given), 'MR_CHECKPOINT_MISMATCH', /starts with other bytes/)
  const wholeMs = performance.now() - from

  const source = lines(given.input, { checkpoint: given.checkpoint })
  const pending = source.recv(never)
  await sleep(5)
  from = performance.now()
  await source.close?.()
  expect(await pending).toBeUndefined()
  expect(performance.now() - from).toBeLessThan(wholeMs / 2)
})

describe('conformance', () => {
  let given: Files | undefined
  const reopen = (): Source<Uint8Array> =>
    lines(given?.input ?? '', { checkpoint: given?.checkpoint ?? '', delimiter: '\n' })
  const create = (content: readonly Uint8Array[]): Source<Uint8Array> => {
    given = files(Buffer.concat(content.flatMap((value) => [value, Buffer.from('\n')])))
    return reopen()
  }
  for (const check of sourceChecks({ create, reopen, values: 'line' })) test(check.name, check.run)
})
