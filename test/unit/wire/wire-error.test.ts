import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import { fromWireError, toWireError } from '../../../src/wire/wire-error.ts'

function throwing(): never {
  throw new Error('a getter that throws')
}

describe('an error that crosses threads', () => {
  it('G7: keeps its name, message, stack, code, retryable and causes', () => {
    const root = Object.assign(new RangeError('root'), { code: 42 })
    const cause = new MillraceError('MR_DECODE', 'in between', { cause: root })
    const error = Object.assign(new TypeError('top', { cause }), { code: 'E_TOP', retryable: false })
    const arrived = fromWireError(toWireError(error))
    expect(arrived).toBeInstanceOf(Error)
    expect(arrived).toMatchObject({
      name: 'TypeError',
      message: 'top',
      stack: error.stack,
      code: 'E_TOP',
      retryable: false,
    })
    expect(arrived.cause).toMatchObject({ name: 'MillraceError', message: 'in between', code: 'MR_DECODE' })
    expect(arrived.cause).toMatchObject({ cause: { name: 'RangeError', message: 'root', code: '42' } })
    expect(arrived.cause).not.toHaveProperty('retryable')
  })

  it.each([
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['a string', 'just text', 'just text'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
    ['a plain object', { some: 'thing' }, 'object'],
  ])('G5: may be %s', (_, thrown, part) => {
    const arrived = fromWireError(toWireError(thrown))
    expect([arrived.name, arrived.message.includes(part)]).toEqual(['Error', true])
    expect(arrived.message).toMatch(/not an Error/u)
  })

  it.each([
    ['an error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: throwing })],
    ['an object without a prototype', Object.create(null)],
    ['a proxy that throws at everything', new Proxy({}, { get: throwing, getPrototypeOf: throwing })],
    ['an object whose toString throws', { toString: throwing }],
    [
      'a revoked proxy',
      ((): unknown => {
        const { proxy, revoke } = Proxy.revocable({}, {})
        revoke()
        return proxy
      })(),
    ],
  ])('G5: may be %s: reading it never throws', (_, thrown) => {
    expect(fromWireError(toWireError(thrown)).message).toMatch(/Thrown/u)
  })

  it('is cut to a bounded size, whatever it holds', () => {
    let error = new Error('m'.repeat(1_000_000))
    error.stack = 's'.repeat(1_000_000)
    for (let depth = 0; depth < 100; depth++) error = new Error('m'.repeat(1_000_000), { cause: error })
    expect(JSON.stringify(toWireError(error)).length).toBeLessThan(100_000)
    const own: Error & { cause?: unknown } = new Error('it is its own cause')
    own.cause = own
    expect(JSON.stringify(toWireError(own)).length).toBeLessThan(100_000)
  })

  it('keeps only as many causes as are asked for', () => {
    const error = new Error('a', { cause: new Error('b', { cause: new Error('c') }) })
    expect([toWireError(error, 0), toWireError(error, 1).cause].map((wire) => wire?.cause)).toEqual([
      undefined,
      undefined,
    ])
    expect(toWireError(error, 1).cause?.message).toBe('b')
  })

  it('has no stack where the one that was thrown had none', () => {
    const error = new Error('x')
    delete error.stack
    expect(fromWireError(toWireError(error)).stack).toBeUndefined()
  })
})
