import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, expectTypeOf, test } from 'vitest'
import { printer } from '../../src/connectors/printer/printer.ts'
import type { Destination } from '../../src/destination.ts'
import { isQuietEnd } from '../../src/util/quiet-end.ts'
import { messagesOf, noAbort, RecordingSettlement } from '../helpers/recording-settlement.ts'

/** Keeps each write, and calls back when it is told to. */
class SlowStream extends Writable {
  readonly writes: Buffer[] = []
  readonly callbacks: ((error?: Error) => void)[] = []

  constructor() {
    super({ highWaterMark: 1 })
  }

  override _write(chunk: Buffer, _: string, callback: (error?: Error) => void): void {
    this.writes.push(chunk)
    this.callbacks.push(callback)
  }
}

const turn = (): Promise<void> => new Promise(setImmediate)

const printed = async (
  values: readonly (Uint8Array | string)[][],
  options?: { delimiter?: string | Uint8Array },
): Promise<[Buffer, number[]]> => {
  const stream = new PassThrough()
  const bytes = stream.toArray()
  const destination = printer({ ...options, stream })
  const acks: number[] = []
  for (const group of values) {
    const settlement = new RecordingSettlement(group.length)
    await destination.send(messagesOf(...group), settlement, noAbort)
    acks.push(settlement.ranges.filter(([kind, from, to]) => kind === 'ack' && to > from).length)
    expect(settlement.reports.every((reports) => reports.length === 1)).toBe(true)
  }
  await destination.close?.()
  return [Buffer.concat(await bytes), acks]
}

test.each([
  ['one message', [['hello']], undefined, 'hello\n', [1]],
  ['several in one send', [['a', 'b', 'c']], undefined, 'a\nb\nc\n', [1]],
  ['several sends', [['a'], ['b', 'c']], undefined, 'a\nb\nc\n', [1, 1]],
  ['a delimiter of its own', [['a', 'b']], '--', 'a--b--', [1]],
  ['a delimiter as bytes', [['a', 'b']], new Uint8Array([0]), 'a\0b\0', [1]],
  ['no delimiter', [['a', 'b']], '', 'ab', [1]],
  ['nothing', [[]], undefined, '', [0]],
  ['an empty message without a delimiter', [['']], '', '', [1]],
  ['a message that holds the delimiter', [['a\nb']], undefined, 'a\nb\n', [1]],
  ['text beyond ASCII', [['é€😀', new Uint8Array([1])]], undefined, 'é€😀\n\x01\n', [1]],
])('prints %s and acks once per send', async (_, values, delimiter, expected, acks) => {
  const [bytes, acked] = await printed(values, delimiter === undefined ? {} : { delimiter })
  expect(bytes.toString()).toBe(expected)
  expect(acked).toEqual(acks)
})

test('G10: bytes leave as they came, and only the view of them', async () => {
  const all = Uint8Array.from({ length: 256 }, (_, index) => index)
  const [bytes] = await printed([[all.subarray(10, 200), Buffer.from(all)]], { delimiter: '' })
  expect(bytes).toEqual(Buffer.concat([all.subarray(10, 200), all]))
})

test('G1, G4: one write per send; it acks and is ready for the next only when the stream calls back', async () => {
  const stream = new SlowStream()
  const destination = printer({ stream })
  const settlement = new RecordingSettlement(2)
  let ready = false
  const sent = Promise.resolve(destination.send(messagesOf('a', 'b'), settlement, noAbort)).then(() => (ready = true))
  await turn()
  expect(stream.writes.map(String)).toEqual(['a\nb\n'])
  expect([ready, settlement.outcomes]).toEqual([false, [undefined, undefined]])
  stream.callbacks[0]?.()
  await sent
  expect(settlement.ranges).toEqual([['ack', 0, 2]])
})

