import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DeadLetter,
  iterable,
  lines,
  memoryDestination,
  memorySource,
  multi,
  poller,
  Processor,
  type Source,
  tee,
} from 'millrace'
import { pipe } from 'millrace/handler'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'
import { obey, type Order } from '../../helpers/order.ts'
import { itemsOf, ScriptedDestination, ScriptedSource } from '../../helpers/scripted-ends.ts'

/** Faults of kawa, found by reading it: each test fails where we had the same one. Those of its batcher are tested there. */

describe('processor.go', () => {
  test('one bad message kills the pipeline, again and again', async () => {
    const source = new ScriptedSource<Order>(itemsOf(100, (index) => ({ value: index === 40 ? { failures: 99 } : {} })))
    const deadLetter = memoryDestination<DeadLetter>()
    const destination = memoryDestination<unknown>()
    const options = { source, handler: obey, destination, deadLetter, threads: 2 }
    expect(await new Processor<Order, unknown>(options).run()).toMatchObject({ delivered: 99, deadLettered: 1 })
  })

  test('cancelling stops handlers and sends in the middle: there is no drain', async () => {
    const abort = new AbortController()
    const source = new ScriptedSource<Order>(
      itemsOf(4, () => ({ value: { waitMs: 60 } })),
      { batch: 4, stayOpen: true },
    )
    const destination = new ScriptedDestination<unknown>({ settleMs: () => 60 })
    const options = { source, handler: obey, destination, threads: 1 }
    const running = new Processor<Order, unknown>(options).run(abort.signal)
    await expect.poll(() => source.yielded).toBe(4)
    abort.abort()
    expect(await running).toMatchObject({ received: 4, delivered: 4 })
  })

  test('parallelism above one loses the order', async () => {
    const source = new ScriptedSource<Order>(
      itemsOf(200, (index) => ({ value: { waitMs: index % 10 === 0 ? 3 : 0 } })),
      { batch: 20 },
    )
    const destination = new ScriptedDestination<unknown>()
    const options = { source, handler: obey, destination, threads: 2, handlerConcurrency: 4 }
    await new Processor<Order, unknown>(options).run()
    expect(destination.ids).toEqual(itemsOf(200, (index) => ({ value: `m${index}#0` })).map(({ value }) => value))
  })

  test('what a handler panics with is not recovered from', async () => {
    const source = new ScriptedSource<Order>(
      itemsOf(20, (index) => ({ value: index === 5 ? { result: null } : { exits: index === 9 ? 9 : 0 } })),
    )
    const deadLetter = memoryDestination<DeadLetter>()
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), deadLetter, threads: 1 }
    expect(await new Processor<Order, unknown>(options).run()).toMatchObject({ delivered: 18, deadLettered: 2 })
    expect(deadLetter.values.map(({ id, error }) => [id, error.code])).toEqual([
      ['m5', 'MR_HANDLER_RESULT'],
      ['m9', 'MR_WORKER_EXIT'],
    ])
  })

  test('an error leaves no account of what was done', async () => {
    const source = new ScriptedSource<Order>(itemsOf(10, (index) => ({ value: index === 5 ? { failures: 9 } : {} })))
    const options = { source, handler: obey, destination: memoryDestination<unknown>(), threads: 1 }
    const error = await expectCode(new Processor<Order, unknown>(options).run(), 'MR_MESSAGE_FAILED', /m5/)
    expect(error.summary).toMatchObject({
      acked: source.journal.ids('ack').length,
      seconds: expect.any(Number) as number,
    })
  })
})

function* endless(): Generator<string> {
  for (;;) yield 'busy'
}

/** A run of this source, whose messages are passed on and kept. */
function processorOf(source: Source<unknown>): Processor<unknown, unknown> {
  return new Processor<unknown, unknown>({
    source,
    handler: pipe,
    destination: memoryDestination<unknown>(),
    threads: 0,
  })
}

