import * as fc from 'fast-check'
import { Unpackr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { msgpack } from '../../../src/codec/msgpack.ts'

const codec = msgpack<unknown>()

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
}

/** What every language has: null, truth, numbers, text, bytes, times, arrays and maps. */
const plain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.oneof(fc.double(), fc.maxSafeInteger()).map((value) => (value === 0 ? 0 : value)),
    fc.bigInt({ min: 2n ** 53n + 1n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) - 1n }),
    fc.string({ unit: 'binary' }),
    fc.string({ minLength: 60, maxLength: 80 }).map((rest) => `\ufeff${rest}`),
    fc.uint8Array({ maxLength: 300 }),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('node'), { maxLength: 5 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constant('__keys__')), tie('node'), { maxKeys: 5, noNullPrototype: true }),
  ),
})).node

describe('msgpack', () => {
  it('gives back what it wrote', () => {
    fc.assert(
      fc.property(plain, (value) => {
        expect(codec.decode(codec.encode(value))).toEqual(value)
      }),
      { numRuns: 2_000 },
    )
  })

  it('writes what another reader reads the same', () => {
    const reader = new Unpackr({ useRecords: false, int64AsType: 'auto' as 'number' })
    fc.assert(
      fc.property(plain, (value) => {
        const marks = JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? '' : item))
        // That reader drops byte order marks, and renames a field.
        fc.pre(!marks.includes('\ufeff') && !marks.includes('__proto__'))
        expect(reader.unpack(codec.encode(value))).toEqual(value)
      }),
    )
  })

  it('refuses every part of a value, and everything behind one', () => {
    fc.assert(
      fc.property(plain, fc.uint8Array({ minLength: 1, maxLength: 4 }), (value, more) => {
        const bytes = codec.encode(value)
        for (let length = 0; length < Math.min(bytes.length, 40); length++) {
          expect(() => codec.decode(bytes.subarray(0, length))).toThrow(/Expected more msgpack/u)
        }
        expect(() => codec.decode(bytes.subarray(0, -1))).toThrow(TypeError)
        expect(() => codec.decode(Buffer.concat([bytes, more]))).toThrow(/bytes behind it/u)
      }),
      { numRuns: 300 },
    )
  })

  it('reads any bytes, or refuses them with a TypeError', () => {
    const token = fc.constantFrom(
      0x81,
      0x91,
      0x92,
      0xa1,
      0xc4,
      0xc7,
      0xca,
      0xcf,
      0xd4,
      0xd6,
      0xd7,
      0xd9,
      0xdc,
      0xdd,
      0xde,
      0xdf,
    )
    const bytes = fc.array(fc.oneof(token, fc.nat({ max: 255 }), fc.constantFrom(0, 1, 2)), { maxLength: 24 })
    let read = 0
    fc.assert(
      fc.property(bytes, (bytes) => {
        try {
          codec.decode(Uint8Array.from(bytes))
          read++
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
        }
      }),
      { numRuns: 20_000 },
    )
    expect(read).toBeGreaterThan(100)
  })

  it.each([
    ['positive fixint', '7f', 127],
    ['the largest safe integer', 'cf 00 1f ff ff ff ff ff ff', Number.MAX_SAFE_INTEGER],
    ['the integer after it', 'cf 00 20 00 00 00 00 00 00', 2n ** 53n],
    ['the largest integer', 'cf ff ff ff ff ff ff ff ff', 2n ** 64n - 1n],
    ['the smallest safe integer', 'd3 ff e0 00 00 00 00 00 01', Number.MIN_SAFE_INTEGER],
    ['the smallest integer', 'd3 80 00 00 00 00 00 00 00', -(2n ** 63n)],
    ['a map with integers as keys', '82 01 a1 61 ff a1 62', { 1: 'a', '-1': 'b' }],
    ['an empty bin', 'c4 00', new Uint8Array()],
    ['a float32', 'ca 3f 00 00 00', 0.5],
  ])('reads %s', (_, bytes, value) => {
    expect(codec.decode(hex(bytes))).toEqual(value)
  })

  it('has a bound on levels, not on how many arrays and maps lie side by side', () => {
    const value = Array.from({ length: 300 }, () => [{}, [], [{}]])
    expect(codec.decode(codec.encode(value))).toEqual(value)
  })

  it('gives bytes of their own: the message may be overwritten behind them', () => {
    const bytes = hex('c4 02 01 02')
    const value = codec.decode(bytes)
    bytes.fill(0)
    expect(value).toEqual(Uint8Array.of(1, 2))
    expect((value as Uint8Array).buffer.byteLength).toBe(2)
  })
})

