import type { Codec } from '../handler/handler.ts'
import { encodeUtf8Shared, withSharedEncode } from './shared-encode.ts'
import { decodeUtf8, encodeUtf8 } from './utf8.ts'

/**
 * UTF-8 text. Bytes that are not valid UTF-8 fail the message with the stage `'decode'`, since text made of them would not
 * be what was received.
 *
 * @example
 * ```ts
 * import { defineHandler, text } from 'millrace/handler'
 *
 * export default defineHandler({
 *   input: text(),
 *   output: text(),
 *   handle: (message) => [{ value: message.value.toUpperCase() }],
 * })
 * ```
 */
export function text(): Codec<string> {
  return withSharedEncode({ decode: decodeUtf8, encode: encodeUtf8 }, encodeUtf8Shared)
}
