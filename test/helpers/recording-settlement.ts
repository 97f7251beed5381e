import type { Settlement } from '../../src/destination.ts'
import type { Message } from '../../src/message.ts'

/** What became of one message: acked, given up with a reason, or nothing yet. */
export type Outcome = 'ack' | Error | undefined

/** A settlement that records every report, also those that come twice. */
export class RecordingSettlement implements Settlement {
  /** By index, all reports in order. */
  readonly reports: ('ack' | Error)[][]
  /** The ranges as they were reported. */
  readonly ranges: [kind: 'ack' | 'nack', from: number, to: number][] = []

  constructor(length: number) {
    this.reports = Array.from({ length }, () => [])
  }

  get outcomes(): Outcome[] {
    return this.reports.map((reports) => reports[0])
  }

  ack(from = 0, to = this.reports.length): void {
    this.#report('ack', from, to)
  }

  nack(reason: Error, from = 0, to = this.reports.length): void {
    this.#report(reason, from, to)
  }

  #report(report: 'ack' | Error, from: number, to: number): void {
    this.ranges.push([report === 'ack' ? 'ack' : 'nack', from, to])
    for (let index = from; index < to; index++) this.reports[index]?.push(report)
  }
}

/** Messages with these values. */
export function messagesOf<T>(...values: readonly T[]): Message<T>[] {
  return values.map((value, index) => ({ id: `m:${index}`, key: '', topic: 'test', value }))
}

/** A signal that never aborts. */
export const noAbort: AbortSignal = new AbortController().signal
