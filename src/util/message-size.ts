import type { Message } from '../message.ts'

/** Deeper levels of a value are not counted, so that a cycle ends. */
const maxDepth = 64

/** Nodes of one value that are looked at: a cycle with branches would else take for ever. */
const maxNodes = 1_000_000

/**
 * The size of a message in bytes: its value, key and headers. Exact for a `Uint8Array` and a string; an estimate of the
 * packed size for anything else, and a lower bound for a cyclic value, or one whose properties throw when they are read.
 */
export function messageSize(message: Message<unknown>): number {
  const { headers, value } = message
  // `length` is the same as `byteLength` here, and V8 reads it several times faster.
  let size = value instanceof Uint8Array ? value.length : valueSize(value)
  size += utf8Length(message.key)
  if (headers !== undefined) {
    for (const name of Object.keys(headers)) size += utf8Length(name) + utf8Length(headers[name])
  }
  return size
}

function valueSize(value: unknown): number {
  if (typeof value === 'string') return utf8Length(value)
  const count = new PackedSize()
  try {
    count.add(value, 0)
  } catch {
    // Whoever packs the value meets the same error, and has a place to report it.
  }
  return count.bytes
}

/** A running sum, so that what was counted before an accessor threw is kept. */
class PackedSize {
  bytes = 0
  #nodes = 0

  add(value: unknown, depth: number): void {
    this.#nodes += 1
    if (this.#nodes > maxNodes || depth > maxDepth) return
    if (typeof value === 'string') this.bytes += utf8Length(value) + 2
    else if (typeof value === 'number') this.bytes += numberSize(value)
    else if (typeof value === 'bigint') this.bytes += 9
    else if (typeof value === 'object' && value !== null) this.#addObject(value, depth + 1)
    else this.bytes += 1
  }

  #addObject(value: object, depth: number): void {
    this.bytes += 3
    if (Array.isArray(value) || value instanceof Set) {
      for (const item of value) this.add(item, depth)
    } else if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      this.bytes += value.byteLength
    } else if (value instanceof Map) {
      for (const [key, item] of value) {
        this.add(key, depth)
        this.add(item, depth)
      }
    } else if (value instanceof Date) {
      this.bytes += 8
    } else {
      const fields = value as Record<string, unknown>
      for (const name of Object.keys(fields)) {
        this.bytes += utf8Length(name) + 1
        this.add(fields[name], depth)
      }
    }
  }
}

function numberSize(value: number): number {
  if (!Number.isInteger(value)) return 9
  const magnitude = Math.abs(value)
  if (magnitude < 128) return 1
  if (magnitude < 65_536) return 3
  return magnitude < 4_294_967_296 ? 5 : 9
}

/** Most keys and headers are short and ASCII, where a loop beats the call into `Buffer`. */
function utf8Length(text: unknown): number {
  if (typeof text !== 'string') return 0
  if (text.length > 64) return Buffer.byteLength(text)
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.byteLength(text)
  }
  return text.length
}
