import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { outcome } from '../../../src/ack/outcome.ts'
import type { Destination, Settlement } from '../../../src/destination.ts'
import { type ErrorCode, MillraceError } from '../../../src/errors.ts'
import type { Message } from '../../../src/message.ts'
import type { DeadLetter, Stage } from '../../../src/processor/dead-letter.ts'
import { DeadLetters } from '../../../src/processor/dead-letters.ts'
import { Failures } from '../../../src/processor/failures.ts'
import type { LaneState } from '../../../src/processor/lane-state.ts'
import type { ResolvedErrorPolicy } from '../../../src/processor/resolve-options.ts'
import { deliveryOf, laneOf, RecordingHub } from './support.ts'

/** A policy with a message to apply it to, and what came of it. */
class Rig {
  readonly hub = new RecordingHub()
  readonly lane: LaneState
  readonly log: string[] = []
  readonly letters: Message<DeadLetter>[] = []
  readonly failures: Failures

  constructor(policy: Partial<ResolvedErrorPolicy>, lane = laneOf()) {
    this.lane = lane
    const destination: Destination<DeadLetter> = {
      send: (messages: readonly Message<DeadLetter>[], _settlement: Settlement) => {
        this.letters.push(...messages)
      },
    }
    const { signal } = new AbortController()
    const deadLetters = new DeadLetters(
      destination,
      this.hub,
      signal,
      () => {},
      () => {},
    )
    const complete = { attempts: 1, backoffMs: 100, maxDeliveries: Infinity, then: 'stop', ...policy } as const
    this.failures = new Failures(complete, deadLetters, this.hub, {
      onRetry: (_lane, sequence) => this.log.push(`retry ${sequence}`),
      onConcluded: (_lane, sequence) => this.log.push(`concluded ${sequence}`),
      onNoOutputs: (_lane, sequence) => this.log.push(`no outputs ${sequence}`),
    })
  }

  /** A message in the worker. */
  open(nack: (() => void) | undefined = () => {}): number {
    const headers = { h: '1' }
    const { message } = deliveryOf(`m${this.lane.ledger.tail}`)
    const delivery = { message: { ...message, headers }, ack: () => {}, ...(nack === undefined ? {} : { nack }) }
    return this.lane.ledger.open(delivery, 1, 0)
  }

  fail(sequence: number, workerEnded = false, code: ErrorCode = 'MR_HANDLER_THREW', stage: Stage = 'handle'): void {
    this.failures.attemptFailed(this.lane, sequence, stage, errorOf(code), workerEnded)
  }

  get outcomes(): number[] {
    return [...(this.lane.ledger.release(100)?.outcomes ?? [])]
  }
}