test('G10: what was printed does not change with a buffer that is reused after the ack', async () => {
  const stream = new SlowStream()
  const destination = printer({ stream, delimiter: '' })
  const value = new Uint8Array([1, 2, 3])
  const sent = destination.send(messagesOf(value), new RecordingSettlement(1), noAbort)
  value.fill(0)
  stream.callbacks[0]?.()
  await sent
  expect([...(stream.writes[0] ?? [])]).toEqual([1, 2, 3])
})

test('formats other values; what cannot be formatted is given up alone, in order', async () => {
  const stream = new PassThrough()
  const destination = printer<{ n?: bigint }>({
    stream,
    format: ({ value }) => {
      if (value.n === 3n) return undefined as unknown as string
      return JSON.stringify({ n: Number(value.n ?? JSON.parse('rubbish')) })
    },
  })
  const settlement = new RecordingSettlement(5)
  await destination.send(messagesOf({ n: 1n }, {}, { n: 3n }, { n: 4n }, {}), settlement, noAbort)
  await destination.close?.()
  expect(await text(stream)).toBe('{"n":1}\n{"n":4}\n')
  const failed: unknown = expect.objectContaining({ code: 'MR_ENCODE' })
  expect(settlement.outcomes).toEqual(['ack', failed, failed, 'ack', failed])
  expect(settlement.reports.every((reports) => reports.length === 1)).toBe(true)
})

test('a value that is neither bytes nor text is given up, not printed as something else', async () => {
  const destination = printer({ stream: new PassThrough() })
  const settlement = new RecordingSettlement(2)
  const values = [{ a: 1 }, null] as unknown as string[]
  await destination.send(messagesOf(...values), settlement, noAbort)
  expect(settlement.outcomes).toEqual([
    expect.objectContaining({ code: 'MR_ENCODE', message: expect.stringContaining('got object') as string }),
    expect.objectContaining({ code: 'MR_ENCODE', message: expect.stringContaining('got null') as string }),
  ])
})

test('G7: a failed write is fatal with its cause, acks nothing, and no error goes unheard', async () => {
  const stream = new SlowStream()
  const destination = printer({ stream })
  const settlement = new RecordingSettlement(1)
  const sent = Promise.resolve(destination.send(messagesOf('a'), settlement, noAbort))
  const cause = Object.assign(new Error('disk gone'), { code: 'EIO' })
  stream.callbacks[0]?.(cause)
  const error: unknown = await sent.catch((error: unknown) => error)
  expect(error).toMatchObject({ code: 'MR_SEND_FAILED', cause, message: /disk gone/ })
  expect(isQuietEnd(error)).toBe(false)
  await expect(destination.send(messagesOf('b'), settlement, noAbort)).rejects.toBe(error)
  await destination.close?.()
  await turn()
  expect(settlement.outcomes).toEqual([undefined])
})

test.each([
  ['was destroyed before', (stream: Writable) => stream.destroy(), false],
  ['was ended before', (stream: Writable) => stream.end(), false],
  ['closes without calling back', (stream: Writable) => stream.destroy(), true],
  ['fails without calling back', (stream: Writable) => stream.destroy(new Error('torn')), true],
])('a stream that %s fails the send', async (_, break_, during) => {
  const stream = new SlowStream()
  const destination = printer({ stream })
  const settlement = new RecordingSettlement(1)
  if (!during) {
    break_(stream)
    await turn()
  }
  const sent = Promise.resolve(destination.send(messagesOf('a'), settlement, noAbort))
  if (during) break_(stream)
  await expect(sent).rejects.toMatchObject({ code: 'MR_SEND_FAILED' })
  expect(settlement.outcomes).toEqual([undefined])
  await destination.close?.()
  await turn()
})

test('G6: a send that hangs ends when its signal aborts, also one that had aborted before', async () => {
  const destination = printer({ stream: new SlowStream() })
  const settlement = new RecordingSettlement(1)
  const controller = new AbortController()
  const sent = Promise.resolve(destination.send(messagesOf('a'), settlement, controller.signal))
  controller.abort()
  await expect(sent).rejects.toMatchObject({ code: 'MR_ABORTED' })
  await expect(destination.send(messagesOf('a'), settlement, controller.signal)).rejects.toMatchObject({
    code: 'MR_ABORTED',
  })
  expect(settlement.outcomes).toEqual([undefined])
})

