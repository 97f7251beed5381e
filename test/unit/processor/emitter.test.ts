import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Settlement } from '../../../src/destination.ts'
import type { Message } from '../../../src/message.ts'
import { Emitter } from '../../../src/processor/emitter.ts'
import type { LaneState } from '../../../src/processor/lane-state.ts'
import { Sender } from '../../../src/processor/sender.ts'
import { gate, type Gate, laneOf, open, pieceOf, RecordingHub, settled } from './support.ts'

/** An emitter before a destination that notes what it is sent, and may take its time. */
class Rig {
  readonly hub = new RecordingHub()
  readonly sends: { readonly ids: string[]; readonly settlement: Settlement }[] = []
  readonly emitter: Emitter
  wait: Gate | undefined
  isSending = false

  constructor(ordering: 'source' | 'none') {
    const send = async (messages: readonly Message<never>[], settlement: Settlement): Promise<void> => {
      expect(this.isSending).toBe(false)
      this.isSending = true
      this.sends.push({ ids: messages.map(({ id }) => String(id)), settlement })
      await this.wait?.promise
      this.isSending = false
    }
    const slow = {
      send: (...[messages, settlement]: Parameters<typeof send>) => this.#maybe(send, messages, settlement),
    }
    const { signal } = new AbortController()
    const sender = new Sender(slow, 'destination', this.hub, signal, () => {})
    this.emitter = new Emitter(ordering, sender, { onSettled: () => {} })
  }

  #maybe(
    send: (messages: readonly Message<never>[], settlement: Settlement) => Promise<void>,
    messages: readonly Message<never>[],
    settlement: Settlement,
  ): Promise<void> | undefined {
    const sent = send(messages, settlement)
    if (this.wait !== undefined) return sent
    this.isSending = false
    return undefined
  }

  /** Offers a result with these many outputs, alone in its reply. */
  offer(lane: LaneState, sequence: number, outputs: number): void {
    lane.ledger.expect(sequence, outputs)
    this.emitter.offer(lane, sequence, pieceOf([outputs]), 0)
    this.emitter.pump()
  }

  get ids(): string[] {
    return this.sends.flatMap(({ ids }) => ids)
  }
}

describe("Emitter, ordering 'source'", () => {
  it('G3: sends outputs in source order, whatever order they are finished in', () => {
    const rig = new Rig('source')
    const lane = laneOf()
    open(lane, 4)
    rig.offer(lane, 2, 1)
    rig.offer(lane, 1, 2)
    expect(rig.ids).toEqual([])
    rig.offer(lane, 0, 1)
    rig.emitter.skip(lane, 3)
    expect(rig.sends.map(({ ids }) => ids)).toEqual([['a0#0', 'a1#0', 'a1#1', 'a2#0']])
  })

  it('G3: waits neither for what has no outputs, nor for other lanes', () => {
    const rig = new Rig('source')
    const [one, other] = [laneOf('a'), laneOf('b')]
    open(one, 2)
    open(other, 1)
    rig.offer(other, 0, 1)
    rig.offer(one, 1, 1)
    rig.emitter.skip(one, 0)
    rig.emitter.pump()
    expect(rig.sends.map(({ ids }) => ids)).toEqual([['b0#0'], ['a1#0']])
  })

  it('G3: never sends twice at once, and sends what came meanwhile together', async () => {
    const rig = new Rig('source')
    const lane = laneOf()
    open(lane, 4)
    rig.wait = gate()
    for (const sequence of [0, 1, 2, 3]) rig.offer(lane, sequence, 1)
    expect(rig.sends.map(({ ids }) => ids)).toEqual([['a0#0']])
    rig.wait.open()
    await settled()
    expect(rig.sends.map(({ ids }) => ids)).toEqual([['a0#0'], ['a1#0', 'a2#0', 'a3#0']])
  })

  it('takes turns between lanes that have more than one send', async () => {
    const rig = new Rig('source')
    const lanes = [laneOf('a'), laneOf('b')]
    rig.wait = gate()
    for (const lane of lanes) {
      open(lane, 3)
      for (const sequence of [0, 1, 2]) rig.offer(lane, sequence, 900)
    }
    rig.wait.open()
    for (let turn = 0; turn < 10; turn++) await settled()
    expect(rig.sends.map(({ ids }) => ids[0])).toEqual(['a0#0', 'a1#0', 'b0#0', 'a2#0', 'b1#0', 'b2#0'])
  })

  it('sends whole source messages: a chunk at most, unless one alone is larger', () => {
    const rig = new Rig('source')
    const lane = laneOf()
    open(lane, 4)
    for (const [sequence, outputs] of [
      [3, 1],
      [2, 1_500],
      [1, 400],
      [0, 600],
    ] as const)
      rig.offer(lane, sequence, outputs)
    expect(rig.sends.map(({ ids }) => ids.length)).toEqual([1_000, 1_500, 1])
  })

  it('sends nothing once the run is over', () => {
    const rig = new Rig('source')
    const lane = laneOf()
    open(lane, 1)
    rig.hub.isHalted = true
    rig.offer(lane, 0, 1)
    expect(rig.sends).toEqual([])
  })
})

