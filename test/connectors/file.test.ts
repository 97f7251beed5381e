import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, expectTypeOf, test, vi } from 'vitest'
import { file } from '../../src/connectors/file/file.ts'
import type { Destination, Settlement } from '../../src/destination.ts'
import { type DestinationEvent, observe, type Observable } from '../../src/util/observe.ts'
import { messagesOf, noAbort, RecordingSettlement } from '../helpers/recording-settlement.ts'

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-file-'))
  path = join(folder, 'out.ndjson')
})

afterEach(() => rm(folder, { recursive: true }))

const settled = (settlement: RecordingSettlement): Promise<void> =>
  vi.waitFor(() => expect(settlement.outcomes).not.toContain(undefined), { interval: 1 })

test('G1: at the ack, the lines of the whole batch are in the file', async () => {
  const destination = file(path, { policy: { count: 3 } })
  const seen: string[] = []
  const settlement: Settlement = {
    ack: () => seen.push(readFileSync(path, 'utf8')),
    nack: () => seen.push('nack'),
  }
  await destination.send(messagesOf<Uint8Array | string>('a', Buffer.from('b'), 'é\nc'), settlement, noAbort)
  await vi.waitFor(() => expect(seen).toEqual(['a\nb\né\nc\n']))
  await destination.close?.()
})

test('G6: flush appends at once what waits for a fuller batch', async () => {
  const destination = file(pathToFileURL(path), { policy: { periodMs: 60_000 }, fsync: false, delimiter: '\0' })
  const settlement = new RecordingSettlement(1)
  await destination.send(messagesOf('a'), settlement, noAbort)
  await sleep(20)
  expect(settlement.outcomes).toEqual([undefined])
  destination.flush?.()
  await settled(settlement)
  expect(await readFile(path, 'utf8')).toBe('a\0')
  await destination.close?.()
})

test('run opens the file before the first message: it is created, emptied or repaired', async () => {
  await writeFile(path, 'old\nto')
  const appending = file(path)
  const controller = new AbortController()
  const running = appending.run?.(controller.signal)
  await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toBe('old\n'), { interval: 1 })
  controller.abort()
  await running
  await appending.close?.()
  const replacing = file(path, { mode: 'replace' })
  const again = replacing.run?.(AbortSignal.abort())
  await again
  await replacing.close?.()
  expect(await readFile(path, 'utf8')).toBe('')
})

test('G7: a path that cannot be written to fails the run, and the send that finds out, without a retry', async () => {
  const destination: Destination<Uint8Array | string> & Observable = file(join(folder, 'none', 'out'), {
    policy: { count: 1 },
  })
  const events: DestinationEvent[] = []
  destination[observe]?.((event) => events.push(event))
  const settlement = new RecordingSettlement(1)
  const running = destination.run?.(noAbort)
  void destination.send(messagesOf('a'), settlement, noAbort)
  await expect(running).rejects.toMatchObject({ code: 'MR_FILE_FAILED', message: /create it first/ })
  await vi.waitFor(() => expect(events).toMatchObject([{ attempt: 1, delayMs: undefined }]))
  await destination.close?.().catch(() => {})
  expect(settlement.outcomes).toEqual([undefined])
})

test('a message that cannot be formatted is given up alone, without a retry; the rest is durable', async () => {
  const destination: Destination<number> & Observable = file<number>(path, {
    policy: { count: 3 },
    format: ({ value }) => {
      if (value === 2) throw new RangeError('two')
      return String(value)
    },
  })
  const events: DestinationEvent[] = []
  destination[observe]?.((event) => events.push(event))
  const settlement = new RecordingSettlement(3)
  await destination.send(messagesOf(1, 2, 3), settlement, noAbort)
  await settled(settlement)
  expect(await readFile(path, 'utf8')).toBe('1\n3\n')
  expect(settlement.outcomes).toMatchObject([
    'ack',
    { code: 'MR_FLUSH_FAILED', cause: { code: 'MR_ENCODE', cause: { message: 'two' } } },
    'ack',
  ])
  expect(events).toMatchObject([{ attempt: 1, delayMs: undefined }])
  await destination.close?.()
})

const script = fileURLToPath(new URL('../fixtures/connectors/append-lines.mjs', import.meta.url))

const expectedLines = (count: number): string =>
  Array.from({ length: count }, (_, number) => `${number} ${'x'.repeat(number % 900)}\n`).join('')

test('G1: a disk that fills up in the middle of a line ends the run, and the file holds what was acked and no more', async () => {
  const child = spawn('sh', ['-c', 'ulimit -f 40; exec "$0" "$1" "$2"', process.execPath, script, path])
  const outputs = Promise.all([text(child.stdout), text(child.stderr)])
  await once(child, 'close')
  const [stdout, stderr] = await outputs
  const acked = stdout.match(/^acked/gm)?.length ?? 0
  expect(stderr).toBe('')
  expect(stdout).toContain('failed MR_FLUSH_FAILED MR_FILE_FAILED EFBIG')
  expect(acked).toBeGreaterThan(0)
  expect(await readFile(path, 'utf8')).toBe(expectedLines(acked))
})

test('G1: after kill -9 every acked line is in the file, and the next run goes on behind whole lines', async () => {
  for (const lines of [1, 40, 150]) {
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
    let stdout = ''
    for await (const chunk of child.stdout) {
      stdout += String(chunk)
      if (stdout.includes(`acked ${lines}\n`)) child.kill('SIGKILL')
    }
    const acked = stdout.match(/^acked \d+$/gm)?.length ?? 0
    const destination = file(path)
    await destination.run?.(AbortSignal.abort())
    await destination.close?.()
    const content = await readFile(path, 'utf8')
    const whole = content.split('\n').length - 1
    expect(acked).toBeGreaterThan(lines)
    expect(whole).toBeGreaterThanOrEqual(acked)
    expect(content).toBe(expectedLines(whole))
    await rm(path)
  }
})

test('refuses wrong options', () => {
  const loose = file as (path: unknown, options?: unknown) => unknown
  const wrong: unknown[] = [
    { mode: 'w' },
    { fsync: 1 },
    { delimiter: '' },
    { delimiter: 5 },
    { format: 1 },
    { policy: { count: 0 } },
    { policy: { concurrency: 2 } },
    { polciy: {} },
    5,
  ]
  for (const options of wrong) {
    expect(() => loose(path, options)).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  }
  for (const wrongPath of ['', 5, undefined, new URL('http://localhost/')]) {
    expect(() => loose(wrongPath)).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  }
})

test('types: without a format it takes bytes and text only', () => {
  expectTypeOf(file(path)).toEqualTypeOf<Destination<Uint8Array | string>>()
  expectTypeOf(file<number>(path, { format: String })).toEqualTypeOf<Destination<number>>()
  // @ts-expect-error: a number cannot be written without a format
  file<number>(path, { fsync: false })
})
