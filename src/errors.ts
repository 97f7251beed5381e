import { inspect } from 'node:util'

/**
 * Every code that an error of millrace can carry. The list is closed: docs/errors.md explains each one, and a test keeps
 * the two equal. Match on `error.code`, never on the message.
 */
export const errorCodes = [
  'MR_OPTION_INVALID',
  'MR_NOT_SUPPORTED',
  'MR_ALREADY_RUN',
  'MR_END_IN_USE',
  'MR_HANDLER_NOT_FOUND',
  'MR_HANDLER_TYPESCRIPT',
  'MR_HANDLER_LOAD',
  'MR_HANDLER_EXPORT',
  'MR_HANDLER_SETUP',
  'MR_HANDLER_SETUP_TIMEOUT',
  'MR_HANDLER_TEARDOWN',
  'MR_HANDLER_THREW',
  'MR_HANDLER_TIMEOUT',
  'MR_HANDLER_RESULT',
  'MR_OUTPUT_LIMIT',
  'MR_DECODE',
  'MR_ENCODE',
  'MR_VALUE_UNSUPPORTED',
  'MR_MESSAGE_TOO_LARGE',
  'MR_DELIVERIES_EXCEEDED',
  'MR_MESSAGE_FAILED',
  'MR_WORKER_EXIT',
  'MR_WORKER_CRASH',
  'MR_WORKER_OUT_OF_MEMORY',
  'MR_WORKER_CRASH_LOOP',
  'MR_SOURCE_FAILED',
  'MR_SOURCE_DELIVERY',
  'MR_ACK_FAILED',
  'MR_NACK_REFUSED',
  'MR_SEND_FAILED',
  'MR_SETTLEMENT_RANGE',
  'MR_FLUSH_FAILED',
  'MR_FLUSH_TIMEOUT',
  'MR_FLUSH_STUCK',
  'MR_DEAD_LETTER_FAILED',
  'MR_ROUTE_UNMATCHED',
  'MR_END_FAILED',
  'MR_LISTENER_FAILED',
  'MR_DRAIN_TIMEOUT',
  'MR_ABORTED',
  'MR_LINE_TOO_LONG',
  'MR_CHECKPOINT_MISMATCH',
  'MR_CHECKPOINT_FAILED',
  'MR_FILE_FAILED',
  'MR_CONFORMANCE',
  'MR_INTERNAL',
] as const

/** One of {@link errorCodes}. */
export type ErrorCode = (typeof errorCodes)[number]

const brand: unique symbol = Symbol.for('millrace.error') as never

/**
 * The only error that leaves millrace (G7). Its message says what was expected, what came and what to do; `cause` holds
 * what lies beneath, with the name, message, stack and code that it had in the worker.
 *
 * **Gotchas.** `instanceof` works across copies of the package, yet code that must survive threads and versions should
 * match on {@link MillraceError.code}.
 *
 * @example
 * ```ts
 * import { MillraceError } from 'millrace'
 *
 * try {
 *   throw new MillraceError('MR_OPTION_INVALID', 'Expected `threads` to be 0 or more, got -1.')
 * } catch (error) {
 *   if (error instanceof MillraceError && error.code === 'MR_OPTION_INVALID') console.error(error.message)
 * }
 * ```
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  /** Stable across versions; the message is not. */
  readonly code: ErrorCode
  /** The account at the end of the run (G9); set on an error that `Processor.run` rejects with. */
  summary?: object

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== MillraceError) return super[Symbol.hasInstance](value)
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
  }
}

/** Anything that was thrown, as an `Error`: `null`, strings and plain objects become one whose `cause` is the thing. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown
  return new Error(`Thrown, and not an Error: ${describe(thrown)}`, { cause: thrown })
}

/** An error of ours as it is; anything else that user code threw, wrapped: `where` says what failed. */
export function toMillraceError(thrown: unknown, code: ErrorCode, where: string): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  return new MillraceError(code, `${where}: ${messageOf(thrown)}`, { cause: thrown })
}

/** What was thrown, in words; never throws, whatever its getters do. */
export function messageOf(thrown: unknown): string {
  try {
    const { message }: { readonly message: unknown } = toError(thrown)
    return String(message)
  } catch {
    return 'something whose message cannot be read'
  }
}

/** `got` for an error message: the value on one line, cut short. */
export function describe(value: unknown): string {
  let text: string
  try {
    text = inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 80, maxArrayLength: 5 })
  } catch {
    text = `something that cannot be shown (${typeof value})`
  }
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}
