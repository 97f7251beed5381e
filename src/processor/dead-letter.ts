/**
 * What the dead-letter destination gets for a message that was given up. The value is as received, whether the failure
 * was in the handler or behind it, so that it can be fed in again.
 */
export interface DeadLetter {
  /** As received: a `Uint8Array` stays one. */
  readonly value: unknown
  readonly id?: string
  readonly key: string
  readonly topic: string
  readonly headers?: Readonly<Record<string, string>>
  /** Where it failed. */
  readonly stage: Stage
  /** How often it was tried. */
  readonly attempts: number
  /** When it was given up: ISO 8601, UTC. */
  readonly time: string
  /** The indexes of the outputs that failed; only for the stages `'route'` and `'flush'`. */
  readonly outputs?: readonly number[]
  readonly error: { readonly name: string; readonly message: string; readonly code?: string; readonly stack?: string }
}

/** Where a message failed: its size, its redeliveries, in a codec, in the handler, or behind it. */
export type Stage = 'size' | 'deliveries' | 'decode' | 'handle' | 'encode' | 'route' | 'flush'