test('close ends the stream that it was given, waits until it has finished, and leaves no listener', async () => {
  const stream = new SlowStream()
  const destination = printer({ stream })
  const sent = destination.send(messagesOf('a'), new RecordingSettlement(1), noAbort)
  stream.callbacks[0]?.()
  await sent
  await destination.close?.()
  expect(stream.writableFinished).toBe(true)
  expect([stream.listenerCount('error'), stream.listenerCount('close')]).toEqual([0, 0])
  await printer({ stream }).close?.()
})

test('close leaves stdout and stderr open', async () => {
  await printer().close?.()
  await printer({ stream: process.stderr }).close?.()
  expect([process.stdout.writableEnded, process.stderr.writableEnded]).toEqual([false, false])
})

test('a real pipe whose reader goes: the send rejects as a quiet end, and what was not taken stays unacked', async () => {
  // Once a child has exited, Node destroys the pipe to it: this one only closes its end.
  const reader = spawn('sh', ['-c', 'read line; exec <&-; echo "$line"; exec sleep 20'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const destination = printer({ stream: reader.stdin })
  const first = new RecordingSettlement(1)
  await destination.send(messagesOf('first'), first, noAbort)
  const [read] = (await once(reader.stdout, 'data')) as [Buffer]
  const late = new RecordingSettlement(1)
  const error: unknown = await Promise.resolve(destination.send(messagesOf('late'), late, noAbort)).catch(
    (error: unknown) => error,
  )
  await destination.close?.()
  reader.kill()
  expect(error).toMatchObject({ code: 'MR_SEND_FAILED', cause: { code: 'EPIPE' } })
  expect(isQuietEnd(new Error('wrapped', { cause: error }))).toBe(true)
  expect([read.toString(), first.outcomes, late.outcomes]).toEqual(['first\n', ['ack'], [undefined]])
})

test('stdout into `head`: no stack trace, an orderly exit, and fewer acks than lines', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-printer-'))
  try {
    const report = join(folder, 'report.json')
    const script = fileURLToPath(new URL('../fixtures/connectors/print-to-head.mjs', import.meta.url))
    const shell = spawn('sh', ['-c', '"$0" "$1" "$2" | head -n 1', process.execPath, script, report])
    const outputs = Promise.all([text(shell.stdout), text(shell.stderr)])
    const [code] = (await once(shell, 'close')) as [number]
    expect([code, ...(await outputs)]).toEqual([0, `${'x'.repeat(1_000)}\n`, ''])
    const { acked, failure } = JSON.parse(await readFile(report, 'utf8')) as { acked: number; failure: unknown }
    expect(failure).toEqual({ code: 'MR_SEND_FAILED', cause: 'EPIPE' })
    expect(acked).toBeGreaterThan(0)
    expect(acked).toBeLessThan(10_000)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('refuses wrong options', () => {
  const wrong = [{ stream: {} }, { stream: 'stdout' }, { delimiter: 1 }, { format: 'json' }, { delimeter: ',' }, 'x']
  for (const options of wrong) {
    expect(() => printer(options as object)).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }))
  }
})

test('types: without a format it takes bytes and text only', () => {
  expectTypeOf(printer()).toEqualTypeOf<Destination<Uint8Array | string>>()
  expectTypeOf(printer<number>({ format: (message) => message.value.toFixed() })).toEqualTypeOf<Destination<number>>()
  const number: Destination<number> = printer({ format: (message) => message.value.toFixed() })
  expectTypeOf(number).toEqualTypeOf<Destination<number>>()
  // @ts-expect-error: a number cannot be printed without a format
  printer<number>({ delimiter: ',' })
})