describe('multisrc.go, multidest.go', () => {
  const failing: Source<number> = { recv: () => Promise.reject(new Error('no such topic')) }
  test('a source that fails pushes an empty message downstream, and the others go on for ever', async () => {
    const patient = memorySource<number>()
    const processor = processorOf(multi({ patient, failing: { ...failing } }))
    const error = await expectCode(processor.run(), 'MR_SOURCE_FAILED', /failing.*no such topic/)
    expect(error.cause).toMatchObject({ message: 'no such topic' })
    expect(error.summary).toMatchObject({ received: 0, acked: 0 })
  })

  test('a source that always has a message keeps the others out', async () => {
    const destination = memoryDestination<string>()
    const abort = new AbortController()
    const source = multi({ busy: iterable(endless()), rare: iterable(['rare']) })
    const options = { source, handler: pipe, destination, threads: 0, maxInFlight: 500 }
    const running = new Processor<string, string>(options).run(abort.signal)
    await expect.poll(() => destination.values.includes('rare')).toBe(true)
    abort.abort()
    await running
    expect(destination.values.indexOf('rare')).toBeLessThan(1_000)
  })

  test('the loops of the sources within are not run', async () => {
    const ran: string[] = []
    const within = (name: string): ScriptedSource<number> =>
      new ScriptedSource([{ value: 1 }], {
        run: async (signal) => {
          ran.push(name)
          if (!signal.aborted) await once(signal, 'abort')
          ran.push(`${name} aborted`)
        },
      })
    const [a, b] = [within('a'), within('b')]
    expect(await processorOf(multi({ a, b })).run()).toMatchObject({ acked: 2 })
    expect(ran.toSorted()).toEqual(['a', 'a aborted', 'b', 'b aborted'])
    expect([a.closes, b.closes]).toEqual([1, 1])
  })

  test('none within is a panic', () => {
    const invalid = expect.objectContaining({ code: 'MR_OPTION_INVALID' }) as Error
    expect(() => multi({})).toThrow(invalid)
    expect(() => (tee as (...destinations: unknown[]) => unknown)()).toThrow(invalid)
  })

  test('the second destination fails after the first one wrote: the message is not acked', async () => {
    const first = memoryDestination<unknown>()
    const second = new ScriptedDestination<unknown>({ nack: () => new Error('refused') })
    const source = new ScriptedSource<Order>([{ value: {} }], { stayOpen: true })
    const options = { source, handler: obey, destination: tee(first, second), threads: 0 }
    await expectCode(new Processor<Order, unknown>(options).run(), 'MR_MESSAGE_FAILED', /refused/)
    expect(first.messages).toHaveLength(1)
    expect(source.journal.ids('ack')).toEqual([])
  })
})

describe('poller.go', () => {
  test('recv always fails; an empty poll is a panic; polling is a busy loop; the ack is that of the last of a batch', async () => {
    const abort = new AbortController()
    const polls = [[1, 2, 3], [], [], [4]]
    let count = 0
    const acked: number[][] = []
    const source = poller<number>(
      async () => {
        const values = polls[count++] ?? []
        return { values, ack: () => void acked.push([...values]) }
      },
      { intervalMs: 10, maxIntervalMs: 50 },
    )
    const destination = memoryDestination<number>()
    const running = new Processor({ source, handler: pipe, destination, threads: 0 }).run(abort.signal)
    await expect.poll(() => acked.length >= 4).toBe(true)
    await sleep(100)
    expect(count, 'polls wait for their interval').toBeLessThan(40)
    abort.abort()
    expect(await running).toMatchObject({ received: 4, acked: 4 })
    expect(destination.values).toEqual([1, 2, 3, 4])
    expect(acked.filter((values) => values.length > 0)).toEqual([[1, 2, 3], [4]])
  })
})

describe('memory.go, scanner.go', () => {
  test('a closed memory source yields empty messages for ever', async () => {
    const source = memorySource<number>()
    source.push(1)
    source.end()
    const destination = memoryDestination<number>()
    expect(await new Processor({ source, handler: pipe, destination, threads: 0 }).run()).toMatchObject({ received: 1 })
    expect(destination.values).toEqual([1])
  })

  test('a line above 64 KiB ends the scanner', async () => {
    const long = 'x'.repeat(300_000)
    const input = new PassThrough()
    input.end(`short\n${long}\nshort\n`)
    const destination = memoryDestination<Uint8Array>()
    await new Processor({ source: lines(input), handler: pipe, destination, threads: 1 }).run()
    expect(destination.values.map(({ length }) => length)).toEqual([5, 300_000, 5])
  })

  test('a scanner that is blocked in a read cannot be cancelled', async () => {
    const abort = new AbortController()
    const input = new PassThrough()
    input.write('one\n')
    const destination = memoryDestination<Uint8Array>()
    const running = new Processor({ source: lines(input), handler: pipe, destination, threads: 0 }).run(abort.signal)
    await expect.poll(() => destination.values.length).toBe(1)
    abort.abort()
    expect(await running).toMatchObject({ received: 1, acked: 1 })
  })
})
