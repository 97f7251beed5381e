import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { pollDelayMs, resolvePollSchedule } from '../../src/connectors/poller/poll-schedule.ts'
import { poller, type Polled } from '../../src/connectors/poller/poller.ts'
import type { Source } from '../../src/source.ts'
import { sourceChecks } from '../../src/testing/index.ts'
import { batchOf, expectCode, never, next, values } from '../helpers/collect.ts'

/** A poll function that returns these results in turn, then the last of them again and again; it counts its calls. */
function polls<T>(...results: (Polled<T> | Error)[]): { poll: () => Promise<Polled<T>>; times: () => number } {
  let times = 0
  return {
    poll: async () => {
      const result = results[Math.min(times, results.length - 1)]
      times += 1
      if (result instanceof Error) throw result
      return result ?? []
    },
    times: () => times,
  }
}

const quick = { intervalMs: 1, maxIntervalMs: 5 }

describe('messages', () => {
  test('recv yields what was polled, and no error beside it', async () => {
    const source = poller(polls(['a', 'b']).poll, { ...quick, topic: 'orders', key: (value) => value })
    expect((await next(source)).message).toEqual({ key: 'a', topic: 'orders', value: 'a' })
    expect((await next(source)).message).toEqual({ key: 'b', topic: 'orders', value: 'b' })
  })

  test('the index given to the options goes on over polls', async () => {
    const source = poller(polls(['a', 'b']).poll, { ...quick, id: (value, index) => `${value}${index}` })
    const ids = []
    for (let count = 0; count < 4; count++) ids.push((await next(source)).message.id)
    expect(ids).toEqual(['a0', 'b1', 'a2', 'b3'])
  })

  test('have the type of the values', () => {
    expectTypeOf(poller(async () => [1])).toEqualTypeOf<Source<number>>()
    expectTypeOf(poller(async () => ({ values: ['a'], ack: () => {} }))).toEqualTypeOf<Source<string>>()
  })
})

describe('when it polls', () => {
  test('the wait grows with every poll in vain up to its bound, and an interval of 0 is no busy loop', () => {
    const schedule = resolvePollSchedule({ intervalMs: 100, factor: 3, maxIntervalMs: 1_000 })
    expect([0, 1, 2, 3, 4, 5_000].map((inVain) => pollDelayMs(schedule, inVain))).toEqual([
      100, 100, 300, 900, 1_000, 1_000,
    ])
    const eager = resolvePollSchedule({ intervalMs: 0 })
    expect(pollDelayMs(eager, 0)).toBe(0)
    expect(pollDelayMs(eager, 1)).toBeGreaterThan(0)
    expect(resolvePollSchedule({})).toEqual({ intervalMs: 1_000, factor: 2, maxIntervalMs: 30_000, attempts: 5 })
    expect(resolvePollSchedule({ intervalMs: 60_000 }).maxIntervalMs).toBe(60_000)
  })

  test('an empty poll is no end and no error; the next ones come ever later', async () => {
    const at: number[] = []
    const source = poller(
      async () => {
        at.push(performance.now())
        return at.length < 5 ? [] : ['a']
      },
      { intervalMs: 10, factor: 2, maxIntervalMs: 1_000 },
    )
    expect(values([await next(source)])).toEqual(['a'])
    const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0))
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual(10 * 2 ** index - 1)
  })

  test('the interval is kept after a poll with values too', async () => {
    const { poll, times } = polls(['a'])
    const source = poller(poll, { intervalMs: 40 })
    const from = performance.now()
    for (let count = 0; count < 3; count++) await next(source)
    expect(performance.now() - from).toBeGreaterThanOrEqual(78)
    expect(times()).toBe(3)
  })

  test('G4: not before it is asked, and not while values are waiting', async () => {
    const { poll, times } = polls(['a', 'b', 'c'])
    const source = poller(poll, quick)
    expect(times()).toBe(0)
    expect(await batchOf(source, 2)).toHaveLength(2)
    expect(await batchOf(source, 10)).toHaveLength(1)
    expect(times()).toBe(1)
    expect(await batchOf(source, 10, 1)).toHaveLength(1)
    expect(await batchOf(source, 10, 0)).toHaveLength(1)
    expect(times()).toBe(2)
  })

  test('never twice at once, even where an aborted recv left a poll under way', async () => {
    let running = 0
    let most = 0
    const release = new AbortController()
    const source = poller(async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => release.signal.addEventListener('abort', resolve))
      running -= 1
      return ['a']
    })
    const controller = new AbortController()
    const pending = source.recv(controller.signal)
    await vi.waitFor(() => expect(running).toBe(1))
    controller.abort()
    expect(await pending).toBeUndefined()
    const again = next(source)
    release.abort()
    expect(values([await again])).toEqual(['a'])
    expect(most).toBe(1)
  })
})

