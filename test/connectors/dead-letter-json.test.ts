import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import { expect, expectTypeOf, test, vi } from 'vitest'
import { deadLetterFile } from '../../src/connectors/file/dead-letter-file.ts'
import { deadLetterFromJson, deadLetterMessage, deadLetterToJson } from '../../src/dead-letter-json.ts'
import type { Destination } from '../../src/destination.ts'
import { MillraceError } from '../../src/errors.ts'
import { Attributes, type Message } from '../../src/message.ts'
import type { DeadLetter } from '../../src/processor/dead-letter.ts'
import { messagesOf, noAbort, RecordingSettlement } from '../helpers/recording-settlement.ts'

const letterOf = (value: unknown, more: Partial<DeadLetter> = {}): DeadLetter => ({
  value,
  key: 'k',
  topic: 't',
  stage: 'handle',
  attempts: 1,
  time: '2026-01-01T00:00:00.000Z',
  error: { name: 'Error', message: 'no' },
  ...more,
})

const tagOf = (value: unknown): unknown =>
  (JSON.parse(deadLetterToJson(letterOf(value))) as { value: Record<string, unknown> }).value

const again = (letter: DeadLetter): DeadLetter => deadLetterFromJson(deadLetterToJson(letter))

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

const headers = (entries: Record<string, string>): Record<string, string> =>
  Object.assign(Object.create(null) as Record<string, string>, entries)

