/**
 * The account of a run (G9). At every moment `received = acked + nacked + inFlight` and
 * `acked = delivered + filtered + dropped + deadLettered`; a message counts when its ack is released.
 */
export interface Summary {
  /** Messages that the source yielded. */
  readonly received: number
  readonly acked: number
  readonly nacked: number
  /** Messages all of whose outputs were flushed. */
  readonly delivered: number
  /** Messages for which the handler returned `[]`. */
  readonly filtered: number
  /** Messages given up by the policy `'drop'`. */
  readonly dropped: number
  /** Messages written to the dead-letter destination. */
  readonly deadLettered: number
  /** Outputs flushed. */
  readonly emitted: number
  /** Since `run` was called. */
  readonly seconds: number
}

/** A snapshot of a running processor. */
export interface Stats extends Summary {
  /** Messages received and not settled. */
  readonly inFlight: number
  /** Received bytes of those messages, and their unsettled output bytes. */
  readonly inFlightBytes: number
  /** How long the oldest unsettled message has been in flight, in milliseconds; 0 when there is none. */
  readonly oldestMs: number
  /** One entry a worker, by its number; `busy` is the share of the time since the last snapshot, from 0 to 1. */
  readonly workers: readonly { readonly busy: number; readonly handled: number; readonly restarts: number }[]
}
