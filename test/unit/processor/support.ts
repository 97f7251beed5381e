import { outcome } from '../../../src/ack/outcome.ts'
import type { MillraceError } from '../../../src/errors.ts'
import { LaneState } from '../../../src/processor/lane-state.ts'
import { Piece } from '../../../src/processor/piece.ts'
import type { ProcessorEvent } from '../../../src/processor/processor-event.ts'
import type { RunHub } from '../../../src/processor/run-hub.ts'
import { Window } from '../../../src/processor/window.ts'
import type { Delivery, Lane } from '../../../src/source.ts'
import { BufferStock } from '../../../src/wire/buffer-stock.ts'
import { ReplyReader, ReplyWriter } from '../../../src/wire/reply.ts'

/** A hub that notes what it is told. */
export class RecordingHub implements RunHub {
  readonly errors: MillraceError[] = []
  readonly events: ProcessorEvent[] = []
  isHalted = false

  fail(error: MillraceError): void {
    this.errors.push(error)
  }

  event(event: ProcessorEvent): void {
    this.events.push(event)
  }

  get codes(): string[] {
    return this.errors.map(({ code }) => code)
  }
}

export function laneOf(name = 'a', ackMode: Lane['ackMode'] = 'individual'): LaneState {
  return new LaneState({ name, ackMode })
}

/** A delivery that does nothing but what is given. */
export function deliveryOf(id: string, rest: Partial<Delivery<unknown>> = {}): Delivery<unknown> {
  return { message: { id, key: `key ${id}`, topic: 'test', value: id }, ack: () => {}, ...rest }
}

/** Opens deliveries that note their acks and nacks in `log`; the ack of each returns what `ack` does. */
export function open(
  lane: LaneState,
  count: number,
  log: string[] = [],
  ack: (id: string) => void | Promise<void> = () => {},
): string[] {
  for (let index = 0; index < count; index++) {
    const id = `${lane.lane.name}${lane.ledger.tail}`
    const delivery = deliveryOf(id, {
      ack: () => {
        log.push(`ack ${id}`)
        return ack(id)
      },
      nack: (reason) => {
        log.push(`nack ${id} ${reason.message}`)
      },
    })
    lane.ledger.open(delivery, 1, lane.ledger.tail)
  }
  return log
}

/** Settles all of the lane's open messages. */
export function settleAll(lane: LaneState): void {
  for (let sequence = lane.ledger.head; sequence < lane.ledger.tail; sequence++) {
    if (lane.ledger.isOpen(sequence)) lane.ledger.settle(sequence, outcome.delivered)
  }
}

/** A promise, and what settles it. */
export interface Gate {
  readonly promise: Promise<void>
  readonly open: () => void
  readonly fail: (error: unknown) => void
}

const nothing = (): void => {}

export function gate(): Gate {
  let open: () => void = nothing
  let fail: (error: unknown) => void = nothing
  const promise = new Promise<void>((resolve, reject) => {
    open = resolve
    fail = reject
  })
  return { promise, open, fail }
}

/** Lets promises that are settled call back. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

/** A reply whose entries have these many outputs, each of them a text that names its entry and its number. */
export function pieceOf(outputs: readonly number[], window: Window = new Window(1_000, 1_000)): Piece {
  const writer = new ReplyWriter()
  writer.begin(new ArrayBuffer(64))
  for (const [entry, count] of outputs.entries()) {
    writer.open()
    for (let output = 0; output < count; output++) writer.add(Buffer.from(`${entry}.${output}`), {})
    writer.done(entry)
  }
  const { buffer, length } = writer.finish(false, 0)
  return new Piece(new ReplyReader(new Uint8Array(buffer, 0, length)), buffer, new BufferStock(), window)
}
