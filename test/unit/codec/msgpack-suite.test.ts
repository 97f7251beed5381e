import { describe, expect, it } from 'vitest'
import { msgpack } from '../../../src/codec/msgpack.ts'
import { hasDataSet, readDataSet } from './data-set.ts'

const codec = msgpack<unknown>()
const SUITE = 'msgpack/msgpack-test-suite.json'

/** A value, and all its encodings; which field holds it says of what type it is. */
interface Example {
  readonly msgpack: readonly string[]
  readonly nil?: null
  readonly bool?: boolean
  readonly number?: number
  readonly bignum?: string
  readonly string?: string
  readonly binary?: string
  readonly array?: readonly unknown[]
  readonly map?: object
  readonly timestamp?: readonly [seconds: number, nanoseconds: number]
  readonly ext?: readonly [type: number, bytes: string]
}

/** What the suite has, in small. */
const sample: readonly Example[] = [
  { nil: null, msgpack: ['c0'] },
  { bool: true, msgpack: ['c3'] },
  { binary: '00-ff', msgpack: ['c4-02-00-ff', 'c5-00-02-00-ff', 'c6-00-00-00-02-00-ff'] },
  { number: 1, msgpack: ['01', 'cc-01', 'cd-00-01', 'ce-00-00-00-01', 'd0-01', 'ca-3f-80-00-00'] },
  { bignum: '-9223372036854775808', msgpack: ['d3-80-00-00-00-00-00-00-00'] },
  { string: 'a', msgpack: ['a1-61', 'd9-01-61', 'da-00-01-61', 'db-00-00-00-01-61'] },
  { array: [1], msgpack: ['91-01', 'dc-00-01-01', 'dd-00-00-00-01-01'] },
  { map: { a: 1 }, msgpack: ['81-a1-61-01', 'de-00-01-a1-61-01', 'df-00-00-00-01-a1-61-01'] },
  { timestamp: [-1, 999_999_999], msgpack: ['c7-0c-ff-3b-9a-c9-ff-ff-ff-ff-ff-ff-ff-ff-ff'] },
  { ext: [1, '10'], msgpack: ['d4-01-10'] },
]

function examples(): readonly Example[] {
  if (!hasDataSet(SUITE)) return sample
  const suite = JSON.parse(readDataSet(SUITE).toString()) as Record<string, readonly Example[]>
  return Object.values(suite).flat()
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll('-', ''), 'hex'))
}

/** What the example decodes to here. */
function valueOf(example: Example): unknown {
  if (example.binary !== undefined) return bytesOf(example.binary)
  if (example.timestamp !== undefined) {
    const [seconds, nanoseconds] = example.timestamp
    return new Date(seconds * 1_000 + Math.floor(nanoseconds / 1_000_000))
  }
  if (example.bignum !== undefined) {
    const integer = BigInt(example.bignum)
    return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
  }
  const { msgpack: _, ...value } = example
  return Object.values(value)[0]
}

const named = examples().map((example) => ({ example, name: JSON.stringify(example).slice(0, 60) }))
const known = named.filter(({ example }) => example.ext === undefined)
const extensions = named.filter(({ example }) => example.ext !== undefined)
const title = hasDataSet(SUITE)
  ? 'msgpack, msgpack-test-suite'
  : 'msgpack, without msgpack-test-suite, which is not here: a sample of it'

describe(title, () => {
  it.each(known)('reads every encoding of $name', ({ example }) => {
    for (const encoding of example.msgpack) {
      const value = codec.decode(bytesOf(encoding))
      // A large integer is a BigInt, and a number where it is written as a float.
      const wanted = valueOf(example)
      expect(value, encoding).toEqual(typeof value === 'number' ? Number(wanted) : wanted)
    }
  })

  it.each(known)('writes $name as one of its encodings, or as one that reads the same', ({ example }) => {
    const written = codec.encode(valueOf(example))
    expect(codec.decode(written)).toEqual(valueOf(example))
    const isExact = example.number === undefined && example.bignum === undefined && example.timestamp === undefined
    if (isExact) expect(example.msgpack.map(bytesOf)).toContainEqual(written)
  })

  it.each(extensions)('refuses $name', ({ example }) => {
    for (const encoding of example.msgpack) expect(() => codec.decode(bytesOf(encoding))).toThrow(/extension/u)
  })
})
