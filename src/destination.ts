import type { Message } from './message.ts'

/**
 * How a destination reports what became of the messages of one `send`. Ranges are indexes `[from, to)` into that send, by
 * default all of it. Each message settles once: the first report wins, later ones are ignored. An empty range settles
 * nothing; one outside the send throws `MR_SETTLEMENT_RANGE`.
 */
export interface Settlement {
  /** These are durable: a crash from here on does not lose them (G1). */
  ack(from?: number, to?: number): void
  /** These were given up: the processor's error policy applies to the message that they were made from. */
  nack(reason: Error, from?: number, to?: number): void
}

/**
 * Where outputs go. It lives on the main thread. Most destinations are made by `batch` from a flush function; implement
 * this interface for what decides by itself when a message is durable.
 *
 * @example A destination that is durable at once
 * ```ts
 * import type { Destination } from 'millrace'
 *
 * const seen: string[] = []
 * const collector: Destination<string> = {
 *   send(messages, settlement) {
 *     for (const message of messages) seen.push(message.value)
 *     settlement.ack()
 *   },
 * }
 * ```
 */
export interface Destination<in T> {
  /**
   * Takes the outputs of whole source messages, in the order of the processor's `ordering` (G3); never called twice at
   * once. The promise means only "ready for the next": durability is told through the settlement, at any later time.
   *
   * **Gotchas.** Values are valid until they are settled: copy what must live longer (G10). A throw or a rejection is fatal
   * (`MR_SEND_FAILED`) and leaves what is unsettled unacked. The signal aborts at the drain's time-out.
   */
  send: (messages: readonly Message<T>[], settlement: Settlement, signal: AbortSignal) => void | Promise<void>
  /** Hand over now what is held back for a fuller batch. Called on a drain, and when the window waits for it (G4, G6). */
  flush?(): void
  /**
   * A background loop, where the destination needs one; started once, before the first `send`. The signal aborts after the
   * last ack, or at the drain's time-out. Ending early is no error; rejecting is fatal.
   */
  run?(signal: AbortSignal): Promise<void>
  /** Called once. Starts nothing, and resolves when what is running has ended and everything is released. */
  close?(): Promise<void>
}

/**
 * The function form of a destination.
 *
 * @example
 * ```ts
 * import { destinationFrom } from 'millrace'
 *
 * const log = destinationFrom<string>((messages, settlement) => {
 *   for (const message of messages) console.log(message.value)
 *   settlement.ack()
 * })
 * ```
 */
export function destinationFrom<T>(send: Destination<T>['send']): Destination<T> {
  return { send }
}
