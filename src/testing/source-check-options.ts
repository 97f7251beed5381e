import type { Source } from '../source.ts'
import { boolean, fn, integer, knownKeys, milliseconds, oneOf } from '../util/options.ts'
import type { ValueKind } from './sample-values.ts'

/** What the kit must know about a source. `T` is the type of its values. */
export interface SourceChecksOptions<T> {
  /** A fresh source over a far end that holds exactly these values, in this order. */
  create(values: readonly Uint8Array[]): Source<T> | Promise<Source<T>>
  /**
   * Another source over the far end of the last `create`, as after a restart: what was acked does not come again, all else
   * does. Without it, what acks do is not checked.
   */
  reopen?(): Source<T> | Promise<Source<T>>
  /** A value as the bytes that it was created from. @default the value, which then must be a Uint8Array */
  toBytes?(value: T): Uint8Array
  /** What the far end can carry: any bytes, or only what fits on one line. @default 'any' */
  values?: ValueKind
  /** The size of the largest value to try, in bytes. @default 1_048_576 */
  maxValueBytes?: number
  /** Whether the source ends after the last value, or waits for more. @default true */
  ends?: boolean
  /** Whether a message that was nacked comes again from the same source. @default false */
  nackRedelivers?: boolean
  /** How many messages the source has taken from the far end so far, where that can be told. */
  taken?(): number
  /** How many messages the source may take before they are asked for; checked where `taken` is given. @default 1_000 */
  maxReadAhead?: number
  /** How long one call may take, in milliseconds. @default 5_000 */
  timeoutMs?: number
}

/** The options with every default filled in. */
export interface ResolvedSourceChecks<T> {
  readonly create: (values: readonly Uint8Array[]) => Source<T> | Promise<Source<T>>
  readonly reopen: (() => Source<T> | Promise<Source<T>>) | undefined
  readonly toBytes: (value: T) => unknown
  readonly values: ValueKind
  readonly maxValueBytes: number
  readonly ends: boolean
  readonly nackRedelivers: boolean
  readonly taken: (() => number) | undefined
  readonly maxReadAhead: number
  readonly timeoutMs: number
}

export function resolveSourceChecks<T>(given: SourceChecksOptions<T>): ResolvedSourceChecks<T> {
  const options = knownKeys<SourceChecksOptions<T>>('sourceChecks', given, [
    'create',
    'reopen',
    'toBytes',
    'values',
    'maxValueBytes',
    'ends',
    'nackRedelivers',
    'taken',
    'maxReadAhead',
    'timeoutMs',
  ])
  const { reopen, taken } = options
  return Object.freeze({
    create: fn('create', options.create),
    reopen: reopen === undefined ? undefined : fn('reopen', reopen),
    toBytes: fn<(value: T) => unknown>('toBytes', options.toBytes, (value) => value),
    values: oneOf('values', options.values, ['any', 'line'], 'any'),
    maxValueBytes: integer('maxValueBytes', options.maxValueBytes, { min: 1, default: 1_048_576 }),
    ends: boolean('ends', options.ends, true),
    nackRedelivers: boolean('nackRedelivers', options.nackRedelivers, false),
    taken: taken === undefined ? undefined : fn('taken', taken),
    maxReadAhead: integer('maxReadAhead', options.maxReadAhead, { min: 0, default: 1_000 }),
    timeoutMs: milliseconds('timeoutMs', options.timeoutMs, { min: 1, default: 5_000 }),
  })
}
