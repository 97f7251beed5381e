import { basename, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { messageOf, MillraceError } from '../../errors.ts'
import { boolean, integer, invalidOption, knownKeys, milliseconds, text } from '../../util/options.ts'
import type { SplitOptions } from './line-splitter.ts'

/** How a byte stream is read as lines. */
export interface LinesOptions {
  /**
   * What ends a line, of any length. Without this option it is `'\n'` and one `'\r'` before it is stripped too; give `'\n'`
   * to keep the `'\r'`.
   * @default '\n', also after '\r'
   */
  delimiter?: string | Uint8Array
  /**
   * The longest line, in bytes without its delimiter; a longer one is fatal (`MR_LINE_TOO_LONG`), since it cannot be held
   * in memory. Above the processor's `maxMessageBytes`, so that the error policy gets what is merely too large.
   * @default 16_777_216 (16 MiB)
   */
  maxLineBytes?: number
  /** Leave out lines of no bytes instead of yielding them. @default false */
  skipEmpty?: boolean
  /** Whether the input is gzip, of one or more members. @default true for a path that ends in '.gz' */
  gzip?: boolean
  /** The topic of every message. @default the file's base name; 'stdin' or 'stream' */
  topic?: string
  /**
   * The path of a file that keeps the offset of what has been acked, so that the next run goes on there. Needs a path to a
   * regular file as input.
   * @default none: every run starts at the first byte
   */
  checkpoint?: string
  /** The checkpoint is written at most this often, in milliseconds, and at the end. @default 1_000 */
  checkpointEveryMs?: number
}

/** {@link LinesOptions}, complete. */
export interface ResolvedLines {
  /** A path, or the stream itself. */
  readonly input: string | Readable
  /** For errors. */
  readonly name: string
  readonly topic: string
  /** What an id starts with; the byte offset follows. */
  readonly idPrefix: string
  readonly skipEmpty: boolean
  readonly gzip: boolean
  readonly split: SplitOptions
  readonly checkpoint: { readonly path: string; readonly everyMs: number } | undefined
}

/** Checks the input and the options of `lines`. */
export function resolveLinesOptions(given: string | URL | Readable, options: LinesOptions | undefined): ResolvedLines {
  const known = knownKeys('lines', options, [
    'delimiter',
    'maxLineBytes',
    'skipEmpty',
    'gzip',
    'topic',
    'checkpoint',
    'checkpointEveryMs',
  ])
  const input = inputOf(given)
  const isPath = typeof input === 'string'
  const topic = text('topic', known.topic, isPath ? basename(input) || input : streamTopic(input))
  return Object.freeze({
    input,
    name: isPath ? input : `the stream '${topic}'`,
    topic,
    idPrefix: `${isPath ? input : topic}:`,
    skipEmpty: boolean('skipEmpty', known.skipEmpty, false),
    gzip: boolean('gzip', known.gzip, isPath && input.endsWith('.gz')),
    split: Object.freeze({
      delimiter: delimiterOf(known.delimiter),
      stripCarriageReturn: known.delimiter === undefined,
      maxLineBytes: integer('maxLineBytes', known.maxLineBytes, { min: 1, max: 2 ** 30, default: 2 ** 24 }),
    }),
    checkpoint: checkpointOf(input, known.checkpoint, known.checkpointEveryMs),
  })
}

/** Whether this is the process's own standard input, found without creating it. */
export function isStdin(stream: Readable): boolean {
  return (stream as { fd?: unknown }).fd === 0
}

function inputOf(given: unknown): string | Readable {
  if (typeof given === 'string' && given !== '') return given
  if (given instanceof URL) {
    try {
      return fileURLToPath(given)
    } catch (thrown) {
      throw new MillraceError(
        'MR_OPTION_INVALID',
        `Expected the input of lines to be a file: URL, got ${given.href} (${messageOf(thrown)}). Pass a path, a ` +
          'file: URL or a Readable.',
        { cause: thrown },
      )
    }
  }
  if (!(given instanceof Readable)) {
    throw invalidOption(
      'input',
      'a path, a file: URL or a Readable',
      given,
      'Standard input is `lines(process.stdin)`.',
    )
  }
  if (given.readableEncoding !== null) {
    throw invalidOption(
      'input',
      'a stream of bytes',
      given.readableEncoding,
      'Do not call `setEncoding` on it: text that is not UTF-8 would be changed.',
    )
  }
  return given
}

function streamTopic(stream: Readable): string {
  return isStdin(stream) ? 'stdin' : 'stream'
}

function delimiterOf(value: unknown): Uint8Array {
  if (value === undefined) return Buffer.from('\n')
  if (typeof value === 'string' && value !== '') return Buffer.from(value)
  if (value instanceof Uint8Array && value.length > 0) return Uint8Array.from(value)
  throw invalidOption('delimiter', 'a string or bytes, not empty', value, "Leave it out for '\\n'.")
}

function checkpointOf(input: string | Readable, path: unknown, everyMs: unknown): ResolvedLines['checkpoint'] {
  const period = milliseconds('checkpointEveryMs', everyMs, { min: 0, default: 1_000 })
  if (path === undefined) return undefined
  const absolute = resolve(text('checkpoint', path))
  if (typeof input !== 'string') {
    throw invalidOption('checkpoint', 'left out for a stream', path, 'A stream cannot be read again: pass the path.')
  }
  if (absolute === resolve(input)) {
    throw invalidOption('checkpoint', 'another file than the input', path, 'It would overwrite what is to be read.')
  }
  return Object.freeze({ path: absolute, everyMs: period })
}
