import { describe, expect, it } from 'vitest'
import { Watchdog } from '../../../src/pool/watchdog.ts'
import { ProgressMark } from '../../../src/worker/progress-mark.ts'

const LIMIT = 100
const PERIOD = 10

/** A worker's mark, and a watchdog that looks at it every 10 ms. */
class Rig {
  readonly mark: ProgressMark
  readonly #watchdog: Watchdog
  #now = 0

  constructor(slots = 1) {
    this.mark = new ProgressMark(slots)
    this.#watchdog = new Watchdog(this.mark, LIMIT)
  }

  /** Looks now. */
  look(owes = true): unknown {
    return this.#watchdog.look(this.#now, owes)?.map(({ chunk, index }) => [chunk, index])
  }

  /** Looks for a while; what the last look found, where no earlier one found anything. */
  watch(ms: number, owes = true): unknown {
    let found: unknown
    for (const end = this.#now + ms; this.#now < end && found === undefined;) {
      this.#now += PERIOD
      found = this.look(owes)
    }
    return found
  }

  /** Time passes, and nobody looks. */
  pass(ms: number): void {
    this.#now += ms
  }
}

describe('Watchdog', () => {
  it('G5: finds the message that a worker is at for the whole limit, counted from the first look that saw it', () => {
    const rig = new Rig()
    rig.mark.begin(0, 7, 3)
    expect([rig.look(), rig.watch(LIMIT - PERIOD), rig.watch(PERIOD)]).toEqual([undefined, undefined, [[7, 3]]])
  })

  it('gives each message its own time', () => {
    const rig = new Rig()
    for (let index = 0; index < 20; index++) {
      rig.mark.begin(0, 1, index)
      expect(rig.watch(LIMIT - PERIOD)).toBeUndefined()
      rig.mark.end(0)
    }
  })

  it('tells the same index of two chunks apart', () => {
    const rig = new Rig()
    rig.mark.begin(0, 1, 0)
    rig.watch(LIMIT - PERIOD)
    rig.mark.end(0)
    rig.mark.begin(0, 2, 0)
    expect([rig.watch(LIMIT), rig.watch(PERIOD)]).toEqual([undefined, [[2, 0]]])
  })

  it('finds the slow one among handlers that run at once, where none holds the thread', () => {
    const rig = new Rig(2)
    rig.mark.begin(0, 1, 0)
    rig.mark.yielded()
    rig.watch(LIMIT / 2)
    rig.mark.begin(1, 1, 1)
    rig.mark.yielded()
    expect(rig.watch(LIMIT)).toEqual([[1, 0]])
  })

  it('blames the one that holds the thread for all that are overdue', () => {
    const rig = new Rig(2)
    rig.mark.begin(0, 1, 0)
    rig.mark.yielded()
    rig.mark.begin(1, 1, 1)
    expect(rig.watch(LIMIT * 2)).toEqual([[1, 1]])
  })

  it('blames nobody for the time in which the process was stopped', () => {
    const rig = new Rig()
    rig.mark.begin(0, 1, 0)
    rig.look()
    rig.pass(LIMIT * 100)
    expect(rig.look()).toBeUndefined()
    expect(rig.watch(LIMIT)).toEqual([[1, 0]])
  })

  it('finds a worker that owes and runs nothing, with nobody to blame', () => {
    const rig = new Rig()
    expect([rig.look(), rig.watch(LIMIT - PERIOD), rig.watch(PERIOD)]).toEqual([undefined, undefined, []])
  })

  it('lets a worker be that owes nothing', () => {
    expect(new Rig().watch(LIMIT * 5, false)).toBeUndefined()
  })

  it('lets a worker be that has handled something since', () => {
    const rig = new Rig()
    for (let index = 0; index < 5; index++) {
      expect(rig.watch(LIMIT - PERIOD)).toBeUndefined()
      rig.mark.begin(0, 1, index)
      rig.mark.end(0)
      expect(rig.look()).toBeUndefined()
    }
  })
})
