import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type { LinesOptions } from '../../src/connectors/lines/lines-options.ts'
import { lines as unclosed } from '../../src/connectors/lines/lines.ts'
import type { Source } from '../../src/source.ts'
import { sourceChecks } from '../../src/testing/index.ts'
import { batchOf, closing, collect, expectCode, never, next, temporaryDirectory, values } from '../helpers/collect.ts'

const lines: typeof unclosed = (input, options) => closing(unclosed(input, options))

function file(content: string | Uint8Array, name = 'events.log'): string {
  const path = join(temporaryDirectory(), name)
  writeFileSync(path, content)
  return path
}

async function linesOf(content: string | Uint8Array, options?: LinesOptions, name?: string): Promise<unknown[]> {
  const source = lines(file(content, name), options)
  const found = values(await collect(source))
  await source.close?.()
  return found
}

describe('what is a line', () => {
  test.each<[string, string, LinesOptions, string[]]>([
    ['each ends in \\n', 'a\nb\n', {}, ['a', 'b']],
    ['the last has no end', 'a\nb', {}, ['a', 'b']],
    ['CRLF', 'a\r\nb\r\n', {}, ['a', 'b']],
    ['one \\r alone is stripped', 'a\r\r\nb\rc\n', {}, ['a\r', 'b\rc']],
    ['\\n given keeps \\r', 'a\r\nb\n', { delimiter: '\n' }, ['a\r', 'b']],
    ['empty lines are lines', '\na\n\n\nb\n', {}, ['', 'a', '', '', 'b']],
    ['skipEmpty', '\na\n\r\n\nb\n\n', { skipEmpty: true }, ['a', 'b']],
    ['an empty input', '', {}, []],
    ['only a delimiter', '\n', {}, ['']],
    ['a text delimiter', 'a--b-c--', { delimiter: '--' }, ['a', 'b-c']],
    ['a byte delimiter', 'a\0b\0', { delimiter: new Uint8Array([0]) }, ['a', 'b']],
    ['a delimiter of several bytes of UTF-8', 'aäb', { delimiter: 'ä' }, ['a', 'b']],
  ])('%s', async (_, content, options, expected) => {
    expect(await linesOf(content, options)).toEqual(expected)
    const chunked = lines(Readable.from([...Buffer.from(content)].map((byte) => Buffer.from([byte]))), options)
    expect(values(await collect(chunked))).toEqual(expected)
  })

  test('G10: invalid UTF-8 is left as it is', async () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x0a, 0x80, 0x0a])
    expect(await linesOf(bytes)).toEqual(['\xff\xfe\0\xc3', '\x80'])
  })

  test('the value is a plain Uint8Array', async () => {
    const { message } = await next(lines(file('a\n')))
    expect(Object.getPrototypeOf(message.value)).toBe(Uint8Array.prototype)
  })

  test('G10: values stay as they are while later ones are read', async () => {
    const source = lines(
      file(Array.from({ length: 60_000 }, (_, index) => `line ${index} ${'x'.repeat(50)}\n`).join('')),
    )
    const deliveries = await collect(source, 1_000)
    expect(deliveries).toHaveLength(60_000)
    for (const [index, { message }] of deliveries.entries()) {
      expect(Buffer.from(message.value).toString().startsWith(`line ${index} `)).toBe(true)
    }
    await source.close?.()
  })
})

describe('messages', () => {
  test('an id is path and byte offset, a topic the base name', async () => {
    const path = file('ä\nb\n')
    const deliveries = await collect(lines(path))
    expect(deliveries.map(({ message: { id, key, topic } }) => ({ id, key, topic }))).toEqual([
      { id: `${path}:0`, key: '', topic: 'events.log' },
      { id: `${path}:3`, key: '', topic: 'events.log' },
    ])
    const [again] = await collect(lines(pathToFileURL(path), { topic: 'events' }))
    expect(again?.message).toMatchObject({ id: `${path}:0`, topic: 'events' })
  })

  test('a stream is named by its topic', async () => {
    const [plain] = await collect(lines(Readable.from(['a\n'])))
    const [named] = await collect(lines(Readable.from(['a\n']), { topic: 'upload' }))
    expect(plain?.message).toMatchObject({ id: 'stream:0', topic: 'stream' })
    expect(named?.message).toMatchObject({ id: 'upload:0', topic: 'upload' })
  })

  test('its type is Source<Uint8Array>', () => {
    expectTypeOf(lines).returns.toEqualTypeOf<Source<Uint8Array>>()
  })
})

