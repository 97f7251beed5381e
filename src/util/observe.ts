import type { ProcessorEvent } from '../processor/processor-event.ts'

/** What a destination can report while it works. */
export type DestinationEvent = Extract<ProcessorEvent, { type: 'flushFailed' }>

/**
 * How a destination tells its processor of failed attempts without a place for it in the public contract. A wrapper passes
 * the listener on to what it wraps.
 */
export const observe: unique symbol = Symbol.for('millrace.observe') as never

/** A destination that may report. */
export interface Observable {
  [observe]?(listener: (event: DestinationEvent) => void): void
}
