import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { outcome } from '../../../src/ack/outcome.ts'
import type { DeadLetters } from '../../../src/processor/dead-letters.ts'
import type { LaneState } from '../../../src/processor/lane-state.ts'
import { Lanes } from '../../../src/processor/lanes.ts'
import { StallGuard } from '../../../src/processor/stall-guard.ts'
import { deliveryOf, RecordingHub } from './support.ts'

const WINDOW = 8

/** A window, its lanes, and how often the destinations were told to flush. */
class Rig {
  readonly lanes = new Lanes('cumulative', WINDOW, new RecordingHub())
  readonly deadLetters = { unwritten: 0 }
  flushes = 0
  readonly guard = new StallGuard(this.lanes, this.deadLetters as DeadLetters, () => {
    this.flushes++
  })

  /** A lane with these many messages, the first so many of which are with the destination. */
  lane(name: string, messages: number, withDestination: number): LaneState {
    const state = this.lanes.of({ name, ackMode: 'cumulative' })
    for (let index = 0; index < messages; index++) {
      const sequence = state.ledger.open(deliveryOf(`${name}${index}`), 1, index)
      if (index < withDestination) state.ledger.expect(sequence, 1)
    }
    this.lanes.received(state)
    return state
  }
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('StallGuard', () => {
  it('G4: flushes at once where a full window waits for the destination, and most of it is behind the workers', () => {
    const rig = new Rig()
    rig.lane('a', WINDOW, WINDOW)
    rig.guard.check(true, WINDOW, 0)
    expect([rig.flushes, vi.getTimerCount()]).toEqual([1, 0])
  })

  it('G4: flushes a moment later where the workers are still at most of it, since the batch then fills by itself', () => {
    const rig = new Rig()
    rig.lane('a', WINDOW, 1)
    for (let again = 0; again < 5; again++) rig.guard.check(true, WINDOW, WINDOW - 1)
    expect([rig.flushes, vi.getTimerCount()]).toEqual([0, 1])
    vi.advanceTimersByTime(10)
    expect([rig.flushes, vi.getTimerCount()]).toEqual([1, 0])
  })

  it('lets a window be that is not full', () => {
    const rig = new Rig()
    rig.lane('a', WINDOW, WINDOW)
    rig.guard.check(false, WINDOW, 0)
    expect([rig.flushes, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('lets a full window be whose oldest message a worker has: a flush would make no room', () => {
    const rig = new Rig()
    const lane = rig.lane('a', WINDOW, 0)
    lane.ledger.expect(1, 1)
    rig.guard.check(true, WINDOW, 1)
    expect([rig.flushes, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('stops waiting once the window has room', () => {
    const rig = new Rig()
    rig.lane('a', WINDOW, 1)
    rig.guard.check(true, WINDOW, WINDOW)
    rig.guard.check(false, WINDOW, WINDOW)
    vi.advanceTimersByTime(1_000)
    expect(rig.flushes).toBe(0)
  })

  it('stops waiting when it is closed', () => {
    const rig = new Rig()
    rig.lane('a', WINDOW, 1)
    rig.guard.check(true, WINDOW, WINDOW)
    rig.guard.close()
    vi.advanceTimersByTime(1_000)
    expect([rig.flushes, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('G4: flushes where the oldest message is a dead letter that is not written', () => {
    const rig = new Rig()
    const lane = rig.lane('a', WINDOW, 0)
    lane.troubles.set(0, { attempts: 1, stage: 'handle', error: undefined as never, outputs: [] })
    rig.guard.check(true, WINDOW, 0)
    expect(rig.flushes).toBe(0)
    rig.deadLetters.unwritten = 1
    rig.guard.check(true, WINDOW, 0)
    expect(rig.flushes).toBe(1)
  })

  it('G2, G4: flushes for a lane that is paused at half of the window, though the window has room', () => {
    const rig = new Rig()
    rig.lane('a', 1, 0)
    const paused = rig.lane('b', WINDOW / 2, WINDOW / 2)
    expect([rig.lanes.areSeveral, paused.isPaused]).toEqual([true, true])
    rig.guard.check(false, WINDOW, 0)
    expect(rig.flushes).toBe(1)
  })

  it('lets several lanes be while none is paused', () => {
    const rig = new Rig()
    rig.lane('a', 1, 1)
    rig.lane('b', 2, 2)
    rig.guard.check(false, WINDOW, 0)
    expect([rig.flushes, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('lets a window be that is empty by now', () => {
    const rig = new Rig()
    const lane = rig.lane('a', 1, 0)
    lane.ledger.settle(0, outcome.filtered)
    lane.ledger.release(1)
    rig.lanes.released(lane)
    rig.guard.check(true, WINDOW, 0)
    expect(rig.flushes).toBe(0)
  })
})
