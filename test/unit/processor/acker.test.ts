import { describe, expect, it } from 'vitest'
import { outcome } from '../../../src/ack/outcome.ts'
import { Account } from '../../../src/processor/account.ts'
import { Acker } from '../../../src/processor/acker.ts'
import type { LaneState } from '../../../src/processor/lane-state.ts'
import { Window } from '../../../src/processor/window.ts'
import { MillraceError } from '../../../src/errors.ts'
import type { Delivery, Source } from '../../../src/source.ts'
import { gate, type Gate, laneOf, open, RecordingHub, settleAll, settled } from './support.ts'

interface Rig {
  readonly acker: Acker
  readonly account: Account
  readonly window: Window
  readonly hub: RecordingHub
  readonly released: LaneState[]
}

function rig(maxInFlight = 100, source: Partial<Source<unknown>> = {}): Rig {
  const account = new Account()
  const window = new Window(maxInFlight, 1_000_000)
  const hub = new RecordingHub()
  const released: LaneState[] = []
  const whole: Source<unknown> = { recv: () => Promise.resolve(undefined), ...source }
  const acker = new Acker(whole, account, window, hub, (lane) => released.push(lane))
  return { acker, account, window, hub, released }
}

/** Opens and settles messages whose acks wait; what they wait for comes back. */
function slowAcks({ account, window }: Rig, lane: LaneState, count: number): { log: string[]; gates: Gate[] } {
  const gates: Gate[] = []
  const log: string[] = []
  open(lane, count, log, () => {
    const waiting = gate()
    gates.push(waiting)
    return waiting.promise
  })
  account.received += count
  window.messages += count
  settleAll(lane)
  return { log, gates }
}

describe('Acker', () => {
  it('G2: hands the settled prefix to the source, in order and once', () => {
    const { acker } = rig()
    const lane = laneOf()
    const log = open(lane, 4)
    lane.ledger.settle(2, outcome.delivered)
    acker.release(lane)
    expect(log).toEqual([])
    lane.ledger.settle(0, outcome.delivered)
    lane.ledger.settle(1, outcome.filtered)
    acker.release(lane)
    acker.release(lane)
    expect(log).toEqual(['ack a0', 'ack a1', 'ack a2'])
  })

  it('G4: makes room in the window, in messages and in bytes', () => {
    const { acker, window, account, released } = rig()
    const lane = laneOf()
    open(lane, 3)
    Object.assign(window, { messages: 3, bytes: 3 })
    account.received = 3
    settleAll(lane)
    acker.release(lane)
    expect([window.messages, window.bytes, account.inFlight]).toEqual([0, 0, 0])
    expect(released).toContain(lane)
  })

  it('G2: hands runs to ackBatch, with the source as `this`, and nacks one by one between them', () => {
    const batches: string[][] = []
    const source = {
      recv: () => Promise.resolve(undefined),
      isHere: true,
      ackBatch(deliveries: readonly Delivery<unknown>[]) {
        expect(this.isHere).toBe(true)
        batches.push(deliveries.map(({ message }) => String(message.id)))
      },
    }
    const acker = new Acker(source, new Account(), new Window(100, 100), new RecordingHub(), () => {})
    const lane = laneOf()
    const log = open(lane, 5)
    lane.ledger.settle(2, outcome.nacked)
    lane.troubles.set(2, { attempts: 1, stage: 'handle', error: new MillraceError('MR_ABORTED', 'why'), outputs: [] })
    settleAll(lane)
    acker.release(lane)
    expect(batches).toEqual([
      ['a0', 'a1'],
      ['a3', 'a4'],
    ])
    expect(log).toEqual(['nack a2 why'])
    expect(lane.troubles.size).toBe(0)
  })

  it('G2: keeps the lanes apart', () => {
    const { acker } = rig()
    const [one, other] = [laneOf('a'), laneOf('b')]
    const log = open(one, 1)
    open(other, 1, log)
    settleAll(other)
    for (const lane of [one, other]) acker.release(lane)
    expect(log).toEqual(['ack b0'])
  })

  it('G2: keeps the order where an ack settles a message further on', () => {
    const { acker } = rig()
    const lane = laneOf()
    const log = open(lane, 3, [], (id) => {
      if (id === 'a0') lane.ledger.settle(2, outcome.delivered)
      acker.release(lane)
    })
    for (const sequence of [0, 1]) lane.ledger.settle(sequence, outcome.delivered)
    acker.release(lane)
    expect(log).toEqual(['ack a0', 'ack a1', 'ack a2'])
  })
})