test('G8, G10: a letter with bytes comes back as it was, on one line, whatever its bytes, names and text', () => {
  const anyText = fc.string({ unit: 'binary', maxLength: 20 })
  const name = fc.oneof(anyText, fc.constantFrom('__proto__', 'constructor', 'toJSON', 'toString'))
  const letters: fc.Arbitrary<DeadLetter> = fc.record(
    {
      value: fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        anyText.map((text) => new Uint8Array(Buffer.from(text))),
      ),
      id: anyText,
      key: anyText,
      topic: anyText,
      headers: fc.dictionary(name, anyText, { noNullPrototype: false }).map(headers),
      stage: fc.constantFrom('size', 'deliveries', 'decode', 'handle', 'encode', 'route', 'flush'),
      attempts: fc.nat(),
      time: fc.constant('2026-01-01T00:00:00.000Z'),
      outputs: fc.array(fc.nat(), { maxLength: 4 }),
      error: fc.record(
        { name: anyText, message: anyText, code: anyText, stack: anyText },
        { requiredKeys: ['name', 'message'], noNullPrototype: true },
      ),
    },
    {
      requiredKeys: ['value', 'key', 'topic', 'stage', 'attempts', 'time', 'error'],
      noNullPrototype: true,
    },
  )
  fc.assert(
    fc.property(letters, fc.boolean(), (letter, asBytes) => {
      const line = deadLetterToJson(letter)
      expect(line).not.toMatch(/[\n\r]/)
      const back = deadLetterFromJson(asBytes ? new Uint8Array(Buffer.from(line)) : line)
      if (!isDeepStrictEqual(back, letter)) expect(back).toEqual(letter)
      expect(isDeepStrictEqual(back, letter)).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})

test('a structured value comes back as it was', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
    key: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toJSON', 'utf8', 'base64')),
    maxDepth: 3,
  })
  fc.assert(
    fc.property(anything, (value) => {
      // Not isDeepStrictEqual: to Node 20 an invalid Date differs from another one.
      expect(again(letterOf(value)).value).toStrictEqual(value)
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  ['text bytes', Buffer.from('{"broken'), { utf8: '{"broken' }],
  ['no bytes', bytes(), { utf8: '' }],
  ['a byte order mark', bytes(0xef, 0xbb, 0xbf, 0x61), { utf8: '\ufeffa' }],
  ['invalid UTF-8', bytes(0xff, 0x00), { base64: '/wA=' }],
  ['an encoded surrogate', bytes(0xed, 0xa0, 0x80), { base64: '7aCA' }],
  ['a view of a larger buffer', new Uint8Array(Buffer.from('xaby').buffer, 0, 0), { utf8: '' }],
  ['a string', 'text', { json: 'text' }],
  ['a lone surrogate', '\ud800', { json: '\ud800' }],
  ['an object like a tag', { utf8: 'x' }, { json: { utf8: 'x' } }],
  ['null', null, { json: null }],
  ['a plain object', { a: [1, { b: true }] }, { json: { a: [1, { b: true }] } }],
])('the form of %s', (_, value, expected) => {
  expect(tagOf(value)).toEqual(expected)
  expect(again(letterOf(value)).value).toEqual(value instanceof Uint8Array ? new Uint8Array(value) : value)
})

test.each([
  ['a BigInt', 10n],
  ['undefined', undefined],
  ['an undefined property', { a: undefined }],
  ['NaN', { n: NaN }],
  ['minus zero', -0],
  ['a Map', new Map([[{}, 1]])],
  ['a Date', new Date(0)],
  ['nested bytes', { b: bytes(1, 2) }],
  ['a sparse array', Array(3).fill(1, 1)],
])('does not lie: %s is kept by structured clone, not by JSON', (_, value) => {
  expect(Object.keys(tagOf(value) as object)).toEqual(['v8'])
  expect(again(letterOf(value)).value).toStrictEqual(value)
})

test('a cyclic value comes back cyclic', () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const back = again(letterOf(cycle)).value as { self: unknown }
  expect(back.self).toBe(back)
})

test('an own `__proto__` stays an entry and pollutes nothing', () => {
  const value: unknown = JSON.parse('{"__proto__":{"polluted":1}}')
  const back = again(letterOf(value, { headers: headers(JSON.parse('{"__proto__":"h"}') as Record<string, string>) }))
  expect(Object.keys(back.value as object)).toEqual(['__proto__'])
  expect((back.value as { polluted?: unknown }).polluted).toBeUndefined()
  expect(Object.getPrototypeOf(back.headers)).toBeNull()
  expect(Object.entries(back.headers ?? {})).toEqual([['__proto__', 'h']])
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

const deep = (): unknown => {
  let value: unknown = 0
  for (let depth = 0; depth < 200_000; depth++) value = [value]
  return value
}
const hostile = {
  get now(): never {
    throw new Error('getter')
  },
}

test.each<[string, () => unknown]>([
  ['a function', () => () => 1],
  ['a symbol in an object', () => ({ s: Symbol('s') })],
  ['a symbol', () => Symbol('s')],
  ['a getter that throws', () => hostile],
  ['a promise', () => Promise.resolve(1)],
  ['too deep a nesting', deep],
  [
    'a revoked proxy',
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
  ],
])('never fails the dead letter: %s leaves a description, which is not taken for the value', (_, make) => {
  const line = deadLetterToJson(letterOf(make()))
  expect(Object.keys((JSON.parse(line) as { value: object }).value)).toEqual(['inspect'])
  expect(line.length).toBeLessThan(20_000)
  expect(() => deadLetterFromJson(line)).toThrow(
    expect.objectContaining({ code: 'MR_DECODE', message: expect.stringContaining('only a description') as string }),
  )
})

test('bounds the error: 4 KiB of message, 8 KiB of stack, cut between characters', () => {
  const { error } = again(letterOf(1, { error: { name: 'E', message: 'm€'.repeat(3_000), stack: '😀'.repeat(3_000) } }))
  expect(Buffer.byteLength(error.message)).toBeLessThanOrEqual(4_096)
  expect(Buffer.byteLength(error.message)).toBeGreaterThan(4_090)
  expect(Buffer.byteLength(error.stack ?? '')).toBeLessThanOrEqual(8_192)
  expect(error.stack).toMatch(/^(😀)+…$/u)
  const whole = { name: 'E', message: 'x'.repeat(4_096), stack: '€'.repeat(2_730) }
  expect(again(letterOf(1, { error: whole })).error).toEqual(whole)
})

const line = (change: Record<string, unknown>): string =>
  JSON.stringify({ ...(JSON.parse(deadLetterToJson(letterOf(1))) as object), ...change })

test.each([
  ['nothing', ''],
  ['no JSON', '{"time":'],
  ['another line', '{"a":1}'],
  ['null', 'null'],
  ['an array', '[]'],
  ['invalid UTF-8', bytes(0x22, 0xff, 0x22)],
  ['an unknown stage', line({ stage: 'constructor' })],
  ['no key', line({ key: undefined })],
  ['a wrong topic', line({ topic: 1 })],
  ['wrong attempts', line({ attempts: '1' })],
  ['wrong headers', line({ headers: { a: 1 } })],
  ['headers that are an array', line({ headers: ['a'] })],
  ['wrong outputs', line({ outputs: ['a'] })],
  ['no error', line({ error: undefined })],
  ['a wrong error', line({ error: { name: 'E' } })],
  ['no value', line({ value: undefined })],
  ['an untagged value', line({ value: 'x' })],
  ['an unknown tag', line({ value: { xml: '<a/>' } })],
  ['two tags', line({ value: { utf8: 'a', json: 1 } })],
  ['a tag of the wrong type', line({ value: { utf8: 1 } })],
  ['corrupt base64', line({ value: { base64: '/w!A=' } })],
  ['corrupt structured clone', line({ value: { v8: 'enp6' } })],
])('refuses %s with MR_DECODE', (_, rubbish) => {
  expect(() => deadLetterFromJson(rubbish)).toThrow(MillraceError)
  expect(() => deadLetterFromJson(rubbish)).toThrow(
    expect.objectContaining({ code: 'MR_DECODE', cause: expect.any(Error) as Error }),
  )
})

test('a line with one byte changed is a letter or MR_DECODE, nothing else', () => {
  const whole = Buffer.from(deadLetterToJson(letterOf({ n: 10n }, { headers: headers({ a: 'b' }) })))
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), (at, byte) => {
      const changed = Uint8Array.from(whole)
      changed[at] = byte
      try {
        expect(deadLetterFromJson(changed).topic).toBeTypeOf('string')
      } catch (error) {
        expect(error).toMatchObject({ code: 'MR_DECODE' })
      }
    }),
    { numRuns: 1_000 },
  )
})