describe('msgpack, from a stranger', () => {
  it.each([
    ['no bytes', '', /the end after 0 bytes/u],
    ['the byte that is never used', 'c1', /0xc1/u],
    ['it within an array', '92 01 c1', /0xc1 at 2/u],
    ["msgpackr's record definition", 'd4 72 40 91 a1 61 01', /extension/u],
    ["msgpackr's error", 'd4 65 00 92 a1 61 a1 62', /type 101/u],
    ["msgpackr's id", 'd6 69 00 00 00 01 90', /type 105/u],
    ["msgpackr's pointer", 'd6 70 00 00 00 01', /type 112/u],
    ["msgpackr's regular expression", 'd4 78 00 92 a1 61 a0', /type 120/u],
    ["msgpackr's set", 'd4 73 00 91 01', /type 115/u],
    ["msgpackr's typed array", 'c7 05 74 06 01 02 03 04', /type 116/u],
    ["msgpackr's bundled strings", 'd6 62 00 00 00 00', /type 98/u],
    ["msgpackr's large BigInt", 'c7 09 42 01 00 00 00 00 00 00 00 00', /type 66/u],
    ['the extension that some read as undefined', 'd4 00 00', /type 0/u],
    ['a timestamp of a wrong size', 'd4 ff ff', /type -1/u],
    ['a timestamp with too many nanoseconds', 'd7 ff ff ff ff fc 00 00 00 00', /timestamp that a Date can hold/u],
    ['a timestamp beyond any Date', 'c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff', /timestamp that a Date can hold/u],
    ['text that is not UTF-8', 'a2 c3 28', /utf-8/iu],
    ['text with a surrogate', 'a3 ed a0 80', /utf-8/iu],
    ['a key that is null', '81 c0 01', /as a key/u],
    ['a key that is a map', '81 80 01', /as a key/u],
    ['a key that is bytes', '81 c4 01 00 01', /as a key/u],
    ['an array that claims four thousand million items', 'dd ff ff ff ff 01', /the end/u],
    ['a map that claims as many', 'df ff ff ff ff 01 01', /the end/u],
    ['bytes that claim as many', 'c6 ff ff ff ff 01', /the end/u],
    ['text that claims as many', 'db ff ff ff ff 61', /the end/u],
    ['an extension that claims as many', 'c9 ff ff ff ff ff 01', /the end/u],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => codec.decode(hex(bytes))).toThrow(message)
    expect(codec.decode(hex('01'))).toBe(1)
  })

  it.each([
    ['0x91', Uint8Array.of(0x91)],
    ['0x81 0xa0', Uint8Array.of(0x81, 0xa0)],
    ['0xdc 0xff 0xff', Uint8Array.of(0xdc, 0xff, 0xff)],
    ['0xdd with what is left', Uint8Array.of(0xdd, 0x00, 0x01, 0x00, 0x00)],
  ])('refuses 2 MB of nested %s at once, and goes on', (_, unit) => {
    const bomb = new Uint8Array(2 * 1024 * 1024).map((_, index) => unit[index % unit.length] as number)
    const before = performance.now()
    for (let again = 0; again < 20; again++) expect(() => codec.decode(bomb)).toThrow(TypeError)
    expect(performance.now() - before).toBeLessThan(2_000)
    expect(codec.decode(hex('91 01'))).toEqual([1])
  })

  it('keeps a `__proto__` as data, and pollutes nothing', () => {
    const value = codec.decode(hex('81 a9 5f 5f 70 72 6f 74 6f 5f 5f 81 a1 78 01')) as Record<string, unknown>
    expect(Object.entries(value)).toEqual([['__proto__', { x: 1 }]])
    expect([Object.getPrototypeOf(value) === Object.prototype, value['x'], ({} as typeof value)['x']]).toEqual([
      true,
      undefined,
      undefined,
    ])
    expect(Buffer.from(codec.encode(value)).toString('hex')).toBe('81a95f5f70726f746f5f5f81a17801')
  })
})

describe('msgpack, written', () => {
  it.each([
    ['undefined as nil', [undefined], '91 c0'],
    ['holes as nil', Object.assign(Array.from({ length: 2 }), { 1: 1 }), '92 c0 01'],
    [
      'a Map as a map, with its keys',
      new Map<unknown, unknown>([
        [1, 'a'],
        ['b', null],
      ]),
      '82 01 a1 61 a1 62 c0',
    ],
    ['a Uint8Array and a Buffer as bin', [Uint8Array.of(1), Buffer.of(2)], '92 c4 01 01 c4 01 02'],
    ['a lone surrogate as U+FFFD', '\ud800', 'a3 ef bf bd'],
    ['a byte order mark as it is', '\ufeff', 'a3 ef bb bf'],
    ['a Date as a timestamp', new Date(1_000), 'd6 ff 00 00 00 01'],
    [
      'an instance as its fields',
      new (class Point {
        x = 1
      })(),
      '81 a1 78 01',
    ],
    ['a toJSON as what it gives', new URL('a:b'), 'a3 61 3a 62'],
  ])('has %s', (_, value, bytes) => {
    expect(codec.encode(value)).toEqual(hex(bytes))
  })

  it.each([
    ['a function', { callback: () => {} }, /"callback" is a function/u],
    ['a symbol', [Symbol('s')], /is a symbol/u],
    ['a key that is a symbol', { [Symbol('s')]: 1 }, /Symbol\(s\) as a key/u],
    ['a Set', new Set([1]), /Set/u],
    ['an Error', new Error('e'), /Error/u],
    ['a RegExp', /x/u, /\/x\/u/u],
    ['a Float32Array', Float32Array.of(1), /Float32Array/u],
    ['an ArrayBuffer', new ArrayBuffer(1), /ArrayBuffer/u],
    ['an invalid Date', new Date(Number.NaN), /invalid Date/u],
    ['an integer of more than 64 bits', 2n ** 64n, /too large/u],
    ['a Promise', { later: Promise.resolve() }, /"later" is Promise/u],
  ])('has no form for %s, and goes on', (_, value, message) => {
    expect(() => codec.encode(value)).toThrow(message)
    expect(codec.encode([1])).toEqual(hex('91 01'))
  })

  it('has no form for a value that holds itself', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => codec.encode(cycle)).toThrow(/holds itself/u)
  })
})
