/** What a far end can carry: any bytes, or what fits on one line. */
export type ValueKind = 'any' | 'line'

/**
 * Values that differ from each other, the same ones at each call. Kind `'any'` holds every byte, an empty value and
 * invalid UTF-8; kind `'line'` holds no line feed, no carriage return at the end, and is never empty.
 */
export function sampleValues(kind: ValueKind, count: number): readonly Uint8Array[] {
  const bodies = kind === 'any' ? [...lineBodies, ...anyBodies] : lineBodies
  return Array.from({ length: count }, (_, index) => {
    if (kind === 'any' && index === 2) return new Uint8Array()
    return Uint8Array.from(Buffer.concat([Buffer.from(`${index}:`), bodies[index % bodies.length] ?? Buffer.alloc(0)]))
  })
}

/** One value of this many bytes. */
export function largeValue(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => 0x20 + ((index * 7 + (index >> 8)) % 0x5f))
}

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
const lineBodies: readonly Buffer[] = [
  Buffer.from('plain text'),
  Buffer.from('{"name":"Hiroshi","greeting":"こんにちは"}'),
  Buffer.from(everyByte.filter((byte) => byte !== 0x0a && byte !== 0x0d)),
  Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0x00, 0xed, 0xa0, 0x80]),
  Buffer.from('\tleading and trailing space '),
]
const anyBodies: readonly Buffer[] = [everyByte, Buffer.from('\n\r\n\n'), Buffer.alloc(300), Buffer.from('\r')]

/** The values as text that is equal where, and only where, the bytes are. */
export function fingerprint(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
}

/** A value for an error message. */
export function show(value: Uint8Array | undefined): string {
  if (value === undefined) return 'nothing'
  const text = JSON.stringify(fingerprint(value.subarray(0, 40)))
  return `${value.byteLength} bytes ${text}${value.byteLength > 40 ? '…' : ''}`
}