describe('Acker, where acks take their time', () => {
  it('G2: has at most maxInFlight pending, goes on as they resolve, and never spins', async () => {
    const given = rig(3)
    const lane = laneOf()
    const { log, gates } = slowAcks(given, lane, 8)
    given.acker.release(lane)
    expect([log.length, given.acker.pending]).toEqual([3, 3])
    gates[1]?.open()
    await settled()
    expect([log.length, given.acker.pending]).toEqual([4, 3])
    for (let next = 0; next < 8; next++) {
      gates[next]?.open()
      await settled()
      expect(given.acker.pending).toBeLessThanOrEqual(3)
    }
    expect(log).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((index) => `ack a${index}`))
    expect([given.acker.pending, given.account.inFlight]).toEqual([0, 0])
  })

  it('G2: lets every lane that was held go on, also where the first of them takes all the room', async () => {
    const given = rig(2)
    const [one, other] = [laneOf('a'), laneOf('b')]
    const first = slowAcks(given, one, 5)
    const second = slowAcks(given, other, 5)
    given.acker.release(one)
    given.acker.release(other)
    for (let round = 0; round < 30; round++) {
      for (const { open } of [...first.gates, ...second.gates]) open()
      await settled()
    }
    expect([first.log.length, second.log.length, given.acker.pending]).toEqual([5, 5, 0])
  })

  it('G6: says when none is pending any more', async () => {
    const given = rig()
    const lane = laneOf()
    const { gates } = slowAcks(given, lane, 2)
    await given.acker.whenIdle()
    given.acker.release(lane)
    let isIdle = false
    const idle = given.acker.whenIdle().then(() => {
      isIdle = true
    })
    gates[0]?.open()
    await settled()
    expect(isIdle).toBe(false)
    gates[1]?.open()
    await idle
    expect(isIdle).toBe(true)
  })

  it('hands over nothing once it is closed', () => {
    const { acker } = rig()
    const lane = laneOf()
    const log = open(lane, 1)
    settleAll(lane)
    acker.close()
    acker.release(lane)
    expect(log).toEqual([])
  })
})

function refuse(): never {
  throw new Error('no nack')
}

describe('Acker, where an ack fails', () => {
  const failures: [how: string, ack: () => void | Promise<void>][] = [
    [
      'throws',
      () => {
        throw new Error('refused')
      },
    ],
    ['rejects', () => Promise.reject(new Error('refused'))],
  ]

  it.each(failures)(
    'G2, G9: is fatal where it %s; its message and those behind it are in flight again',
    async (_, fail) => {
      const { acker, account, window, hub } = rig()
      const lane = laneOf()
      const log = open(lane, 4, [], (id) => (id === 'a1' ? fail() : undefined))
      account.received = 5
      window.messages = 5
      for (const sequence of [0, 1, 2]) lane.ledger.settle(sequence, outcome.delivered)
      acker.release(lane)
      await settled()
      lane.ledger.settle(3, outcome.delivered)
      acker.release(lane)
      expect(hub.codes).toEqual(['MR_ACK_FAILED'])
      expect(hub.errors[0]?.message).toMatch(/lane "a": refused\. Its messages may come again/u)
      expect(hub.errors[0]?.cause).toMatchObject({ message: 'refused' })
      expect(log).not.toContain('ack a3')
      // What was called before the failure was known stays acked.
      const acked = log.length - 1
      expect(account.summary(0)).toMatchObject({ received: 5, acked, delivered: acked })
      expect([account.inFlight, window.messages]).toEqual([5 - acked, 5 - acked])
    },
  )

  it('G2: stops its lane alone', async () => {
    const { acker, hub } = rig()
    const [one, other] = [laneOf('a'), laneOf('b')]
    const log = open(one, 1, [], () => Promise.reject(new Error('no')))
    open(other, 1, log)
    settleAll(one)
    settleAll(other)
    acker.release(one)
    await settled()
    acker.release(other)
    expect([one.isClosed, other.isClosed, hub.codes]).toEqual([true, false, ['MR_ACK_FAILED']])
    expect(log).toEqual(['ack a0', 'ack b0'])
  })

  it('G2, G9: takes a whole run back where ackBatch rejects', async () => {
    const { acker, account, window, hub } = rig(100, { ackBatch: () => Promise.reject(new Error('gone')) })
    const lane = laneOf()
    open(lane, 3)
    account.received = 3
    window.messages = 3
    settleAll(lane)
    acker.release(lane)
    expect(account.inFlight).toBe(0)
    await settled()
    expect([account.inFlight, window.messages, acker.pending]).toEqual([3, 3, 0])
    expect(hub.codes).toEqual(['MR_ACK_FAILED'])
  })

  it('G2: takes a nack that throws as it takes an ack that does', () => {
    const { acker, hub, account } = rig()
    const lane = laneOf()
    lane.ledger.open({ message: { key: '', topic: '', value: 0 }, ack: () => {}, nack: refuse }, 1, 0)
    account.received = 1
    lane.ledger.settle(0, outcome.nacked)
    acker.release(lane)
    expect([hub.codes, account.inFlight, account.summary(0).nacked]).toEqual([['MR_ACK_FAILED'], 1, 0])
  })
})
