import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, Journal, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

const plain = (count: number): { value: Order }[] => itemsOf(count, () => ({ value: {} }))
const broken = new URL('../../fixtures/guarantees/no-handler.mjs', import.meta.url)

async function disconnects(): Promise<void> {
  await sleep(10)
  throw new Error('connection reset')
}

const waits = (signal: AbortSignal): Promise<void> => sleep(60_000, undefined, { signal })

const losesItsFile = (): Promise<void> => Promise.reject(new Error('lost its file'))

describe('G6: the background loop of an end', () => {
  test('starts before the first recv and send; its signal aborts after the last ack; it has ended before close', async () => {
    const journal = new Journal()
    const loop = (name: string) => async (signal: AbortSignal) => {
      journal.add('run', name)
      await once(signal, 'abort')
      journal.add('aborted', name)
      await sleep(10)
      journal.add('ended', name)
    }
    const source = new ScriptedSource<Order>(plain(20), { journal, run: loop('source') })
    const destination = new ScriptedDestination<unknown>({ journal, run: loop('destination'), settleMs: () => 5 })
    await new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1 }).run()
    const kinds = journal.entries.map(({ what, id }) => (what === 'recv' || what === 'ack' ? what : `${what} ${id}`))
    for (const end of ['source', 'destination']) {
      expect(kinds.indexOf(`run ${end}`)).toBeLessThan(kinds.indexOf('recv'))
      expect(kinds.indexOf(`aborted ${end}`)).toBeGreaterThan(kinds.lastIndexOf('ack'))
      expect(kinds.indexOf(`close ${end}`)).toBeGreaterThan(kinds.indexOf(`ended ${end}`))
    }
  })

  test('may end early', async () => {
    const source = new ScriptedSource<Order>(plain(5), { run: async () => {} })
    const destination = new ScriptedDestination<unknown>({ run: async () => {} })
    const options = { source, handler: obey, destination, threads: 1 }
    expect(await new Processor<Order, unknown>(options).run()).toMatchObject({ acked: 5 })
  })

  test('may end with the error of its signal, once that has aborted', async () => {
    const source = new ScriptedSource<Order>(plain(5), { run: waits })
    const options = { source, handler: obey, destination: new ScriptedDestination<unknown>({ run: waits }), threads: 1 }
    expect(await new Processor<Order, unknown>(options).run()).toMatchObject({ acked: 5 })
  })

  test.each(['source', 'destination', 'dead-letter destination'])('that rejects is fatal: the %s', async (which) => {
    const source = new ScriptedSource<Order>(plain(5), {
      stayOpen: true,
      ...(which === 'source' ? { run: disconnects } : {}),
    })
    const destination = new ScriptedDestination<unknown>(which === 'destination' ? { run: disconnects } : {})
    const deadLetter = new ScriptedDestination<unknown>(which === 'dead-letter destination' ? { run: disconnects } : {})
    const processor = new Processor<Order, unknown>({ source, handler: obey, destination, deadLetter, threads: 1 })
    const message = new RegExp(`The ${which} failed while it ran: connection reset`)
    const error = await expectCode(processor.run(), 'MR_END_FAILED', message)
    expect(error.cause).toMatchObject({ message: 'connection reset' })
    expect(error.summary).toMatchObject({ nacked: 0 })
    expect([source.closes, destination.closes, deadLetter.closes]).toEqual([1, 1, 1])
  })
})

interface Path {
  readonly value?: Order
  readonly handler?: URL
  readonly abortMs?: number
  readonly code?: string
  readonly fail?: (ends: { source: ScriptedSource<Order>; destination: ScriptedDestination<unknown> }) => void
}

describe('G6: every end is closed exactly once, and nothing is asked of it afterwards', () => {
  const paths: Record<string, Path> = {
    'the source ends': {},
    'an abort': { abortMs: 50 },
    'an abort past its time-out': { abortMs: 50, value: { waitMs: 60_000 }, code: 'MR_DRAIN_TIMEOUT' },
    'the source fails': { fail: ({ source }) => source.fail(new Error('gone')), code: 'MR_SOURCE_FAILED' },
    'the destination fails': {
      fail: ({ destination }) => {
        destination.send = () => Promise.reject(new Error('gone'))
      },
      code: 'MR_SEND_FAILED',
    },
    'the handler cannot be loaded': { handler: broken, code: 'MR_HANDLER_EXPORT' },
    'a message fails': { value: { failures: 9 }, code: 'MR_MESSAGE_FAILED' },
  }
  test.each(Object.keys(paths))('when %s', async (name) => {
    const { value = {}, handler = obey, abortMs, code, fail } = paths[name] as Path
    const stayOpen = name !== 'the source ends'
    const source = new ScriptedSource<Order>(
      itemsOf(5, () => ({ value })),
      { stayOpen },
    )
    const destination = new ScriptedDestination<unknown>()
    const deadLetter = new ScriptedDestination<unknown>()
    const onError = { then: 'stop' } as const
    const options = { source, handler, destination, deadLetter, onError, threads: 1, drainTimeoutMs: 100 }
    fail?.({ source, destination })
    const abort = new AbortController()
    const running = new Processor<Order, unknown>(options).run(abort.signal)
    if (abortMs !== undefined) {
      await expect.poll(() => source.yielded).toBe(5)
      setTimeout(() => abort.abort(), abortMs)
    }
    if (code === undefined) await running
    else await expect(running).rejects.toMatchObject({ code })
    expect([source.closes, destination.closes, deadLetter.closes]).toEqual([1, 1, 1])
    await sleep(20)
    expect([...source.violations, ...destination.violations, ...deadLetter.violations]).toEqual([])
  })
})

test.each(['source', 'destination'])('G6, G7: a close that rejects is fatal: the %s', async (which) => {
  const source = new ScriptedSource<Order>(plain(3), which === 'source' ? { close: losesItsFile } : {})
  const destination = new ScriptedDestination<unknown>(which === 'destination' ? { close: losesItsFile } : {})
  const processor = new Processor<Order, unknown>({ source, handler: obey, destination, threads: 1 })
  const error = await expectCode(processor.run(), 'MR_END_FAILED', /could not be closed: lost its file/)
  expect(error.summary, 'what was acked stays acked').toMatchObject({ acked: 3, delivered: 3 })
  expect([source.closes, destination.closes]).toEqual([1, 1])
})