function errorOf(code: ErrorCode, cause?: Error): MillraceError {
  return new MillraceError(code, `it failed with ${code}`, cause === undefined ? undefined : { cause })
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('the error policy, for a message that fails in a worker', () => {
  it("'stop' is fatal, names the message, and leaves it unacked", () => {
    const rig = new Rig({ then: 'stop' })
    rig.fail(rig.open())
    expect(rig.hub.codes).toEqual(['MR_MESSAGE_FAILED'])
    expect(rig.hub.errors[0]?.message).toMatch(/Message m0 failed at the stage 'handle' and stays unacked.*it failed/su)
    expect(rig.hub.errors[0]?.cause).toMatchObject({ code: 'MR_HANDLER_THREW' })
    expect([rig.lane.ledger.isOpen(0), rig.log]).toEqual([true, []])
  })

  it("G1: 'drop' settles it as dropped, and says so", () => {
    const rig = new Rig({ then: 'drop' })
    rig.fail(rig.open())
    expect(rig.log).toEqual(['no outputs 0', 'concluded 0'])
    expect(rig.hub.events).toMatchObject([{ type: 'drop', id: 'm0', stage: 'handle' }])
    expect([rig.outcomes, rig.lane.troubles.size]).toEqual([[outcome.dropped], 0])
  })

  it("'nack' settles it as nacked, and keeps the reason for the source", () => {
    const rig = new Rig({ then: 'nack' })
    rig.fail(rig.open())
    expect(rig.log).toEqual(['no outputs 0', 'concluded 0'])
    expect(rig.hub.events).toMatchObject([{ type: 'nack', id: 'm0' }])
    expect(rig.lane.troubles.get(0)?.error.code).toBe('MR_HANDLER_THREW')
    expect(rig.outcomes).toEqual([outcome.nacked])
  })

  it.each([
    ['the lane is cumulative', 'cumulative', () => {}],
    ['the delivery has no nack', 'individual', undefined],
  ] as const)("'nack' is refused, fatally, where %s", (_, ackMode, nack) => {
    const rig = new Rig({ then: 'nack' }, laneOf('orders', ackMode))
    const sequence = nack === undefined ? rig.lane.ledger.open(deliveryOf('m0'), 1, 0) : rig.open(nack)
    rig.fail(sequence)
    expect(rig.hub.codes).toEqual(['MR_NACK_REFUSED'])
    expect(rig.hub.errors[0]?.message).toMatch(/lane "orders"/u)
    expect([rig.lane.ledger.isOpen(0), rig.log]).toEqual([true, []])
  })

  it("G1: 'deadLetter' writes the message as received, with its story, and leaves it open until that is durable", () => {
    const rig = new Rig({ then: 'deadLetter' })
    const thrown = Object.assign(new TypeError('the reason'), { code: 'E_BAD' })
    rig.failures.attemptFailed(rig.lane, rig.open(), 'decode', errorOf('MR_DECODE', thrown), false)
    expect(rig.log).toEqual(['no outputs 0'])
    expect(rig.hub.events).toMatchObject([{ type: 'deadLetter', id: 'm0', stage: 'decode' }])
    const fields = { id: 'm0', key: 'key m0', topic: 'test', headers: { h: '1' } }
    expect(rig.letters).toMatchObject([{ ...fields, value: { ...fields, value: 'm0', stage: 'decode', attempts: 1 } }])
    expect(rig.letters[0]?.value.error).toMatchObject({ name: 'TypeError', message: 'the reason', code: 'E_BAD' })
    expect(rig.letters[0]?.value.time).toBe(new Date().toISOString())
    expect(rig.letters[0]?.value).not.toHaveProperty('outputs')
    expect(rig.lane.ledger.isOpen(0)).toBe(true)
  })
})

describe('attempts', () => {
  it('are made as often as the policy says, ever further apart, and told', () => {
    const rig = new Rig({ attempts: 4, backoffMs: 100, then: 'drop' })
    const sequence = rig.open()
    const waits: number[] = []
    for (let attempt = 1; attempt < 4; attempt++) {
      rig.fail(sequence)
      const before = Date.now()
      vi.advanceTimersToNextTimer()
      waits.push(Date.now() - before)
      expect(rig.log).toHaveLength(attempt)
    }
    expect([waits, new Set(rig.log)]).toEqual([[100, 200, 400], new Set(['retry 0'])])
    expect(rig.hub.events.map((event) => (event.type === 'retry' ? [event.attempt, event.delayMs] : []))).toEqual([
      [2, 100],
      [3, 200],
      [4, 400],
    ])
    rig.fail(sequence)
    expect(rig.outcomes).toEqual([outcome.dropped])
  })

  it('wait no longer than 5 s', () => {
    const rig = new Rig({ attempts: 100, backoffMs: 4_000 })
    const sequence = rig.open()
    for (let attempt = 0; attempt < 5; attempt++) rig.fail(sequence)
    expect(rig.hub.events.map((event) => event.type === 'retry' && event.delayMs)).toEqual([
      4_000, 5_000, 5_000, 5_000, 5_000,
    ])
  })

  it('G5: are three at least where the worker ended, since an innocent may be hit', () => {
    const rig = new Rig({ attempts: 1, then: 'drop' })
    const sequence = rig.open()
    rig.fail(sequence, true, 'MR_WORKER_EXIT')
    rig.fail(sequence, true, 'MR_WORKER_EXIT')
    expect(rig.lane.ledger.isOpen(sequence)).toBe(true)
    rig.fail(sequence, true, 'MR_WORKER_EXIT')
    expect(rig.outcomes).toEqual([outcome.dropped])
  })

  it('count across kinds of failure: a throw after two crashes is the last one', () => {
    const rig = new Rig({ attempts: 1, then: 'deadLetter' })
    const sequence = rig.open()
    rig.fail(sequence, true, 'MR_WORKER_EXIT')
    rig.fail(sequence)
    expect(rig.letters[0]?.value).toMatchObject({ attempts: 2, stage: 'handle' })
    expect(rig.letters[0]?.value.error.code).toBe('MR_HANDLER_THREW')
  })

  it.each(['the run is over', 'they are forgotten'])('do not come any more once %s', (why) => {
    const rig = new Rig({ attempts: 2 })
    rig.fail(rig.open())
    if (why === 'the run is over') rig.hub.isHalted = true
    else rig.failures.close()
    vi.runAllTimers()
    expect([rig.log, vi.getTimerCount()]).toEqual([[], 0])
  })

  it('are none for what is not handled at all', () => {
    const rig = new Rig({ attempts: 5, then: 'deadLetter' })
    rig.failures.refused(rig.lane, rig.open(), 'size', errorOf('MR_MESSAGE_TOO_LARGE'))
    expect(rig.letters[0]?.value).toMatchObject({ attempts: 0, stage: 'size' })
    expect(rig.log).toEqual(['no outputs 0'])
  })
})

function failOutputs(
  rig: Rig,
  sequence: number,
  outputs: readonly number[],
  code: ErrorCode = 'MR_FLUSH_FAILED',
): void {
  for (const output of outputs) rig.failures.outputFailed(rig.lane, sequence, output, errorOf(code))
}

describe('the error policy, for outputs that the destination gave up', () => {
  it('waits until all are settled, then writes one letter with all that failed, in order', () => {
    const rig = new Rig({ then: 'deadLetter' })
    const sequence = rig.open()
    failOutputs(rig, sequence, [4, 0, 2])
    expect(rig.letters).toEqual([])
    rig.failures.giveUp(rig.lane, sequence)
    expect(rig.letters).toHaveLength(1)
    expect(rig.letters[0]?.value).toMatchObject({ value: 'm0', stage: 'flush', attempts: 1, outputs: [0, 2, 4] })
    // Its outputs were sent: nothing waits for it.
    expect(rig.log).toEqual([])
  })

  it("is 'stop' at once", () => {
    const rig = new Rig({ then: 'stop' })
    failOutputs(rig, rig.open(), [1])
    expect(rig.hub.codes).toEqual(['MR_MESSAGE_FAILED'])
  })

  it('has the stage route where no branch took the output', () => {
    const rig = new Rig({ then: 'deadLetter' })
    const sequence = rig.open()
    failOutputs(rig, sequence, [0], 'MR_ROUTE_UNMATCHED')
    rig.failures.giveUp(rig.lane, sequence)
    expect(rig.letters[0]?.value.stage).toBe('route')
  })

  it.each([
    ['drop', outcome.dropped],
    ['nack', outcome.nacked],
  ] as const)('G9: %s settles the message with its worst outcome', (then, how) => {
    const rig = new Rig({ then })
    const sequence = rig.open()
    failOutputs(rig, sequence, [0])
    rig.failures.giveUp(rig.lane, sequence)
    expect([rig.log, rig.outcomes]).toEqual([['concluded 0'], [how]])
  })
})
