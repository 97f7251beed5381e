import { afterEach, describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import {
  boolean,
  fn,
  integer,
  knownKeys,
  maxTimerMs,
  milliseconds,
  number,
  oneOf,
  text,
} from '../../../src/util/options.ts'

function refusal(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'MR_OPTION_INVALID') return error.message
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('the checks of options', () => {
  it('fills in the default for undefined alone', () => {
    expect(integer('count', undefined, { min: 1, default: 7 })).toBe(7)
    expect(oneOf('mode', undefined, ['a', 'b'], 'b')).toBe('b')
    expect(boolean('sync', undefined, true)).toBe(true)
    expect(text('name', undefined, 'x')).toBe('x')
    expect(fn('make', undefined, describe)).toBe(describe)
    expect(() => integer('count', null, { min: 1, default: 7 })).toThrow('got null (null)')
    expect(() => oneOf('mode', null, ['a'], 'a')).toThrow(MillraceError)
  })

  it('says what was expected, what came, and what to do', () => {
    expect(refusal(() => integer('periodMs', -1, { min: 1, default: 1_000 }))).toBe(
      'Expected `periodMs` to be a whole number from 1 up, got -1 (number). Leave it out for the default, 1000.',
    )
    expect(refusal(() => integer('count', '5', { min: 1, max: 9 }))).toBe(
      "Expected `count` to be a whole number from 1 to 9, got '5' (string). It is required.",
    )
    expect(refusal(() => oneOf('mode', 'c', ['a', 'b'], 'a'))).toBe(
      "Expected `mode` to be one of 'a', 'b', got 'c' (string). Leave it out for the default, 'a'.",
    )
  })

  it.each([0, 1.5, NaN, Infinity, -Infinity, 2 ** 53, '1', 1n, {}, [], true])(
    'refuses %s as a whole number',
    (value) => {
      expect(() => integer('count', value, { min: 1 })).toThrow(MillraceError)
    },
  )

  it('takes the bounds themselves, and Infinity only where allowed', () => {
    expect(integer('n', 1, { min: 1, max: 3 })).toBe(1)
    expect(integer('n', 3, { min: 1, max: 3 })).toBe(3)
    expect(() => integer('n', 4, { min: 1, max: 3 })).toThrow(MillraceError)
    expect(integer('n', Infinity, { min: 1, allowInfinity: true })).toBe(Infinity)
    expect(number('factor', 1.5, { min: 1 })).toBe(1.5)
    expect(() => number('factor', Infinity, { min: 1 })).toThrow(MillraceError)
  })

  it('refuses a delay that a timer would cut to nothing', () => {
    expect(milliseconds('timeoutMs', maxTimerMs, { min: 1 })).toBe(maxTimerMs)
    expect(() => milliseconds('timeoutMs', maxTimerMs + 1, { min: 1 })).toThrow('from 1 to 2147483647')
  })

  it('refuses what is no function, no flag, no text', () => {
    expect(() => fn('flush', 'x')).toThrow("Expected `flush` to be a function, got 'x' (string). Pass one.")
    expect(() => fn('flush', undefined)).toThrow(MillraceError)
    expect(() => boolean('sync', 1, true)).toThrow(MillraceError)
    expect(() => text('name', '')).toThrow(MillraceError)
  })
})

describe('knownKeys', () => {
  interface Sample {
    count?: number
    bytes?: number
  }
  const prototype = Object.prototype as Record<string, unknown>

  afterEach(() => {
    delete prototype['count']
    delete prototype['max']
  })

  it('refuses a name that it does not know, and says which ones it does', () => {
    const misspelt = { cuont: 5 } as Sample
    expect(refusal(() => knownKeys('batch', misspelt, ['count', 'bytes']))).toBe(
      'Expected the options of `batch` to be count, bytes, got `cuont`. Remove it or correct its name.',
    )
  })

  it.each([null, 5, 'x', [1], true])('refuses %s for the options themselves', (value) => {
    expect(() => knownKeys('batch', value as Sample, ['count'])).toThrow(MillraceError)
  })

  it('reads own properties only, whatever Object.prototype holds', () => {
    prototype['count'] = 666
    prototype['max'] = 0
    expect(knownKeys<Sample>('batch', {}, ['count', 'bytes']).count).toBeUndefined()
    expect(knownKeys<Sample>('batch', undefined, ['count', 'bytes']).count).toBeUndefined()
    expect(integer('bytes', 5, { min: 1 })).toBe(5)
  })

  it('copies, so that a later change of the options has no effect', () => {
    const given: Sample = { count: 1 }
    const known = knownKeys('batch', given, ['count', 'bytes'])
    given.count = 2
    expect(known.count).toBe(1)
  })
})
