import { MillraceError, toError } from './errors.ts'
import type { Message } from './message.ts'
import type { DeadLetter, Stage } from './processor/dead-letter.ts'
import { JsonFields } from './util/json-fields.ts'
import { type TaggedValue, tagValue, untagValue } from './util/tagged-value.ts'
import { truncateUtf8 } from './util/truncate-utf8.ts'

const maxErrorMessageBytes = 4_096
const maxErrorStackBytes = 8_192

const stages: Readonly<Record<Stage, true>> = {
  size: true,
  deliveries: true,
  decode: true,
  handle: true,
  encode: true,
  route: true,
  flush: true,
}

/**
 * A dead letter as one line of JSON, without the newline behind it. All fields are as in {@link DeadLetter}, but for
 * `value`, an object with one key that says how to read it: `utf8` (bytes that are valid UTF-8, as text), `base64` (other
 * bytes), `json` (what JSON carries without loss), `v8` (what only structured clone carries, such as a BigInt or a Map: base64
 * of `v8.serialize`), or `inspect` (what nothing carries, such as a function: a description only).
 *
 * Never throws for a value. The error's message is cut at 4 KiB, its stack at 8 KiB.
 *
 * @example
 * ```ts
 * import { deadLetterToJson } from 'millrace'
 *
 * const line = deadLetterToJson({
 *   value: new TextEncoder().encode('{"broken'),
 *   key: '',
 *   topic: 'events',
 *   stage: 'decode',
 *   attempts: 1,
 *   time: '2026-01-01T00:00:00.000Z',
 *   error: { name: 'SyntaxError', message: 'Unterminated string' },
 * })
 * console.log(line.includes('"value":{"utf8":"{\\"broken"}')) // true
 * ```
 */
export function deadLetterToJson(letter: DeadLetter): string {
  const { id, key, topic, headers, stage, attempts, time, outputs, error, value } = letter
  const { name, message, code, stack } = error
  const line: DeadLetterLine = {
    time,
    stage,
    attempts,
    error: {
      name,
      message: truncateUtf8(message, maxErrorMessageBytes),
      ...(code !== undefined && { code }),
      ...(stack !== undefined && { stack: truncateUtf8(stack, maxErrorStackBytes) }),
    },
    ...(id !== undefined && { id }),
    key,
    topic,
    ...(headers !== undefined && { headers }),
    ...(outputs !== undefined && { outputs }),
    value: tagValue(value),
  }
  return JSON.stringify(line)
}

/**
 * The dead letter that {@link deadLetterToJson} wrote: its exact inverse, but for what was cut. Unknown fields are ignored.
 *
 * @throws {MillraceError} `MR_DECODE` for anything else, and where only a description of the value was kept.
 *
 * @example
 * ```ts
 * import { deadLetterFromJson } from 'millrace'
 *
 * const line =
 *   '{"time":"2026-01-01T00:00:00.000Z","stage":"handle","attempts":3,"error":{"name":"Error","message":"no"},' +
 *   '"key":"","topic":"events","value":{"json":{"n":1}}}'
 * console.log(deadLetterFromJson(line).value) // { n: 1 }
 * ```
 */
export function deadLetterFromJson(line: Uint8Array | string): DeadLetter {
  try {
    const json = typeof line === 'string' ? line : new TextDecoder('utf-8', { fatal: true }).decode(line)
    return deadLetterOf(new JsonFields('the line', JSON.parse(json)))
  } catch (thrown) {
    const cause = toError(thrown)
    throw new MillraceError(
      'MR_DECODE',
      `Expected one line that \`deadLetterToJson\` wrote, but ${cause.message}. Check that it comes from a dead-letter file and is whole.`,
      { cause },
    )
  }
}

/**
 * Turns a line of a dead-letter file into the message that was given up, so that it can be fed in again: its id, key,
 * value, topic and headers. Attributes are those of the line. The type argument is the caller's word for the value's type.
 *
 * @throws {MillraceError} `MR_DECODE`, as {@link deadLetterFromJson}.
 *
 * @example
 * ```ts
 * import { deadLetterMessage, lines, mapSource } from 'millrace'
 *
 * const again = mapSource(lines('dead.ndjson'), deadLetterMessage<Uint8Array>)
 * await again.close?.()
 * ```
 */
export function deadLetterMessage<T = unknown>(message: Message<Uint8Array | string>): Message<T> {
  const { id, key, topic, headers, value } = deadLetterFromJson(message.value)
  return {
    ...(id !== undefined && { id }),
    key,
    value: value as T,
    topic,
    ...(headers !== undefined && { headers }),
    ...(message.attributes !== undefined && { attributes: message.attributes }),
  }
}

type DeadLetterLine = Omit<DeadLetter, 'value'> & { readonly value: TaggedValue }

function deadLetterOf(line: JsonFields): DeadLetter {
  const id = line.optionalString('id')
  const headers = line.optionalStrings('headers')
  const outputs = line.optionalNumbers('outputs')
  return {
    value: untagValue(line.get('value')),
    ...(id !== undefined && { id }),
    key: line.string('key'),
    topic: line.string('topic'),
    ...(headers !== undefined && { headers }),
    stage: stageOf(line.string('stage')),
    attempts: line.number('attempts'),
    time: line.string('time'),
    ...(outputs !== undefined && { outputs }),
    error: errorOf(line.object('error')),
  }
}

function stageOf(text: string): Stage {
  if (Object.hasOwn(stages, text)) return text as Stage
  throw new Error(`its stage is none of ${Object.keys(stages).join(', ')}`)
}

function errorOf(fields: JsonFields): DeadLetter['error'] {
  const code = fields.optionalString('code')
  const stack = fields.optionalString('stack')
  return {
    name: fields.string('name'),
    message: fields.string('message'),
    ...(code !== undefined && { code }),
    ...(stack !== undefined && { stack }),
  }
}
