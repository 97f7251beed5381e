import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { outcome } from '../../../src/ack/outcome.ts'
import { Account } from '../../../src/processor/account.ts'

describe('Account', () => {
  it('G9: counts each outcome in its column', () => {
    const account = new Account()
    account.received = 8
    const { delivered, filtered, dropped, deadLettered, nacked } = outcome
    account.release(Uint8Array.of(delivered, delivered, filtered, dropped, deadLettered, deadLettered, nacked))
    account.emitted = 3
    expect(account.summary(1.5)).toEqual({
      received: 8,
      acked: 6,
      nacked: 1,
      delivered: 2,
      filtered: 1,
      dropped: 1,
      deadLettered: 2,
      emitted: 3,
      seconds: 1.5,
    })
    expect(account.inFlight).toBe(1)
  })

  it('G9: balances at every moment, with failed acks taken back', () => {
    const outcomes = fc.array(fc.integer({ min: outcome.delivered, max: outcome.nacked }), { maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.tuple(outcomes, fc.boolean()), { maxLength: 20 }), (releases) => {
        const account = new Account()
        let inFlight = 0
        for (const [released, fails] of releases) {
          account.received += released.length
          account.release(Uint8Array.from(released))
          if (fails) {
            account.undo(Uint8Array.from(released))
            inFlight += released.length
          }
          const { received, acked, nacked, delivered, filtered, dropped, deadLettered } = account.summary(0)
          expect(received).toBe(acked + nacked + account.inFlight)
          expect(acked).toBe(delivered + filtered + dropped + deadLettered)
          expect(account.inFlight).toBe(inFlight)
        }
      }),
    )
  })
})
