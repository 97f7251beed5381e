import type { Destination } from '../destination.ts'
import { boolean, fn, integer, knownKeys, milliseconds, oneOf } from '../util/options.ts'
import type { ValueKind } from './sample-values.ts'

/** What the kit must know about a destination. `T` is the type of its values. */
export interface DestinationChecksOptions<T> {
  /** A fresh destination before an empty far end. Give it a period that is much longer than `flushMs`. */
  create(): Destination<T> | Promise<Destination<T>>
  /** The values that are durable at the far end of the last `create`, in the order in which it has them. */
  received(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** The value to send for these bytes. @default the bytes */
  toValue?(bytes: Uint8Array): T
  /** What the far end can carry: any bytes, or only what fits on one line. @default 'any' */
  values?: ValueKind
  /** The size of the largest value to try, in bytes. @default 1_048_576 */
  maxValueBytes?: number
  /** Whether the far end has the order in which messages were sent. @default true */
  ordered?: boolean
  /**
   * Keeps the far end from making anything durable until the function that it returns is called. Without it,
   * back-pressure is not checked.
   */
  hold?(): () => void
  /** How many messages the destination may take while the far end is held. @default 10_000 */
  maxHeld?: number
  /** How soon after `flush()` what was held back must be settled, in milliseconds. @default 2_000 */
  flushMs?: number
  /** How long any other call may take, in milliseconds. @default 5_000 */
  timeoutMs?: number
}

/** The options with every default filled in. */
export interface ResolvedDestinationChecks<T> {
  readonly create: () => Destination<T> | Promise<Destination<T>>
  readonly received: () => readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  readonly toValue: (bytes: Uint8Array) => T
  readonly values: ValueKind
  readonly maxValueBytes: number
  readonly ordered: boolean
  readonly hold: (() => () => void) | undefined
  readonly maxHeld: number
  readonly flushMs: number
  readonly timeoutMs: number
}

export function resolveDestinationChecks<T>(given: DestinationChecksOptions<T>): ResolvedDestinationChecks<T> {
  const options = knownKeys<DestinationChecksOptions<T>>('destinationChecks', given, [
    'create',
    'received',
    'toValue',
    'values',
    'maxValueBytes',
    'ordered',
    'hold',
    'maxHeld',
    'flushMs',
    'timeoutMs',
  ])
  const { hold } = options
  return Object.freeze({
    create: fn('create', options.create),
    received: fn('received', options.received),
    // Without `toValue` the destination takes bytes: that is what its type says then.
    toValue: fn<(bytes: Uint8Array) => T>('toValue', options.toValue, (bytes) => bytes as T),
    values: oneOf('values', options.values, ['any', 'line'], 'any'),
    maxValueBytes: integer('maxValueBytes', options.maxValueBytes, { min: 1, default: 1_048_576 }),
    ordered: boolean('ordered', options.ordered, true),
    hold: hold === undefined ? undefined : fn('hold', hold),
    maxHeld: integer('maxHeld', options.maxHeld, { min: 1, default: 10_000 }),
    flushMs: milliseconds('flushMs', options.flushMs, { min: 1, default: 2_000 }),
    timeoutMs: milliseconds('timeoutMs', options.timeoutMs, { min: 1, default: 5_000 }),
  })
}
