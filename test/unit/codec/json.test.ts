import { describe, expect, it } from 'vitest'
import { json } from '../../../src/codec/json.ts'
import { filesOfDataSet, hasDataSet, readDataSet } from './data-set.ts'

const codec = json<unknown>()
const SUITE = 'json_suite/test_parsing'

/** What the suite has, in small: texts that must be read, and texts that must not. */
const must: Readonly<Record<string, string>> = {
  y_array: '[1,null,true,false,"x",-0.5e+3]',
  y_object: '{"a":{"b":[]},"":0}',
  y_escapes: String.raw`"\u0061\n\"\\\/\ud83d\ude00"`,
  y_whitespace: ' [ ] \n',
  y_lonely: '42',
}
const mustNot: Readonly<Record<string, string>> = {
  n_empty: '',
  n_trailing_comma: '[1,]',
  n_unclosed: '{"a":1',
  n_extra: '[] x',
  n_single_quotes: "{'a':1}",
  n_number: '[01]',
  n_nan: 'NaN',
  n_control: '"a\u0000b"',
  n_deep: '['.repeat(100_000),
}

interface Text {
  readonly name: string
  readonly bytes: Buffer
}

function texts(kind: 'y_' | 'n_'): Text[] {
  if (!hasDataSet(SUITE)) {
    return Object.entries(kind === 'y_' ? must : mustNot).map(([name, text]) => ({ name, bytes: Buffer.from(text) }))
  }
  const names = filesOfDataSet(SUITE).filter((name) => name.startsWith(kind))
  return names.map((name) => ({ name, bytes: readDataSet(`${SUITE}/${name}`) }))
}

describe(
  hasDataSet(SUITE) ? 'json, JSONTestSuite' : 'json, without JSONTestSuite, which is not here: a sample of it',
  () => {
    it.each(texts('y_'))('reads $name, and writes it so that it reads the same', ({ bytes }) => {
      const written = codec.encode(codec.decode(bytes))
      expect(codec.encode(codec.decode(written))).toEqual(written)
    })

    it.each(texts('n_'))('refuses $name', ({ bytes }) => {
      expect(() => codec.decode(bytes)).toThrow(/./u)
    })
  },
)

describe('json', () => {
  it('reads a view of a larger buffer, and nothing around it', () => {
    const bytes = Buffer.from('[1][2][3]')
    expect(codec.decode(new Uint8Array(bytes.buffer, bytes.byteOffset + 3, 3))).toEqual([2])
  })

  it.each([
    ['a cut character', Buffer.from('"é"').subarray(0, 2)],
    ['Latin-1', Buffer.from('"é"', 'latin1')],
    ['an overlong form', Buffer.from([0x22, 0xc0, 0x80, 0x22])],
    ['a surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', Buffer.from('[1]', 'utf16le')],
  ])('refuses bytes that are not UTF-8: %s', (_, bytes) => {
    expect(() => codec.decode(bytes)).toThrow(/./u)
  })

  it('keeps a `__proto__` as data, and pollutes nothing', () => {
    const value = codec.decode(Buffer.from('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'))
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Buffer.from(codec.encode(value)).toString()).toMatch(/^\{"__proto__":\{"polluted":1\}/u)
  })

  it.each([
    ['undefined', undefined, /no form for undefined/u],
    ['a function', () => {}, /no form for function/u],
    ['a symbol', Symbol('s'), /no form for symbol/u],
    ['a BigInt', { n: 1n }, /BigInt/u],
  ])('has no form for %s', (_, value, message) => {
    expect(() => codec.encode(value)).toThrow(message)
  })

  it('refuses a cycle', () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    expect(() => codec.encode(cycle)).toThrow(TypeError)
  })
})
