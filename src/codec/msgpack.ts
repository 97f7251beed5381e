import type { Codec } from '../handler/handler.ts'
import { packPlain } from '../wire/msgpack.ts'
import { MsgpackReader } from './msgpack-reader.ts'

/**
 * Plain msgpack, one value a message, as other languages write and read it. Maps are decoded to objects, the timestamp
 * extension to a `Date` (cut to milliseconds), and integers that a number cannot hold to a BigInt. Truncated or trailing
 * bytes, strings that are not UTF-8, other extensions, and more than 256 levels fail the message with the stage `'decode'`;
 * what msgpack has no form for (a function, a Set, an integer beyond 64 bits) with the stage `'encode'`.
 *
 * **Gotchas.** `T` is what you expect, not what is checked: validate in the handler what you cannot trust. `undefined` is
 * written as nil, and −0 as 0.
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
  return { decode: (bytes) => new MsgpackReader(bytes).readAll() as T, encode: packPlain }
}