describe('batches', () => {
  test('honour max and maxBytes, and hold one message at least', async () => {
    const source = lines(file('aaaa\nbbbb\ncccc\ndddd\neeee\n'))
    expect(values(await batchOf(source, 2, 1_000))).toEqual(['aaaa', 'bbbb'])
    expect(values(await batchOf(source, 10, 5))).toEqual(['cccc', 'dddd'])
    expect(values(await batchOf(source, 10, 0))).toEqual(['eeee'])
    expect(await batchOf(source)).toEqual([])
    expect(await source.recv(never)).toBeUndefined()
  })

  test('cross chunks of a large file without a loss, whatever the sizes', async () => {
    const random = fc.sample(fc.nat(3_000), { numRuns: 3_000, seed: 7 })
    const expected = random.map((length, index) => `${index}:${'y'.repeat(length)}`)
    expect(await linesOf(expected.join('\r\n'))).toEqual(expected)
    expect(await linesOf(gzipSync(expected.join('\n')), {}, 'events.gz')).toEqual(expected)
    expect(await linesOf(expected.join('<>'), { delimiter: '<>' })).toEqual(expected)
  })
})

describe('gzip', () => {
  test('by name, by option, and not when told otherwise', async () => {
    const packed = gzipSync('a\nb\n')
    expect(await linesOf(packed, {}, 'events.ndjson.gz')).toEqual(['a', 'b'])
    expect(await linesOf(packed, { gzip: true })).toEqual(['a', 'b'])
    expect(await linesOf('a\n', { gzip: false }, 'plain.gz')).toEqual(['a'])
    expect(values(await collect(lines(Readable.from([packed]), { gzip: true })))).toEqual(['a', 'b'])
  })

  test('of several members is read to the end of the last', async () => {
    expect(await linesOf(Buffer.concat([gzipSync('a\nb'), gzipSync('c\nd\n')]), {}, 'x.gz')).toEqual(['a', 'bc', 'd'])
  })

  test('of nothing is the end', async () => {
    expect(await linesOf(gzipSync(''), {}, 'empty.gz')).toEqual([])
  })

  test.each([
    ['cut short', gzipSync('a\n'.repeat(10_000)).subarray(0, 30)],
    ['no gzip', Buffer.from('plain text')],
    ['cut to nothing', Buffer.alloc(0)],
  ])('a file that is %s is an error, never a silent end', async (_, content) => {
    await expectCode(collect(lines(file(content, 'bad.gz'))), 'MR_FILE_FAILED', /bad\.gz/)
  })

  test('G4: what unpacks to a line without end is refused, not held', async () => {
    const bomb = lines(file(gzipSync(Buffer.alloc(50_000_000)), 'bomb.gz'), { maxLineBytes: 100_000 })
    const before = process.memoryUsage().arrayBuffers
    await expectCode(collect(bomb), 'MR_LINE_TOO_LONG', /at byte offset 0/)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000)
    await bomb.close?.()
  })
})

