import { setTimeout } from 'node:timers/promises'
import { expect, within, type CheckBodies } from './check.ts'
import { sampleValues } from './sample-values.ts'
import type { ResolvedSourceChecks } from './source-check-options.ts'
import { withSource, type SourceSession } from './source-session.ts'

/** How a source ends: by itself, by an abort, by `close`. */
export function sourceEndChecks<T>(options: ResolvedSourceChecks<T>): CheckBodies {
  const values = sampleValues(options.values, 10)

  /** A recv that nobody waits for: it may resolve or reject as it likes, but not hang once the source is closed. */
  const leave = (session: SourceSession<T>): Promise<unknown> =>
    session.source.recv(session.intake.signal).catch(() => undefined)
  const hangs = '`recv`, after its signal aborted and `close` resolved,'

  return {
    'the end is told again and again': () =>
      withSource(options, values, async (session) => {
        await session.receive(values.length)
        if (!options.ends) return
        for (let times = 0; times < 3; times++) {
          await session.expectEnd()
          const batch = await session.recvBatch(10, 1_000)
          expect(batch.length === 0, '[] after the end', `${batch.length} deliveries`, 'Keep telling the end.')
        }
      }),

    'an empty far end is the end at once, and no error': () =>
      withSource(options, [], (session) => session.expectEnd()),

    'a recv whose signal had aborted before does not hang': async () => {
      const pending = await withSource(options, values, async (session) => {
        session.intake.abort()
        return [leave(session)]
      })
      await within(Promise.all(pending), options.timeoutMs, hangs)
    },

    'a recv whose signal aborts meanwhile does not hang': async () => {
      const pending = await withSource(options, values, async (session) => {
        await session.receive(values.length)
        const left = leave(session)
        await setTimeout(20)
        session.intake.abort()
        return [left]
      })
      await within(Promise.all(pending), options.timeoutMs, hangs)
    },

    'what was delivered before an abort can still be acked': () =>
      withSource(options, values, async (session) => {
        const deliveries = await session.receive(3)
        session.intake.abort()
        await session.ack(deliveries)
      }),

    'close resolves before the first recv': () => withSource(options, values, () => Promise.resolve()),

    'close resolves while messages are not acked': () =>
      withSource(options, values, (session) => session.receive(values.length - 1)),
  }
}
