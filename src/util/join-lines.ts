import type { Settlement } from '../destination.ts'
import { MillraceError, toError } from '../errors.ts'
import type { Message } from '../message.ts'
import { invalidOption } from './options.ts'

/** The bytes of a message, or its text, which is written as UTF-8. Called once per attempt to write it. */
export type Format<T> = (message: Message<T>) => Uint8Array | string

/** The lines of some messages in a buffer of their own, and why those that are missing in it could not be formatted. */
export interface JoinedLines {
  readonly bytes: Uint8Array
  readonly failures: ReadonlyMap<number, MillraceError>
}

/** The bytes of an option `delimiter`. */
export function delimiterBytes(value: unknown, fallback: string, minLength: 0 | 1): Uint8Array {
  const given = value === undefined ? fallback : value
  if ((typeof given === 'string' || given instanceof Uint8Array) && given.length >= minLength) {
    return typeof given === 'string' ? Buffer.from(given) : new Uint8Array(given)
  }
  const expected = minLength === 0 ? 'a string or a Uint8Array' : 'a string or a Uint8Array that is not empty'
  throw invalidOption('delimiter', expected, value, `Leave it out for the default, ${JSON.stringify(fallback)}.`)
}

/** The value itself: what is neither bytes nor text is refused by {@link joinLines}. */
export function valueOf<T>(message: Message<T>): Uint8Array | string {
  return message.value as Uint8Array | string
}

/** Formats the messages and joins them, each with the delimiter behind it. Bytes are copied and otherwise untouched (G10). */
export function joinLines<T>(messages: readonly Message<T>[], format: Format<T>, delimiter: Uint8Array): JoinedLines {
  const lines: (Uint8Array | string)[] = []
  const failures = new Map<number, MillraceError>()
  let size = 0
  messages.forEach((message, index) => {
    const line = formatted(message, format)
    if (line instanceof MillraceError) {
      failures.set(index, line)
      return
    }
    lines.push(line)
    size += (typeof line === 'string' ? Buffer.byteLength(line) : line.byteLength) + delimiter.byteLength
  })
  const bytes = Buffer.allocUnsafe(size)
  let end = 0
  for (const line of lines) {
    if (typeof line === 'string') end += bytes.write(line, end)
    else {
      bytes.set(line, end)
      end += line.byteLength
    }
    // Mostly one byte, for which a loop costs a fraction of `set`.
    for (const byte of delimiter) bytes[end++] = byte
  }
  return { bytes, failures }
}

/** Acks the messages in order, but for those that have failed, which are nacked. */
export function settleLines(settlement: Settlement, length: number, failures: JoinedLines['failures']): void {
  let start = 0
  for (const [index, reason] of failures) {
    settlement.ack(start, index)
    settlement.nack(reason, index, index + 1)
    start = index + 1
  }
  settlement.ack(start, length)
}

function formatted<T>(message: Message<T>, format: Format<T>): Uint8Array | string | MillraceError {
  try {
    const line: unknown = format(message)
    if (typeof line === 'string' || line instanceof Uint8Array) return line
    const type = line === null ? 'null' : typeof line
    return new MillraceError(
      'MR_ENCODE',
      `Expected a Uint8Array or a string to write, got ${type}. Return one from \`format\`, or from the handler.`,
    )
  } catch (thrown) {
    const cause = toError(thrown)
    return new MillraceError('MR_ENCODE', `The message could not be formatted: ${cause.message}`, { cause })
  }
}