describe('acks', () => {
  test('G1: a poll is acked once, with the last of its values, in whatever order and however often', async () => {
    const ack = vi.fn()
    const source = poller(polls({ values: ['a', 'b', 'c'], ack }).poll, quick)
    const [a, b, c] = await batchOf(source)
    await c?.ack()
    await a?.ack()
    await a?.ack()
    expect(ack).not.toHaveBeenCalled()
    await b?.ack()
    await b?.ack()
    expect(ack).toHaveBeenCalledTimes(1)
  })

  test('each poll by itself', async () => {
    const acked: string[] = []
    const poll = (name: string): Polled<string> => ({ values: [name, name], ack: () => void acked.push(name) })
    const source = poller(polls(poll('first'), poll('second')).poll, quick)
    const [one, two] = await batchOf(source)
    const [three, four] = await batchOf(source)
    for (const delivery of [one, three, four, two]) await delivery?.ack()
    expect(acked).toEqual(['second', 'first'])
  })

  test('an ack that fails fails the ack of the last value', async () => {
    const source = poller(polls({ values: ['a'], ack: () => Promise.reject(new Error('lost')) }).poll, quick)
    await expect((await next(source)).ack()).rejects.toThrow('lost')
  })

  test('a poll without values is acked at once', async () => {
    const ack = vi.fn()
    const source = poller(polls({ values: [] as string[], ack }, ['a']).poll, quick)
    await next(source)
    expect(ack).toHaveBeenCalledTimes(1)
  })
})

describe('failures', () => {
  test('are retried, and counted in a row', async () => {
    const down = new Error('down')
    const { poll, times } = polls<string>(down, down, ['a'], down, down, ['b'])
    const source = poller(poll, { ...quick, attempts: 3 })
    expect(values([await next(source), await next(source)])).toEqual(['a', 'b'])
    expect(times()).toBe(6)
  })

  test('are fatal after the last attempt, with the cause', async () => {
    const down = new Error('down')
    const { poll, times } = polls<string>(down)
    const error = await expectCode(
      poller(poll, { ...quick, attempts: 3 }).recv(never),
      'MR_SOURCE_FAILED',
      /3 times in a row: down/,
    )
    expect(error.cause).toBe(down)
    expect(times()).toBe(3)
  })

  test('are fatal at once where the error says so', async () => {
    const { poll, times } = polls<string>(Object.assign(new Error('no such queue'), { retryable: false }))
    await expectCode(poller(poll, quick).recv(never), 'MR_SOURCE_FAILED', /no such queue/)
    expect(times()).toBe(1)
  })

  test.each([undefined, null, 'text', {}, { values: 'text' }])(
    'a poll that returns %o is fatal at once',
    async (bad) => {
      let times = 0
      const source = poller(async () => {
        times += 1
        return bad as never
      }, quick)
      await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /array of values, got/)
      expect(times).toBe(1)
    },
  )

  test('an option that throws is fatal at once', async () => {
    const source = poller(polls([null]).poll, { ...quick, key: (value) => String((value as never)['id']) })
    await expectCode(source.recv(never), 'MR_SOURCE_FAILED', /make a message of null/)
  })
})

describe('abort and close', () => {
  test('G6: recv ends while it waits, while it polls, and the poll is told', async () => {
    const waiting = new AbortController()
    const idle = poller(async () => [], { intervalMs: 60_000 })
    setTimeout(() => waiting.abort(), 20)
    expect(await idle.recv(waiting.signal)).toBeUndefined()

    const polling = new AbortController()
    let told: AbortSignal | undefined
    const stuck = poller<string>((signal) => {
      told = signal
      return new Promise(() => {})
    })
    setTimeout(() => polling.abort(), 20)
    expect(await stuck.recv(polling.signal)).toBeUndefined()
    expect(told?.aborted).toBe(true)
  })

  test('a poll that fails because it was aborted fails nothing', async () => {
    const controller = new AbortController()
    const source = poller<string>(
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('aborted')))
        }),
      { attempts: 1 },
    )
    const pending = source.recv(controller.signal)
    setImmediate(() => controller.abort())
    expect(await pending).toBeUndefined()
  })

  test('after close, twice, it ends and polls no more', async () => {
    const { poll, times } = polls(['a'])
    const source = poller(poll)
    await source.close?.()
    await source.close?.()
    expect(await source.recv(never)).toBeUndefined()
    expect(times()).toBe(0)
  })
})

test('wrong options are refused', async () => {
  const { poll } = polls(['a'])
  await expectCode(() => poller(undefined as never), 'MR_OPTION_INVALID', /`poll`/)
  await expectCode(() => poller(poll, { intervalMs: -1 }), 'MR_OPTION_INVALID', /`intervalMs`/)
  await expectCode(() => poller(poll, { factor: 0.5 }), 'MR_OPTION_INVALID', /`factor`/)
  await expectCode(() => poller(poll, { attempts: 0 }), 'MR_OPTION_INVALID', /`attempts`/)
  await expectCode(
    () => poller(poll, { intervalMs: 9, maxIntervalMs: 8 }),
    'MR_OPTION_INVALID',
    /at least intervalMs, 9/,
  )
  await expectCode(() => poller(poll, { interval: 9 } as never), 'MR_OPTION_INVALID', /`interval`/)
})

function polling(given: readonly Uint8Array[]): Source<Uint8Array> {
  let cursor = 0
  return poller(
    async () => {
      const values = given.slice(cursor, cursor + 300)
      cursor += values.length
      return { values, ack: () => {} }
    },
    { intervalMs: 0, maxIntervalMs: 1 },
  )
}

describe('conformance', () => {
  for (const check of sourceChecks({ create: polling, ends: false })) test(check.name, check.run)
})
