import { destinationFrom, iterable, memoryDestination, type Message, Processor, sourceFrom } from 'millrace'
import { pipe } from 'millrace/handler'
import { describe, expect, test } from 'vitest'
import { expectCode } from '../../helpers/collect.ts'

/** An error that throws as soon as anybody looks at it. */
function unreadable(): Error {
  return Object.defineProperties(new Error('hidden'), {
    message: {
      get(): never {
        throw new Error('not for you')
      },
    },
  })
}

const bytes = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => new Uint8Array(8).fill(index))

describe('ends that do what no end should', () => {
  test('G10: a message whose headers cannot be read leaves the others of its chunk their own bytes', async () => {
    let next = 0
    const source = sourceFrom<Uint8Array>(async () => {
      if (next === 40) return undefined
      const index = next++
      let reads = 0
      const message: Message<Uint8Array> = { key: '', topic: 't', id: `${index}`, value: new Uint8Array(8).fill(index) }
      if (index % 7 !== 3) return { message, ack() {} }
      const headers = {
        get name(): string {
          if (reads++ === 2) throw new Error('gone')
          return 'value'
        },
      }
      return { message: { ...message, headers }, ack() {} }
    })
    const destination = memoryDestination<Uint8Array>()
    await new Processor({ source, handler: pipe, destination, threads: 1, onError: { then: 'drop' } }).run()
    expect(destination.messages.length).toBeGreaterThan(20)
    for (const { id, value } of destination.messages) expect(new Set(value)).toEqual(new Set([parseInt(id ?? '', 10)]))
  })

  test.each(['send', 'close', 'ack', 'onEvent'])(
    'G7: an error that cannot be read ends the run all the same: %s',
    async (where) => {
      const fail = (at: string): void => {
        if (at === where) throw unreadable()
      }
      const source = {
        ...sourceFrom(async () => ({ message: { key: '', topic: '', value: bytes(1) }, ack: () => fail('ack') })),
      }
      const destination = {
        ...destinationFrom<unknown>((_, settlement) => {
          fail('send')
          settlement.ack()
        }),
        close: async () => fail('close'),
      }
      const abort = new AbortController()
      setTimeout(() => abort.abort(), 300)
      const processor = new Processor({
        source,
        handler: pipe,
        destination,
        threads: 0,
        onEvent: () => fail('onEvent'),
      })
      const codes = {
        send: 'MR_SEND_FAILED',
        close: 'MR_END_FAILED',
        ack: 'MR_ACK_FAILED',
        onEvent: 'MR_LISTENER_FAILED',
      } as const
      await expectCode(processor.run(abort.signal), codes[where as keyof typeof codes], /cannot be read/)
    },
  )

  test('G1: a destination that empties the array that it was given can still settle it', async () => {
    const destination = destinationFrom<Uint8Array>((messages, settlement) => {
      ;(messages as Message<Uint8Array>[]).length = 0
      settlement.ack()
    })
    const summary = await new Processor({ source: iterable(bytes(50)), handler: pipe, destination, threads: 0 }).run()
    expect(summary.acked).toBe(50)
  })

  test('G7: run() refuses what is no signal, and can be called again', async () => {
    const processor = new Processor({
      source: iterable(bytes(3)),
      handler: pipe,
      destination: memoryDestination(),
      threads: 0,
    })
    await expectCode(processor.run(new AbortController() as never), 'MR_OPTION_INVALID', /AbortSignal/)
    expect(await processor.run()).toMatchObject({ acked: 3 })
  })
})
