import type { Writable } from 'node:stream'
import type { Destination } from '../../destination.ts'
import { delimiterBytes, type Format, valueOf } from '../../util/join-lines.ts'
import { fn, invalidOption, knownKeys } from '../../util/options.ts'
import { StreamPrinter } from './stream-printer.ts'

/** Options of {@link printer}. */
export interface PrinterOptions {
  /** Where to write. @default process.stdout */
  readonly stream?: Writable
  /** Written behind every message; may be empty. @default '\n' */
  readonly delimiter?: string | Uint8Array
  readonly format?: never
}

/** Options of {@link printer} for values that are neither bytes nor text. */
export interface PrinterFormatOptions<T> extends Omit<PrinterOptions, 'format'> {
  /** The bytes or the text of a message. One for which it throws is given up with `MR_ENCODE`. */
  readonly format: Format<T>
}

/**
 * Prints each message and a delimiter behind it, to stdout or to any Writable. Each `send` is one write, so that nothing
 * waits for a timer and a burst costs few writes. It acks in order, when the stream says that it has handed the bytes over;
 * it is ready for the next once it has: a slow reader throttles the source.
 *
 * **Gotchas.** Handed over is not durable: use `file` where a crash of the machine must lose nothing. A message that holds
 * the delimiter is printed as it is. On close it ends the stream, but never stdout or stderr. Where stdout is a pipe, Node
 * writes to it synchronously, so that a slow reader holds up the main thread. When the reader has gone (EPIPE), as `head`
 * does when it has enough, the run ends quietly and what was not printed stays unacked; any other failure is fatal
 * (`MR_SEND_FAILED`).
 *
 * @throws {MillraceError} `MR_OPTION_INVALID`
 *
 * @example
 * ```ts
 * import { printer } from 'millrace'
 *
 * const lines = printer()
 * const records = printer<{ name: string }>({ stream: process.stderr, format: (message) => message.value.name })
 * await Promise.all([lines.close?.(), records.close?.()])
 * ```
 */
export function printer(options?: PrinterOptions): Destination<Uint8Array | string>
export function printer<T>(options: PrinterFormatOptions<T>): Destination<T>
export function printer<T>(options?: PrinterOptions | PrinterFormatOptions<T>): Destination<T> {
  const {
    stream = process.stdout,
    delimiter,
    format,
  } = knownKeys<{
    stream?: Writable
    delimiter?: string | Uint8Array
    format?: Format<T>
  }>('printer', options, ['stream', 'delimiter', 'format'])
  if (typeof stream?.write !== 'function' || typeof stream.on !== 'function') {
    throw invalidOption('stream', 'a Writable', stream, 'Leave it out for stdout.')
  }
  return new StreamPrinter(stream, fn('format', format, valueOf), delimiterBytes(delimiter, '\n', 0))
}