describe("Emitter, ordering 'none'", () => {
  it('G3: sends outputs as they are finished', () => {
    const rig = new Rig('none')
    const lane = laneOf()
    open(lane, 3)
    for (const sequence of [2, 0, 1]) rig.offer(lane, sequence, 1)
    rig.emitter.skip(lane, 2)
    expect(rig.ids).toEqual(['a2#0', 'a0#0', 'a1#0'])
  })

  it('takes each result from its own reply, also where it would follow in the one before', async () => {
    const rig = new Rig('none')
    const lane = laneOf()
    open(lane, 3)
    rig.wait = gate()
    rig.offer(lane, 0, 1)
    for (const sequence of [1, 2]) lane.ledger.expect(sequence, sequence)
    rig.emitter.offer(lane, 1, pieceOf([1, 9]), 0)
    rig.emitter.offer(lane, 2, pieceOf([9, 2]), 1)
    rig.wait.open()
    await settled()
    expect(rig.sends.map(({ ids }) => ids)).toEqual([['a0#0'], ['a1#0', 'a2#0', 'a2#1']])
  })

  it('sends one lane at a time, so that a settlement is of one order of acks', async () => {
    const rig = new Rig('none')
    const [one, other] = [laneOf('a'), laneOf('b')]
    open(one, 3)
    open(other, 1)
    rig.wait = gate()
    rig.offer(one, 0, 1)
    rig.offer(one, 1, 1)
    rig.offer(other, 0, 1)
    rig.offer(one, 2, 1)
    rig.wait.open()
    for (let turn = 0; turn < 5; turn++) await settled()
    expect(rig.sends.map(({ ids }) => ids)).toEqual([['a0#0'], ['a1#0'], ['b0#0'], ['a2#0']])
  })
})

function inLane(ids: readonly string[], { lane }: LaneState): string[] {
  return ids.filter((id) => id.startsWith(lane.name))
}

describe('Emitter, any order of results', () => {
  const result = fc.record({ lane: fc.nat({ max: 2 }), outputs: fc.integer({ min: 0, max: 3 }), rank: fc.nat() })

  it.each(['source', 'none'] as const)("G1, G3: sends every output once, in the order of '%s'", (ordering) => {
    fc.assert(
      fc.property(fc.array(result, { maxLength: 60 }), (results) => {
        const rig = new Rig(ordering)
        const lanes = [laneOf('a'), laneOf('b'), laneOf('c')]
        const messages = results.map(({ lane, outputs, rank }) => {
          const state = lanes[lane] as LaneState
          const sequence = state.ledger.tail
          open(state, 1)
          const ids = Array.from({ length: outputs }, (_, output) => `${state.lane.name}${sequence}#${output}`)
          return { state, sequence, outputs, rank, ids }
        })
        const finished = messages.toSorted((a, b) => a.rank - b.rank)
        for (const { state, sequence, outputs } of finished) {
          if (outputs > 0) rig.offer(state, sequence, outputs)
          else rig.emitter.skip(state, sequence)
          rig.emitter.pump()
        }
        const order = ordering === 'source' ? messages : finished
        for (const lane of lanes)
          expect(inLane(rig.ids, lane)).toEqual(
            inLane(
              order.flatMap(({ ids }) => ids),
              lane,
            ),
          )
        expect(rig.ids).toHaveLength(messages.reduce((sum, { outputs }) => sum + outputs, 0))
      }),
    )
  })
})
