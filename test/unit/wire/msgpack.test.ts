import { deepStrictEqual } from 'node:assert'
import * as fc from 'fast-check'
import msgpackr from 'msgpackr/index-no-eval'
import { describe, expect, it } from 'vitest'
import { MAX_DEPTH } from '../../../src/wire/crossable.ts'
import { packPlain, SequencePacker, unpack } from '../../../src/wire/msgpack.ts'
import { value } from './arbitrary.ts'

/** The values, packed one after the other, as the reader of the chunk gets them. */
function cross(...values: readonly unknown[]): unknown[] {
  const packer = new SequencePacker()
  const head = Buffer.from([0xdd, 0, 0, 0, 0])
  head.writeUInt32BE(values.length, 1)
  const parts = values.map((value) => Buffer.from(packer.pack(value)))
  return unpack(new Uint8Array(Buffer.concat([head, ...parts]))) as unknown[]
}

/** Something in something in something, so many times. */
function nested(levels: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'the core'
  for (let level = 0; level < levels; level++) value = wrap(value)
  return value
}

const wraps: [what: string, wrap: (inner: unknown) => unknown][] = [
  ['arrays', (inner) => [inner]],
  ['objects', (inner) => ({ inner })],
  ['maps', (inner) => new Map([['inner', inner]])],
  ['keys of maps', (inner) => new Map([[inner, 1]])],
  ['sets', (inner) => new Set([inner])],
]

describe('records', () => {
  it('keep apart hundreds of shapes in one chunk, more than there are ids, many of them prefixes of others', () => {
    const shape = fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 6 }))
    fc.assert(
      fc.property(fc.array(shape, { minLength: 300, maxLength: 600, size: 'max' }), (shapes) => {
        const values = shapes.map(([which, width]) =>
          Object.fromEntries(
            Array.from({ length: width }, (_, field) => [
              `${field % 2 === 0 ? which % 70 : which}.${field}`,
              { which, field },
            ]),
          ),
        )
        expect(cross(...values)).toEqual(values)
      }),
      { numRuns: 30 },
    )
  })

  it('keep apart what looks like a part of their own making', () => {
    const values = [
      { a: 1 },
      { a: 1, transitions: 2 },
      { keys: 1 },
      { a: 1, 0: 2 },
      {},
      { a: undefined },
      { length: 3 },
      { highByte: 1, isShared: true, read: 1 },
    ]
    expect(cross(...values, ...values.toReversed())).toEqual([...values, ...values.toReversed()])
  })

  it('are defined again after a reset, and in each chunk', () => {
    const packer = new SequencePacker()
    const first = Uint8Array.from(packer.pack({ a: 1 }))
    expect(Uint8Array.from(packer.pack({ a: 1 })).length).toBeLessThan(first.length)
    packer.reset()
    expect(Uint8Array.from(packer.pack({ a: 1 }))).toEqual(first)
  })
})

describe('a value', () => {
  it('crosses as it was, whatever it holds', () => {
    fc.assert(fc.property(fc.array(value, { maxLength: 6 }), (values) => deepStrictEqual(cross(...values), values)))
  })

  it.each(wraps)(`may have ${MAX_DEPTH} levels of %s, and no more`, (_, wrap) => {
    const deepest = nested(MAX_DEPTH, wrap)
    deepStrictEqual(cross(deepest), [deepest])
    expect(() => cross(nested(MAX_DEPTH + 1, wrap))).toThrow(/deeper than 256 levels, or holds itself/u)
  })

  it.each(wraps)('G5: is refused where %s are a hundred thousand levels deep, and the packer goes on', (_, wrap) => {
    const packer = new SequencePacker()
    expect(() => packer.pack(nested(100_000, wrap))).toThrow(TypeError)
    expect(unpack(Uint8Array.from(packer.pack({ a: 1 })))).toEqual({ a: 1 })
  })

  it('G5: is refused where it holds itself, through an object, an array or a map', () => {
    const object: { self?: unknown } = {}
    object.self = { in: [object] }
    const map = new Map<unknown, unknown>()
    map.set('self', map)
    for (const cycle of [object, map]) expect(() => cross(cycle)).toThrow(/or holds itself/u)
  })

  it('says where in it the trouble is', () => {
    expect(() => cross({ deep: { items: [1, { callback: () => {} }] } })).toThrow('"callback" is a function')
    expect(() => cross({ items: [Symbol('s')] })).toThrow('"items" is a symbol')
    expect(() => cross(() => {})).toThrow('the value is a function')
  })

  it('may hold the same object twice: each is a copy of its own', () => {
    const shared = { a: 1 }
    const [arrived] = cross([shared, shared]) as [[object, object]]
    expect(arrived).toEqual([shared, shared])
    expect(arrived[0]).not.toBe(arrived[1])
  })

  it('keeps a byte order mark in texts and keys of any length, and mends lone surrogates to one U+FFFD each', () => {
    for (let length = 0; length < 200; length++) {
      const text = `\ufeff${'x'.repeat(length)}`
      expect(cross(text, { [text]: [text] }, new Map([[text, new Set([text])]]))).toEqual([
        text,
        { [text]: [text] },
        new Map([[text, new Set([text])]]),
      ])
      expect(cross({ [text]: 1 })).toEqual([{ [text]: 1 }])
      const lone = `${'y'.repeat(length)}\ud83d`
      expect(cross({ [lone]: lone })).toEqual([{ [`${'y'.repeat(length)}\ufffd`]: `${'y'.repeat(length)}\ufffd` }])
    }
  })

  it('keeps everything else in a value that has a string to mend', () => {
    class Point {
      readonly x = 1
      readonly label = 'p\udc00'
    }
    const value = {
      s: '\ud800',
      d: new Date(5),
      r: /x/gu,
      b: Uint8Array.of(1),
      a: new ArrayBuffer(2),
      p: new Point(),
      n: null,
      u: new URL('http://a/'),
    }
    expect(cross(value)).toEqual([{ ...value, s: '\ufffd', p: { x: 1, label: 'p\ufffd' }, u: 'http://a/' }])
    expect(value.s).toBe('\ud800')
  })
})

describe('msgpackr', () => {
  it('is used without its native addon', () => {
    expect(msgpackr.isNativeAccelerationEnabled).toBe(false)
  })

  it('G10: is an instance of its own: extensions that others add to theirs change nothing here', async () => {
    const theirs = await import('msgpackr')
    theirs.addExtension({ type: 0x73, Class: Set, write: () => 'theirs', read: () => 'theirs' })
    theirs.addExtension({ Class: Date, type: 0x44, pack: () => Buffer.of(1), unpack: () => 'theirs' })
    expect(theirs.unpack(theirs.pack(new Set([1])))).toBe('theirs')
    expect(cross(new Set([1]), new Date(5))).toEqual([new Set([1]), new Date(5)])
    expect(Buffer.from(packPlain(new Date(1_000))).toString('hex')).toBe('d6ff00000001')
  })
})
