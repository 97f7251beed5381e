import type { Codec } from '../handler/handler.ts'

/**
 * How a codec of ours encodes into a buffer that it uses again and again: its result is valid until the next call. The
 * worker, which copies it at once, saves an ArrayBuffer a message, and with it much of the collector's work. `encode`
 * itself gives bytes of their own, since user code may keep them.
 */
export const encodeShared: unique symbol = Symbol('millrace.encodeShared') as never

/** A codec that may have it. */
export interface SharedEncode<in T> {
  [encodeShared]?(value: T): Uint8Array
}

/** The codec, with it. Not enumerable: a codec that spreads ours and brings an `encode` of its own must not get it. */
export function withSharedEncode<T>(codec: Codec<T>, encode: (value: T) => Uint8Array): Codec<T> & SharedEncode<T> {
  return Object.defineProperty(codec, encodeShared, { value: encode })
}

const encoder = new TextEncoder()
let scratch = new Uint8Array(16 * 1024)
/** The most bytes of UTF-8 that one UTF-16 unit takes. */
const MAX_UNIT_BYTES = 3

/** Text as UTF-8, valid until the next call. */
export function encodeUtf8Shared(text: string): Uint8Array {
  if (text.length * MAX_UNIT_BYTES > scratch.length) scratch = new Uint8Array(text.length * MAX_UNIT_BYTES * 2)
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written)
}