describe('a line that is too long', () => {
  test('is fatal after the lines before it, and stays so', async () => {
    const source = lines(file('a\nbb\nccccc\nd\n'), { maxLineBytes: 4 })
    expect(values(await batchOf(source))).toEqual(['a', 'bb'])
    await expectCode(source.recv(never), 'MR_LINE_TOO_LONG', /at most 4 bytes .* at byte offset 5/)
    await expectCode(source.recv(never), 'MR_LINE_TOO_LONG', /at byte offset 5/)
  })

  test('may have as many bytes as it says, with any delimiter', async () => {
    expect(await linesOf('abcd\r\nefgh', { maxLineBytes: 4 })).toEqual(['abcd', 'efgh'])
    expect(await linesOf('abcd--efgh', { maxLineBytes: 4, delimiter: '--' })).toEqual(['abcd', 'efgh'])
  })

  test('passes 64 KiB by default, unlike a scanner with a token limit', async () => {
    const long = 'x'.repeat(2_000_000)
    expect(await linesOf(`a\n${long}\nb\n`)).toEqual(['a', long, 'b'])
  })

  test('G4: an endless stream without a delimiter is stopped, and its producer held back', async () => {
    let produced = 0
    const endless = new Readable({
      read() {
        produced += 65_536
        this.push(Buffer.alloc(65_536, 97))
      },
    })
    const source = lines(endless, { maxLineBytes: 1_000_000 })
    await expectCode(source.recv(never), 'MR_LINE_TOO_LONG', /the stream 'stream'/)
    expect(produced).toBeLessThan(2_000_000)
    await source.close?.()
    expect(endless.destroyed).toBe(true)
  })
})

describe('streams', () => {
  test('G4: a stream is not read ahead of what is asked for', async () => {
    let pushed = 0
    const stream = new Readable({
      highWaterMark: 1_000,
      read() {
        pushed += 1
        this.push(pushed > 1_000 ? null : Buffer.from(`${'x'.repeat(998)}\n`))
      },
    })
    const source = lines(stream)
    expect(pushed).toBe(0)
    await next(source)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(pushed).toBeLessThan(10)
    expect(await collect(source)).toHaveLength(999)
  })

  test('an error of the stream rejects recv, after what came before it', async () => {
    const stream = new PassThrough()
    const source = lines(stream)
    stream.write('a\n')
    expect(values([await next(source)])).toEqual(['a'])
    const pending = source.recv(never)
    const cause = new Error('connection reset')
    stream.destroy(cause)
    const error = await expectCode(pending, 'MR_SOURCE_FAILED', /connection reset/)
    expect(error.cause).toBe(cause)
  })

  test('an error before the first recv is kept for it', async () => {
    const stream = new PassThrough()
    const source = lines(stream)
    stream.destroy(new Error('gone early'))
    await once(stream, 'close').catch(() => {})
    await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /gone early/)
  })

  test('a stream that closes before its end is an error, since bytes are missing', async () => {
    const stream = new PassThrough()
    const source = lines(stream)
    stream.write('a\nb')
    await next(source)
    const pending = source.recv(never)
    stream.destroy()
    await expectCode(pending, 'MR_SOURCE_FAILED', /closed before its end/)
    const destroyed = new PassThrough()
    destroyed.destroy()
    await expectCode(lines(destroyed).recv(never), 'MR_SOURCE_FAILED', /destroyed before it was read/)
  })

  test('a stream of strings works, one of objects or of an encoding is refused', async () => {
    expect(values(await collect(lines(Readable.from(['a\n', 'b\n']))))).toEqual(['a', 'b'])
    await expectCode(lines(Readable.from([{ a: 1 }])).recv(never), 'MR_SOURCE_FAILED', /stream of bytes or strings/)
    const decoded = new PassThrough().setEncoding('utf8')
    await expectCode(() => lines(decoded), 'MR_OPTION_INVALID', /setEncoding/)
  })

  test('a stream that has ended before is the end', async () => {
    const stream = new PassThrough()
    stream.end()
    stream.resume()
    await once(stream, 'end')
    expect(await lines(stream).recv(never)).toBeUndefined()
  })
})

