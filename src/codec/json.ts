import type { Codec } from '../handler/handler.ts'
import { encodeUtf8Shared, withSharedEncode } from './shared-encode.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

/**
 * JSON in UTF-8, one document a message. Bytes that are not valid UTF-8 or not JSON fail the message with the stage
 * `'decode'`; a value that JSON has no form for (`undefined`, a function, a BigInt, a cycle) with the stage `'encode'`.
 *
 * **Gotchas.** `T` is what you expect, not what is checked: validate in the handler what you cannot trust.
 *
 * @example
 * ```ts
 * import { defineHandler, json } from 'millrace/handler'
 *
 * export default defineHandler({
 *   input: json<{ name: string }>(),
 *   handle: (message) => [{ value: message.value.name }],
 * })
 * ```
 */
export function json<T>(): Codec<T> {
  const codec: Codec<T> = {
    decode: (bytes) => JSON.parse(decodeUtf8(bytes)) as T,
    encode: (value) => encodeUtf8(stringify(value)),
  }
  return withSharedEncode(codec, (value) => encodeUtf8Shared(stringify(value)))
}

function stringify(value: unknown): string {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`JSON has no form for ${typeof value}`)
  return text
}
