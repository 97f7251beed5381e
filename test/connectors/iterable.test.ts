import { PassThrough } from 'node:stream'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { iterable } from '../../src/connectors/iterable/iterable.ts'
import type { Source } from '../../src/source.ts'
import { sourceChecks } from '../../src/testing/index.ts'
import { batchOf, collect, expectCode, never, next, values } from '../helpers/collect.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function* asynchronous<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield item
}

describe('messages', () => {
  test('have an id of topic and index, and the defaults', async () => {
    const deliveries = await collect(iterable(['a', 'b']))
    expect(deliveries.map(({ message }) => message)).toEqual([
      { id: 'iterable:0', key: '', topic: 'iterable', value: 'a' },
      { id: 'iterable:1', key: '', topic: 'iterable', value: 'b' },
    ])
  })

  test('have what the options say', async () => {
    const source = iterable([{ user: 'ada' }, { user: 'bob' }], {
      topic: 'users',
      key: (value) => value.user,
      id: (value, index) => `${value.user}/${index}`,
      headers: (_, index) => ({ index: String(index) }),
    })
    expect((await collect(source))[1]?.message).toEqual({
      id: 'bob/1',
      key: 'bob',
      topic: 'users',
      headers: { index: '1' },
      value: { user: 'bob' },
    })
  })

  test('have the type of the items', () => {
    expectTypeOf(iterable([1])).toEqualTypeOf<Source<number>>()
    expectTypeOf(iterable(asynchronous(['a']))).toEqualTypeOf<Source<string>>()
  })
})

describe('batches', () => {
  test('of a synchronous iterable are full, and bounded by max and bytes', async () => {
    const source = iterable(['aa', 'bb', 'cc', 'dd', 'ee', 'ff'])
    expect(values(await batchOf(source, 2))).toEqual(['aa', 'bb'])
    expect(values(await batchOf(source, 10, 3))).toEqual(['cc', 'dd'])
    expect(values(await batchOf(source, 10, 0))).toEqual(['ee'])
    expect(values(await batchOf(source, 10))).toEqual(['ff'])
    expect(await batchOf(source)).toEqual([])
  })

  test('G4: an endless iterable is not read ahead', async () => {
    let taken = 0
    const endless = (function* () {
      for (;;) yield ++taken
    })()
    const source = iterable(endless)
    expect(await batchOf(source, 10)).toHaveLength(10)
    expect(taken).toBe(10)
    await source.close?.()
  })

  test('of an asynchronous one hold what is there, and do not wait for more', async () => {
    const stream = new PassThrough({ objectMode: true })
    const source = iterable<number>(stream)
    for (const number of [1, 2, 3]) stream.write(number)
    expect(values(await batchOf(source, 2))).toEqual([1, 2])
    expect(values(await batchOf(source))).toEqual([3])
    const pending = batchOf(source)
    stream.write(4)
    expect(values(await pending)).toEqual([4])
    stream.end(5)
    expect(values(await collect(source))).toEqual([5])
  })

  test('of an async generator that never waits are full', async () => {
    const source = iterable(asynchronous(Array.from({ length: 500 }, (_, index) => index)))
    expect(await batchOf(source, 200)).toHaveLength(200)
    expect(await collect(source)).toHaveLength(300)
  })
})

describe('abort', () => {
  test('G6: recv ends though next never resolves, and close does not wait for it', async () => {
    let returned = false
    const source = iterable({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<string>>(() => {}),
        return: () => {
          returned = true
          return new Promise<IteratorResult<string>>(() => {})
        },
      }),
    })
    const controller = new AbortController()
    const pending = source.recv(controller.signal)
    controller.abort()
    expect(await pending).toBeUndefined()
    await source.close?.()
    expect(returned).toBe(true)
  })

  test('an item that arrives after an abort is not lost to another recv', async () => {
    const stream = new PassThrough({ objectMode: true })
    const source = iterable<string>(stream)
    const controller = new AbortController()
    const pending = source.recv(controller.signal)
    controller.abort()
    expect(await pending).toBeUndefined()
    stream.end('late')
    await turn()
    expect(values(await collect(source))).toEqual(['late'])
  })

  test('a recv whose signal had aborted takes nothing', async () => {
    const source = iterable(['a'])
    expect(await source.recv(AbortSignal.abort())).toBeUndefined()
    expect(values(await collect(source))).toEqual(['a'])
  })
})

