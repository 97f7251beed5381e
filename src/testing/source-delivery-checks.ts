import { setTimeout } from 'node:timers/promises'
import { describe } from '../errors.ts'
import type { Delivery } from '../source.ts'
import { expect, type CheckBodies } from './check.ts'
import { largeValue, sampleValues, show } from './sample-values.ts'
import type { ResolvedSourceChecks } from './source-check-options.ts'
import { withSource } from './source-session.ts'

const plentyOfBytes = 64 * 1024 * 1024

/** What comes out of a source: everything, once, in order, unchanged, and only when asked. */
export function sourceDeliveryChecks<T>(options: ResolvedSourceChecks<T>): CheckBodies {
  const few = sampleValues(options.values, 20)
  const many = sampleValues(options.values, 2_000)

  return {
    'recv yields every message once, in order, byte for byte': () =>
      withSource(options, few, async (session) => {
        session.expectValues(await session.receive(few.length), few)
        await session.expectEnd()
      }),

    'recv waits for no ack': () =>
      withSource(options, many, async (session) => {
        session.expectValues(await session.receive(many.length), many)
      }),

    'recvBatch yields every message once, in order, at most `max` at a time': () =>
      withSource(options, many, async (session) => {
        if (session.source.recvBatch === undefined) return
        const deliveries: Delivery<T>[] = []
        while (deliveries.length < many.length) {
          const max = 1 + ((deliveries.length * 7) % 100)
          const batch = await session.recvBatch(max, plentyOfBytes)
          const got = `${batch.length} after ${deliveries.length}`
          expect(batch.length > 0, `${many.length} messages`, `the end after ${deliveries.length}`, 'Yield them all.')
          expect(batch.length <= max, `at most ${max} deliveries`, got, 'Keep the rest for the next call.')
          deliveries.push(...batch)
        }
        session.expectValues(deliveries, many)
        await session.expectEnd()
      }),

    'recvBatch passes `maxBytes` by one message at most': () =>
      withSource(options, few, async (session) => {
        if (session.source.recvBatch === undefined) return
        for (let received = 0; received < few.length;) {
          const maxBytes = received % 3 === 0 ? 1 : 200
          const batch = await session.recvBatch(few.length, maxBytes)
          const bytes = batch.slice(0, -1).reduce((sum, delivery) => sum + session.bytes(delivery).byteLength, 0)
          expect(batch.length > 0, `${few.length} messages`, `the end after ${received}`, 'Yield at least one.')
          expect(bytes <= maxBytes, `about ${maxBytes} bytes`, `${bytes} before the last`, 'Keep the rest back.')
          received += batch.length
        }
      }),

    'recv and recvBatch take from the same order': () =>
      withSource(options, few, async (session) => {
        const deliveries: Delivery<T>[] = []
        while (deliveries.length < few.length) {
          deliveries.push(...(await session.receive(1)))
          if (deliveries.length < few.length) deliveries.push(...(await session.recvBatch(2, plentyOfBytes)))
        }
        session.expectValues(deliveries, few)
      }),

    'a message has a key, a topic and sound headers, and ids differ': () =>
      withSource(options, few, async (session) => {
        const ids = new Set<string>()
        for (const { message, redelivered } of await session.receive(few.length)) {
          const { id, key, topic, headers = {} } = message
          expect(typeof key === 'string', 'a string as `key`', describe(key), "Use '' where there is none.")
          expect(typeof topic === 'string', 'a string as `topic`', describe(topic), 'Say where it came from.')
          for (const header of Object.values(headers)) {
            expect(typeof header === 'string', 'strings as headers', describe(header), 'Convert them.')
          }
          expect(
            redelivered === undefined || (Number.isSafeInteger(redelivered) && redelivered >= 0),
            'a count as `redelivered`',
            describe(redelivered),
            'Leave it out where it is not known.',
          )
          if (id === undefined) continue
          expect(
            typeof id === 'string' && !ids.has(id),
            'ids that differ',
            describe(id),
            'Name each message by its place.',
          )
          ids.add(id)
        }
      }),

    'lanes of one name are one object, and each says how it is acked': () =>
      withSource(options, few, async (session) => {
        const lanes = new Map<string, unknown>()
        for (const { lane } of await session.receive(few.length)) {
          if (lane === undefined) continue
          const known = lanes.get(lane.name) ?? lane
          expect(known === lane, `one lane '${lane.name}'`, 'two objects', 'Yield the same object for one partition.')
          const mode: unknown = lane.ackMode
          const sound = mode === 'cumulative' || mode === 'individual'
          expect(sound, "'cumulative' or 'individual' as `ackMode`", describe(mode), 'Name one.')
          lanes.set(lane.name, lane)
        }
      }),

    'values stay as they are while later ones are read': () =>
      withSource(options, many, async (session) => {
        const deliveries = await session.receive(10)
        const before = deliveries.map((delivery) => session.bytes(delivery))
        deliveries.push(...(await session.receive(many.length - 10)))
        for (const [index, value] of before.entries()) {
          const delivery = deliveries[index]
          const now = delivery === undefined ? undefined : session.bytes(delivery)
          const same = now !== undefined && Buffer.compare(now, value) === 0
          expect(same, show(value), show(now), 'Give each message bytes of its own (G10).')
        }
      }),

    'the largest value comes whole': async () => {
      const values = [...few.slice(0, 2), largeValue(options.maxValueBytes), ...few.slice(3)]
      await withSource(options, values, async (session) => {
        session.expectValues(await session.receive(values.length), values)
      })
    },

    'nothing is taken far ahead of recv': async () => {
      const { taken, maxReadAhead } = options
      if (taken === undefined) return
      await withSource(options, sampleValues(options.values, maxReadAhead + 1_000), async (session) => {
        for (const received of [1, 2]) {
          await session.receive(1)
          await setTimeout(20)
          const ahead = taken() - received
          expect(ahead <= maxReadAhead, `at most ${maxReadAhead} messages ahead`, `${ahead}`, 'Read when asked (G4).')
        }
      })
    },
  }
}
