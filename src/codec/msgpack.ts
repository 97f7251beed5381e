import type { Codec } from '../handler/handler.ts'
import { packForeign, unpackForeign } from '../wire/msgpack.ts'

/**
 * Plain msgpack, one value a message, as other languages write and read it. Maps are decoded to objects; 64-bit integers
 * that a number cannot hold become BigInt. Truncated or trailing bytes, and extension types, fail the message with the stage
 * `'decode'`.
 *
 * **Gotchas.** `T` is what you expect, not what is checked: validate in the handler what you cannot trust.
 *
 * @example
 * ```ts
 * import { defineHandler, msgpack } from 'millrace/handler'
 *
 * export default defineHandler({
 *   input: msgpack<{ name: string }>(),
 *   output: msgpack<{ greeting: string }>(),
 *   handle: (message) => [{ value: { greeting: `Hello ${message.value.name}!` } }],
 * })
 * ```
 */
export function msgpack<T>(): Codec<T> {
  return { decode: (bytes) => unpackForeign(bytes) as T, encode: packForeign }
}