describe('abort and close', () => {
  test('G6: recv ends as soon as the signal aborts, though the stream never yields', async () => {
    const source = lines(new PassThrough())
    const controller = new AbortController()
    const pending = source.recv(controller.signal)
    setImmediate(() => controller.abort())
    expect(await pending).toBeUndefined()
    await source.close?.()
  })

  test('G6: bytes that arrive after an abort are there for another recv, none is lost', async () => {
    const stream = new PassThrough()
    const source = lines(stream)
    const controller = new AbortController()
    const pending = source.recv(controller.signal)
    controller.abort()
    expect(await pending).toBeUndefined()
    stream.end('a\nb\n')
    expect(values(await collect(source))).toEqual(['a', 'b'])
  })

  test('a recv whose signal had aborted takes nothing', async () => {
    const source = lines(file('a\n'))
    expect(await source.recv(AbortSignal.abort())).toBeUndefined()
    expect(values(await collect(source))).toEqual(['a'])
  })

  test('close can be called before, while and after reading, and twice', async () => {
    const unread = lines(file('a\n'))
    await unread.close?.()
    await unread.close?.()
    expect(await unread.recv(never)).toBeUndefined()

    const stream = new PassThrough()
    const waiting = lines(stream)
    const pending = waiting.recv(never)
    await waiting.close?.()
    expect(await pending).toBeUndefined()
    expect(stream.destroyed).toBe(true)

    const read = lines(file('a\n'.repeat(5_000_000 / 2)))
    const pendingRead = read.recvBatch?.(10, Infinity, never)
    await Promise.all([read.close?.(), read.close?.()])
    expect((await pendingRead)?.length).toBeLessThanOrEqual(10)
    expect(await read.recv(never)).toBeUndefined()
  })

  test('acks are free of effect without a checkpoint, and may be repeated', async () => {
    const source = lines(file('a\nb\n'))
    const deliveries = await collect(source)
    for (const delivery of [...deliveries, ...deliveries]) expect(delivery.ack()).toBeUndefined()
    expect(source.ackBatch?.(deliveries)).toBeUndefined()
    expect(deliveries[0]).not.toHaveProperty('nack')
    expect(source.ackMode).toBe('cumulative')
  })
})

describe('bad input', () => {
  test('a missing file, and a directory, are errors with a code and a cause', async () => {
    const missing = join(temporaryDirectory(), 'missing.log')
    const error = await expectCode(lines(missing).recv(never), 'MR_FILE_FAILED', /missing\.log.*ENOENT.*Check/)
    expect(error.cause).toMatchObject({ code: 'ENOENT' })
    await expectCode(lines(temporaryDirectory()).recv(never), 'MR_FILE_FAILED', /EISDIR/)
  })

  test.each<[string, () => unknown, RegExp]>([
    ['no input', () => lines(undefined as never), /a path, a file: URL or a Readable, got undefined/],
    ['an empty path', () => lines(''), /got ''/],
    ['another URL', () => lines(new URL('https://example.com/x')), /file: URL, got https:/],
    ['an empty delimiter', () => lines('x', { delimiter: '' }), /`delimiter`/],
    ['a bound of 0', () => lines('x', { maxLineBytes: 0 }), /`maxLineBytes`/],
    ['an unknown option', () => lines('x', { maxLine: 1 } as never), /`maxLine`/],
    ['a checkpoint of a stream', () => lines(new PassThrough(), { checkpoint: 'c' }), /`checkpoint`.*stream/],
    ['a checkpoint over the input', () => lines('./x', { checkpoint: 'x' }), /overwrite/],
    ['a negative period', () => lines('x', { checkpoint: 'c', checkpointEveryMs: -1 }), /`checkpointEveryMs`/],
  ])('%s is refused when it is made', async (_, make, message) => {
    await expectCode(make, 'MR_OPTION_INVALID', message)
  })
})

const joined = (given: readonly Uint8Array[]): Buffer =>
  Buffer.concat(given.flatMap((value) => [value, Buffer.from('\n')]))
const forms: Record<string, (given: readonly Uint8Array[]) => Source<Uint8Array>> = {
  'a file': (given) => lines(file(joined(given)), { delimiter: '\n' }),
  'a gzip file': (given) => lines(file(gzipSync(joined(given)), 'events.gz'), { delimiter: '\n' }),
  'a stream': (given) => lines(Readable.from([joined(given)]), { delimiter: '\n' }),
}

for (const [name, create] of Object.entries(forms)) {
  describe(`conformance of ${name}`, () => {
    for (const check of sourceChecks({ create, values: 'line' })) test(check.name, check.run)
  })
}
