/**
 * How a message ended. `open` is not an end yet; the others are, and all but `nacked` lead to an ack (G1). Numbers, so that
 * the ledger keeps one byte a message.
 */
export const outcome = { open: 0, delivered: 1, filtered: 2, dropped: 3, deadLettered: 4, nacked: 5 } as const

export type Outcome = (typeof outcome)[keyof typeof outcome]

/** An end of a message's life. */
export type FinalOutcome = Exclude<Outcome, typeof outcome.open>