test('a polluted Object.prototype is not taken for fields', () => {
  const whole = line({})
  const prototype = Object.prototype as { id?: string; code?: string }
  try {
    prototype.id = 'polluted'
    prototype.code = 'polluted'
    const letter = deadLetterFromJson(whole)
    expect([Object.hasOwn(letter, 'id'), Object.hasOwn(letter.error, 'code')]).toEqual([false, false])
  } finally {
    delete prototype.id
    delete prototype.code
  }
})

test('ignores fields that it does not know, and a carriage return', () => {
  expect(deadLetterFromJson(`${line({ later: 1 })}\r`)).toEqual(letterOf(1))
})

test('G8: a line becomes the message that was given up, with the attributes of the line', () => {
  class Origin extends Attributes {}
  const attributes = new Origin()
  const letter = letterOf(bytes(0xff), { id: 'i', headers: headers({ h: '1' }) })
  const carrier = { id: 'dead:0', key: '', topic: 'dead', value: Buffer.from(deadLetterToJson(letter)) }
  const expected = { id: 'i', key: 'k', topic: 't', value: bytes(0xff), headers: headers({ h: '1' }) }
  expect(deadLetterMessage({ ...carrier, attributes })).toEqual({ ...expected, attributes })
  expect(Object.keys(deadLetterMessage({ ...carrier, value: line({}) }))).toEqual(['key', 'value', 'topic'])
  expect(() => deadLetterMessage({ ...carrier, value: 'x' })).toThrow(expect.objectContaining({ code: 'MR_DECODE' }))
  expectTypeOf(deadLetterMessage(carrier)).toEqualTypeOf<Message<unknown>>()
  expectTypeOf(deadLetterMessage<Uint8Array>(carrier)).toEqualTypeOf<Message<Uint8Array>>()
})

test('G1: a dead-letter file holds one letter per line, durable at the ack', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-dead-'))
  try {
    const path = join(folder, 'dead.ndjson')
    const destination = deadLetterFile(path, { policy: { count: 2 } })
    expectTypeOf(destination).toEqualTypeOf<Destination<DeadLetter>>()
    const letters = [letterOf(bytes(1, 10, 255)), letterOf('two\nlines', { id: 'i' })]
    const settlement = new RecordingSettlement(2)
    await destination.send(messagesOf(...letters), settlement, noAbort)
    await vi.waitFor(() => expect(settlement.outcomes).toEqual(['ack', 'ack']), { interval: 1 })
    const [first = '', second = '', ...rest] = (await readFile(path, 'utf8')).split('\n')
    expect([deadLetterFromJson(first), deadLetterFromJson(second)]).toEqual(letters)
    expect(rest).toEqual([''])
    await destination.close?.()
    expect(() => deadLetterFile(path, { format: String } as object)).toThrow(
      expect.objectContaining({ code: 'MR_OPTION_INVALID' }),
    )
  } finally {
    await rm(folder, { recursive: true })
  }
})