describe('close', () => {
  test.each(['sync', 'async'])('tells a %s iterator to return, once, when it has not ended', async (kind) => {
    let cleanups = 0
    function* generate(): Generator<number> {
      try {
        yield 1
        yield 2
      } finally {
        cleanups += 1
      }
    }
    async function* generateLater(): AsyncGenerator<number> {
      yield* generate()
    }
    const create = (): Source<number> => (kind === 'sync' ? iterable(generate()) : iterable(generateLater()))

    const halfway = create()
    await next(halfway)
    await Promise.all([halfway.close?.(), halfway.close?.()])
    expect(cleanups).toBe(1)
    expect(await halfway.recv(never)).toBeUndefined()

    const ended = create()
    await collect(ended)
    expect(cleanups).toBe(2)
    await ended.close?.()
    expect(cleanups).toBe(2)

    await create().close?.()
    expect(cleanups).toBe(2)
  })

  test('an error of return is told', async () => {
    const source = iterable({
      [Symbol.iterator]: () => ({
        next: () => ({ done: false as const, value: 1 }),
        return: () => {
          throw new Error('cannot release')
        },
      }),
    })
    await next(source)
    await expectCode(source.close?.() ?? Promise.resolve(), 'MR_SOURCE_FAILED', /cannot release/)
  })
})

describe('failures', () => {
  test.each(['sync', 'async'])('what a %s iterable yielded before it threw comes first', async (kind) => {
    const cause = new Error('broken pipe')
    function* generate(): Generator<string> {
      yield 'a'
      yield 'b'
      throw cause
    }
    async function* generateLater(): AsyncGenerator<string> {
      yield* generate()
    }
    const source = kind === 'sync' ? iterable(generate()) : iterable(generateLater())
    expect(values(await batchOf(source))).toEqual(['a', 'b'])
    const error = await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /broken pipe/)
    expect(error.cause).toBe(cause)
    await expectCode(batchOf(source), 'MR_SOURCE_FAILED', /broken pipe/)
    await source.close?.()
  })

  test('an option that throws is a failure, and the iterator is still told to return', async () => {
    let returned = false
    function* generate(): Generator<string> {
      try {
        yield 'a'
      } finally {
        returned = true
      }
    }
    const source = iterable(generate(), {
      key: () => {
        throw new TypeError('no key')
      },
    })
    await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /no key/)
    await source.close?.()
    expect(returned).toBe(true)
  })

  test('null that is thrown is a failure too', async () => {
    const reject: (reason: unknown) => Promise<never> = Promise.reject.bind(Promise)
    const source = iterable<string>({ [Symbol.asyncIterator]: () => ({ next: () => reject(null) }) })
    await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /null/)
  })

  test.each([undefined, null, 5, 'text', {}, () => []])('%o is refused as items', async (items) => {
    await expectCode(() => iterable(items as never), 'MR_OPTION_INVALID', /iterable/)
  })

  test('a wrong option is refused', async () => {
    await expectCode(() => iterable([], { key: 'user' as never }), 'MR_OPTION_INVALID', /`key`.*function/)
    await expectCode(() => iterable([], { topics: 'x' } as never), 'MR_OPTION_INVALID', /`topics`/)
  })
})

describe('conformance of a synchronous iterable', () => {
  for (const check of sourceChecks({ create: (given) => iterable(given) })) test(check.name, check.run)
})

describe('conformance of an asynchronous iterable', () => {
  for (const check of sourceChecks({ create: (given) => iterable(asynchronous(given)) })) test(check.name, check.run)
})
