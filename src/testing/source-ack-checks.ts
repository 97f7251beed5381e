import type { Delivery } from '../source.ts'
import { expect, within, type CheckBodies } from './check.ts'
import { fingerprint, sampleValues, show } from './sample-values.ts'
import type { ResolvedSourceChecks } from './source-check-options.ts'
import { withSource, type SourceSession } from './source-session.ts'

/** What acks do: they hold for their own message, and what is not acked comes again. */
export function sourceAckChecks<T>(options: ResolvedSourceChecks<T>): CheckBodies {
  const values = sampleValues(options.values, 12)

  /** Opens the far end again and compares what comes, in order within each lane. */
  const expectAgain = async (expected: readonly Uint8Array[]): Promise<void> => {
    if (options.reopen === undefined) return
    await withSource(options, 'reopen', async (session) => {
      session.expectValues(await session.receive(expected.length), expected)
      await session.expectEnd()
    })
  }
  const bytesOf = (session: SourceSession<T>, deliveries: readonly Delivery<T>[]): readonly Uint8Array[] =>
    deliveries.map((delivery) => session.bytes(delivery))
  const isIndividual = (session: SourceSession<T>, deliveries: readonly Delivery<T>[]): boolean =>
    deliveries.every(({ lane }) => (lane?.ackMode ?? session.source.ackMode) === 'individual')

  return {
    'every delivery can be acked, in order': async () => {
      await withSource(options, values, async (session) => session.ack(await session.receive(values.length)))
      await expectAgain([])
    },

    'what is not acked comes again, and nothing else': async () => {
      const unacked = await withSource(options, values, async (session) => {
        const deliveries = await session.receive(values.length)
        await session.ack(deliveries.slice(0, 5))
        return bytesOf(session, deliveries.slice(5))
      })
      await expectAgain(unacked)
    },

    'nothing is acked by being received': async () => {
      await withSource(options, values, (session) => session.receive(values.length))
      await expectAgain(values)
    },

    'a message has the same id when it comes again': async () => {
      if (options.reopen === undefined) return
      const ids = new Map<string, string | undefined>()
      await withSource(options, values, async (session) => {
        for (const delivery of await session.receive(values.length)) {
          ids.set(fingerprint(session.bytes(delivery)), delivery.message.id)
        }
      })
      await withSource(options, 'reopen', async (session) => {
        for (const delivery of await session.receive(values.length)) {
          const before = ids.get(fingerprint(session.bytes(delivery)))
          const { id } = delivery.message
          expect(id === before, `the id ${before ?? 'undefined'}`, String(id), 'Name a message by its place.')
        }
      })
    },

    'a delivery that is settled twice settles no other': async () => {
      const unacked = await withSource(options, values, async (session) => {
        const deliveries = await session.receive(values.length)
        const first = deliveries.slice(0, 2)
        await session.ack(first)
        const again = first.map(async (delivery) => delivery.ack())
        await within(Promise.allSettled(again), options.timeoutMs, 'a second `ack`')
        return bytesOf(session, deliveries.slice(2))
      })
      await expectAgain(unacked)
    },

    'ackBatch acks each of its deliveries, and no other': async () => {
      const unacked = await withSource(options, values, async (session) => {
        const deliveries = await session.receive(values.length)
        if (session.source.ackBatch === undefined) return undefined
        const lane = deliveries[0]?.lane
        const run = deliveries.filter((delivery) => delivery.lane === lane).slice(0, 4)
        for (const part of [run.slice(0, 1), run.slice(1)]) {
          const acked = Promise.resolve(session.source.ackBatch(part))
          await within(acked, options.timeoutMs, '`ackBatch`')
        }
        return bytesOf(
          session,
          deliveries.filter((delivery) => !run.includes(delivery)),
        )
      })
      if (unacked !== undefined) await expectAgain(unacked)
    },

    'an individual ack acks its own message alone': async () => {
      const unacked = await withSource(options, values, async (session) => {
        const deliveries = await session.receive(values.length)
        if (!isIndividual(session, deliveries)) return undefined
        await session.ack(deliveries.filter((_, index) => index % 2 === 1))
        return bytesOf(
          session,
          deliveries.filter((_, index) => index % 2 === 0),
        )
      })
      if (unacked !== undefined) await expectAgain(unacked)
    },

    'lanes can be acked in any order of lanes': () =>
      withSource(options, values, async (session) => {
        const deliveries = await session.receive(values.length)
        const lanes = new Set(deliveries.map(({ lane }) => lane))
        for (const lane of [...lanes].toReversed()) {
          await session.ack(deliveries.filter((delivery) => delivery.lane === lane))
        }
      }),

    'a nack settles its message alone': () =>
      withSource(options, values, async (session) => {
        const [first, ...rest] = await session.receive(values.length)
        if (first?.nack === undefined || !isIndividual(session, [first])) return
        const nacked = Promise.resolve(first.nack(new Error('given up by the conformance kit')))
        await within(nacked, options.timeoutMs, '`nack`')
        await session.ack(rest)
        if (!options.nackRedelivers) return
        const [again] = await session.receive(1)
        if (again === undefined) return
        const [was, is] = [session.bytes(first), session.bytes(again)]
        expect(fingerprint(was) === fingerprint(is), show(was), show(is), 'Redeliver what was nacked.')
        const { redelivered = 1 } = again
        expect(
          redelivered >= 1,
          '`redelivered` of 1 or more',
          String(redelivered),
          'Leave it out where it is not known.',
        )
        await session.ack([again])
      }),
  }
}
