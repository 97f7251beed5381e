import { describe, expect, it } from 'vitest'
import { AckLedger } from '../../../src/ack/ack-ledger.ts'
import { outcome } from '../../../src/ack/outcome.ts'

/** What is enumerated. */
interface Space {
  readonly messages: number
  readonly workers: number
  /** Messages arrive at any moment; otherwise a worker takes the next one as soon as it is free. */
  readonly arriveAnyTime: boolean
  /** Each output may be given up by the destination; otherwise each is durable in the end. */
  readonly mayGiveUp: boolean
}

/** What a handler may do with a message: make 0, 1 or 2 outputs, or fail. */
const FAILS = 3
const results = [0, 1, 2, FAILS] as const

/** A worker has the message. */
const HANDLED = -1

/** One schedule: which of the steps that are possible is taken, each time there is a choice. */
class Schedule {
  choices: number[] = []
  #widths: number[] = []
  #step = 0

  begin(): void {
    this.#step = 0
    this.#widths.length = 0
  }

  choose(width: number): number {
    const step = this.#step++
    this.#widths[step] = width
    if (step === this.choices.length) this.choices.push(0)
    return this.choices[step] as number
  }

  /** Goes on to the next schedule; false after the last one. */
  next(): boolean {
    for (let step = this.choices.length - 1; step >= 0; step--) {
      const choice = this.choices[step] as number
      if (choice + 1 < (this.#widths[step] as number)) {
        this.choices.length = step
        this.choices.push(choice + 1)
        return true
      }
    }
    return false
  }
}

/** A run of one schedule: workers, a destination and a source around a ledger, each as simple as can be. */
class Run {
  readonly #space: Space
  readonly #schedule: Schedule
  readonly #ledger: AckLedger<number>
  /** The sequence of the first message: a ledger is used for one schedule after the other, and its ring goes round. */
  readonly #base: number
  /** Of each message that arrived: `HANDLED`, or its outputs that are not settled. */
  readonly #owed: number[] = []
  readonly #worst: number[] = []
  #released = 0

  constructor(space: Space, schedule: Schedule, ledger: AckLedger<number>) {
    this.#space = space
    this.#schedule = schedule
    this.#ledger = ledger
    this.#base = ledger.tail
  }

  go(): void {
    if (!this.#space.arriveAnyTime) this.#dispatch()
    while (this.#step()) {
      this.#release()
      if (!this.#space.arriveAnyTime) this.#dispatch()
    }
    if (this.#released !== this.#space.messages) throw new Error('messages were left')
  }

  get #busy(): number {
    let busy = 0
    for (const owed of this.#owed) if (owed === HANDLED) busy++
    return busy
  }

  #arrive(): void {
    this.#ledger.open(this.#owed.length, 1, 0)
    this.#owed.push(HANDLED)
    this.#worst.push(outcome.open)
  }

  #dispatch(): void {
    while (this.#owed.length < this.#space.messages && this.#busy < this.#space.workers) this.#arrive()
  }

  /** Takes one of the steps that are possible; false where none is. */
  #step(): boolean {
    const { messages, workers, arriveAnyTime, mayGiveUp } = this.#space
    const mayArrive = arriveAnyTime && this.#owed.length < messages && this.#busy < workers
    const ends = mayGiveUp ? 2 : 1
    let width = mayArrive ? 1 : 0
    for (const owed of this.#owed) width += owed === HANDLED ? results.length : owed > 0 ? ends : 0
    if (width === 0) return false
    let choice = this.#schedule.choose(width)
    if (mayArrive && choice-- === 0) {
      this.#arrive()
      return true
    }
    for (let sequence = 0; sequence < this.#owed.length; sequence++) {
      const owed = this.#owed[sequence] as number
      const steps = owed === HANDLED ? results.length : owed > 0 ? ends : 0
      if (choice < steps) {
        if (owed === HANDLED) this.#handled(sequence, results[choice] as number)
        else this.#settled(sequence, choice === 0)
        return true
      }
      choice -= steps
    }
    return false
  }

  #handled(sequence: number, result: number): void {
    if (result === 0 || result === FAILS) this.#end(sequence, result === 0 ? outcome.filtered : outcome.dropped)
    else {
      this.#ledger.expect(this.#base + sequence, result)
      this.#owed[sequence] = result
    }
  }

  #settled(sequence: number, isDurable: boolean): void {
    const how = isDurable ? outcome.delivered : outcome.deadLettered
    this.#worst[sequence] = Math.max(this.#worst[sequence] as number, how)
    const owed = (this.#owed[sequence] = (this.#owed[sequence] as number) - 1)
    if (this.#ledger.pay(this.#base + sequence) !== (owed === 0)) throw new Error('pay() and the outputs do not agree')
    if (owed === 0) this.#end(sequence, this.#worst[sequence] as typeof how)
  }

  #end(sequence: number, how: Exclude<(typeof outcome)[keyof typeof outcome], 0>): void {
    this.#owed[sequence] = 0
    this.#worst[sequence] = how
    this.#ledger.settle(this.#base + sequence, how)
  }

  /** What is released is what follows, is settled, and is all that may be. */
  #release(): void {
    const release = this.#ledger.release(Infinity)
    for (const [index, sequence] of (release?.deliveries ?? []).entries()) {
      if (sequence !== this.#released) throw new Error(`G2: ${sequence} was released instead of ${this.#released}`)
      if (this.#owed[sequence] !== 0) throw new Error(`G1: ${sequence} was released before its outputs were settled`)
      if (release?.outcomes[index] !== this.#worst[sequence])
        throw new Error(`G9: the outcome of ${sequence} is not its worst`)
      this.#released++
    }
    if (this.#owed[this.#released] === 0) throw new Error(`G2: ${this.#released} is settled, and was not released`)
    if (this.#ledger.size !== this.#owed.length - this.#released)
      throw new Error('G9: received is not released and in flight')
  }
}

function schedulesOf(space: Space): number {
  const schedule = new Schedule()
  const ledger = new AckLedger<number>()
  let count = 0
  do {
    schedule.begin()
    try {
      new Run(space, schedule, ledger).go()
    } catch (error) {
      throw new Error(`schedule ${schedule.choices.join(' ')}`, { cause: error })
    }
    count++
  } while (schedule.next())
  return count
}

describe('AckLedger, every schedule', () => {
  const spaces: [messages: number, arriveAnyTime: boolean, mayGiveUp: boolean, schedules: number][] = [
    [1, false, false, 4],
    [2, false, false, 82],
    [3, false, false, 6_252],
    [4, false, false, 961_038],
    [1, true, false, 4],
    [2, true, false, 142],
    [3, true, false, 21_540],
    [1, false, true, 8],
    [2, false, true, 600],
    [3, false, true, 193_296],
  ]

  it.each(spaces)(
    'G1, G2, G9: releases the settled prefix, each once, with its worst outcome: %i messages, 3 workers, arriving at any time %s, outputs given up %s',
    (messages, arriveAnyTime, mayGiveUp, schedules) => {
      expect(schedulesOf({ messages, workers: 3, arriveAnyTime, mayGiveUp })).toBe(schedules)
    },
    60_000,
  )
})
