import { setTimeout } from 'node:timers/promises'
import { check, expect, within, type Check, type CheckBodies } from './check.ts'
import { resolveDestinationChecks, type DestinationChecksOptions } from './destination-check-options.ts'
import type { ResolvedDestinationChecks } from './destination-check-options.ts'
import { withDestination } from './destination-session.ts'
import { largeValue, sampleValues } from './sample-values.ts'

/** How long what must not happen is waited for. */
const quietMs = 50
/** How long a `send` may take before it counts as waiting for room. */
const stalledMs = 250
/** Messages of one `send` in the check of back-pressure. */
const sendSize = 100

/**
 * What every destination owes its processor, as checks for any test runner. Each creates a destination of its own, runs it
 * as a processor would, and closes it.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` here; a check's `run` rejects with `MR_CONFORMANCE`.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { batch } from 'millrace'
 * import { destinationChecks } from 'millrace/testing'
 *
 * let stored: Uint8Array[] = []
 * const create = () => {
 *   stored = []
 *   return batch<Uint8Array>(async (messages) => {
 *     for (const { value } of messages) stored.push(value.slice())
 *   }, { periodMs: 60_000 })
 * }
 * for (const check of destinationChecks({ create, received: () => stored })) test(check.name, check.run)
 * ```
 */
export function destinationChecks<T = Uint8Array>(options: DestinationChecksOptions<T>): readonly Check[] {
  const resolved = resolveDestinationChecks(options)
  const groups = [durabilityChecks(resolved), flushChecks(resolved), pressureChecks(resolved)]
  return groups.flatMap((group) => Object.entries(group).map(([name, body]) => check(name, body)))
}

/** What arrives, and when it is acked. */
function durabilityChecks<T>(options: ResolvedDestinationChecks<T>): CheckBodies {
  const values = sampleValues(options.values, 20)

  return {
    'messages arrive once, in order, byte for byte': async () => {
      const session = await withDestination(options, async (session) => {
        for (let from = 0, size = 1; from < values.length; from += size, size++) {
          await session.sendAndWait(values.slice(from, from + size))
        }
        await session.flushed()
      })
      await session.expectReceived()
    },

    'many messages in one send, and many sends of one message': async () => {
      const many = sampleValues(options.values, 1_500)
      const session = await withDestination(options, async (session) => {
        await session.sendAndWait(many.slice(0, 1_000))
        for (const value of many.slice(1_000)) await session.sendAndWait([value])
        await session.flushed()
      })
      await session.expectReceived()
    },

    'the largest value arrives whole': async () => {
      const session = await withDestination(options, async (session) => {
        await session.sendAndWait([...values.slice(0, 2), largeValue(options.maxValueBytes), ...values.slice(3)])
        await session.flushed()
      })
      await session.expectReceived()
    },

    'an ack means durable': () =>
      withDestination(options, async (session) => {
        const release = options.hold?.()
        try {
          const sending = session.send(values)
          session.destination.flush?.()
          if (release !== undefined) {
            await setTimeout(quietMs)
            expect(session.acked === 0, 'no ack while the far end is held', `${session.acked}`, 'Wait for it (G1).')
          }
          release?.()
          await within(sending, options.timeoutMs, '`send`')
        } finally {
          release?.()
        }
        await session.flushed()
        await session.expectAckedReceived()
      }),

    'an empty send settles nothing': async () => {
      const session = await withDestination(options, async (session) => {
        await session.sendAndWait([])
        session.destination.flush?.()
        await setTimeout(quietMs)
        await session.sendAndWait(values)
        await session.flushed()
        await session.sendAndWait([])
      })
      await session.expectReceived()
    },

    'a value is not read after it was settled': async () => {
      const session = await withDestination(options, async (session) => {
        await session.sendAndWait(values.slice(0, 10))
        await session.flushed()
        await session.sendAndWait(values.slice(10))
        await session.flushed()
      })
      await session.expectReceived()
    },
  }
}

/** What `flush` and `close` do. */
function flushChecks<T>(options: ResolvedDestinationChecks<T>): CheckBodies {
  const values = sampleValues(options.values, 9)

  return {
    'flush hands over what is held back, again and again': async () => {
      const session = await withDestination(options, async (session) => {
        for (let from = 0; from < values.length; from += 3) {
          await session.sendAndWait(values.slice(from, from + 3))
          await session.flushed()
        }
      })
      await session.expectReceived()
    },

    'flush with nothing held back does nothing': () =>
      withDestination(options, async (session) => {
        session.destination.flush?.()
        session.destination.flush?.()
        await setTimeout(quietMs)
        expect(session.settlements === 0, 'no settlement', `${session.settlements}`, 'Nothing was sent.')
      }),

    'close without a flush acks nothing that is not durable, and nothing afterwards': async () => {
      const session = await withDestination(options, (session) => session.sendAndWait(values))
      const { settlements } = session
      await session.expectAckedReceived()
      await setTimeout(quietMs)
      const later = session.settlements - settlements
      expect(later === 0, 'no settlement after `close` resolved', `${later}`, 'Let `close` wait for what is running.')
    },

    'close resolves when nothing was sent': () => withDestination(options, () => Promise.resolve()),
  }
}

/** What a far end that is slow does to `send`. */
function pressureChecks<T>(options: ResolvedDestinationChecks<T>): CheckBodies {
  const { hold, maxHeld } = options
  if (hold === undefined) return {}

  return {
    'send waits while the far end is slow, and everything arrives': async () => {
      const values = sampleValues(options.values, maxHeld + 2 * sendSize)
      const session = await withDestination(options, async (session) => {
        const release = hold()
        let taken = 0
        try {
          let waits = false
          let sending = Promise.resolve()
          while (!waits && taken < values.length) {
            sending = session.send(values.slice(taken, taken + sendSize))
            sending.catch(() => {})
            taken += sendSize
            waits = (await Promise.race([sending, setTimeout(stalledMs, true)])) === true
          }
          expect(
            waits,
            `\`send\` to wait by ${maxHeld} messages`,
            `${taken} taken`,
            'Resolve it when there is room (G4).',
          )
          release()
          await within(sending, options.timeoutMs, '`send`')
        } finally {
          release()
        }
        await session.flushed()
      })
      await session.expectReceived()
    },

    'an abort leaves nothing acked that is not durable, and close resolves': async () => {
      const release = hold()
      try {
        const session = await withDestination(options, async (session) => {
          const sending = session.send(sampleValues(options.values, sendSize)).catch(() => {})
          session.destination.flush?.()
          await setTimeout(quietMs)
          session.drain.abort()
          release()
          await within(sending, options.timeoutMs, '`send`, after its signal aborted,')
        })
        await session.expectAckedReceived()
      } finally {
        release()
      }
    },
  }
}
