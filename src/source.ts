import type { Message } from './message.ts'

/**
 * One independent order of acks: a source, or a partition of one. Settlements of one lane reach the source in the order in
 * which `recv` returned its deliveries (G2); lanes do not wait for each other. A source compares lanes by identity: yield
 * the same object for the same partition.
 */
export interface Lane {
  /** For errors and events. */
  readonly name: string
  /** `'cumulative'`: acking one delivery acks all before it. `'individual'`: each stands alone, and may be nacked. */
  readonly ackMode: 'cumulative' | 'individual'
  /**
   * Called when this lane holds half of the window: `recv` should yield no more of it. The other half is for its siblings,
   * which may not have been heard of yet.
   */
  pause?(): void
  /** Called when a paused lane has room again. */
  resume?(): void
}

/**
 * A message together with its ack: what a source yields. Exactly one of `ack` and `nack` is called, once, in the order of
 * `recv` within the lane (G2). Calls are not awaited one by one; a promise that rejects, or a throw, is fatal
 * (`MR_ACK_FAILED`): retrying is the source's matter.
 */
export interface Delivery<out T> {
  readonly message: Message<T>
  /** @default the source's own lane */
  readonly lane?: Lane
  /** How often it was delivered before, where the source knows. @default 0 */
  readonly redelivered?: number
  /** Everything made from the message is durable, or it was filtered, dropped or dead-lettered on purpose (G1). */
  ack(): void | Promise<void>
  /** The message was given up and the policy says `'nack'`. Only for `'individual'` lanes. */
  nack?(reason: Error): void | Promise<void>
}

/**
 * Where messages come from. It lives on the main thread, and is asked only while the window has room (G4): that is the
 * back-pressure. Retries belong inside: an error that leaves a source is fatal to the processor.
 *
 * @example A source that counts to three
 * ```ts
 * import type { Source } from 'millrace'
 *
 * let next = 1
 * const counter: Source<number> = {
 *   async recv() {
 *     if (next > 3) return undefined
 *     return { message: { key: '', topic: 'counter', value: next++ }, ack() {} }
 *   },
 * }
 * ```
 */
export interface Source<out T> {
  /** How the deliveries that name no lane are acked. @default 'cumulative', the stricter one */
  readonly ackMode?: 'cumulative' | 'individual'
  /**
   * Resolves with the next delivery, waiting as long as it takes, or with `undefined` once the source has ended.
   *
   * **Gotchas.** Never called twice at once. After the signal has aborted it may resolve or reject as it likes: a delivery
   * that still arrives before the drain ends is handled, a later one stays unacked. A rejection is fatal before an abort
   * (`MR_SOURCE_FAILED`) and the end after it.
   */
  recv(signal: AbortSignal): Promise<Delivery<T> | undefined>
  /**
   * Waits for one delivery, then adds those that are ready: at most `max`, and about `maxBytes` of received bytes (one more
   * message may pass it). Resolves with `[]` once the source has ended. Used instead of `recv` where it exists.
   */
  recvBatch?(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<T>[]>
  /** Acks a run of deliveries of one lane, in order; called instead of their single `ack`s where it exists. */
  ackBatch?(deliveries: readonly Delivery<T>[]): void | Promise<void>
  /**
   * A background loop, where the source needs one; started once, before the first `recv`. The signal aborts after the last
   * ack, or at the drain's time-out. Ending early is no error; rejecting is fatal.
   */
  run?(signal: AbortSignal): Promise<void>
  /** Called once, when nothing will be received or acked any more. Resolves when everything is released. */
  close?(): Promise<void>
}

/**
 * The function form of a source: cumulative acks, no batches.
 *
 * @example
 * ```ts
 * import { sourceFrom } from 'millrace'
 *
 * const ticks = sourceFrom(async () => ({ message: { key: '', topic: 'ticks', value: Date.now() }, ack() {} }))
 * ```
 */
export function sourceFrom<T>(recv: Source<T>['recv']): Source<T> {
  return { recv }
}
