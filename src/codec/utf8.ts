import { Buffer, isUtf8 } from 'node:buffer'

/** Bytes as text; throws on invalid UTF-8, which any other reading would change silently. */
export function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes))
    throw new TypeError('Expected UTF-8, got bytes that are not. Use no codec for raw bytes, or one of your own.')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

const encoder = new TextEncoder()

/** Text as UTF-8, in a buffer of its own; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text)
}
