import { isUtf8 } from 'node:buffer'
import { inspect } from 'node:util'
import { deserialize, serialize } from 'node:v8'
import { truncateUtf8 } from './truncate-utf8.ts'

/**
 * Any value as JSON, under the one key that says how to read it:
 *
 * | key | what the value was |
 * |---|---|
 * | `utf8` | bytes that are valid UTF-8 |
 * | `base64` | any other bytes |
 * | `json` | what JSON carries without loss |
 * | `v8` | what only structured clone carries (BigInt, Map, Date, NaN, undefined, nested bytes): base64 of `v8.serialize` |
 * | `inspect` | what nothing carries, such as a function: a description, from which the value cannot be restored |
 */
export type TaggedValue =
  | { readonly utf8: string }
  | { readonly base64: string }
  | { readonly json: unknown }
  | { readonly v8: string }
  | { readonly inspect: string }

const maxInspectBytes = 4_096
const maxJsonDepth = 256

/** Tags a value. Never throws. */
export function tagValue(value: unknown): TaggedValue {
  try {
    if (value instanceof Uint8Array) {
      const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      return isUtf8(bytes) ? { utf8: bytes.toString('utf8') } : { base64: bytes.toString('base64') }
    }
    if (isJson(value, 0)) return { json: value }
    return { v8: serialize(value).toString('base64') }
  } catch {
    return { inspect: truncateUtf8(inspected(value), maxInspectBytes) }
  }
}

/** The value that was tagged; bytes come as a plain `Uint8Array`. Throws where there is none to restore. */
export function untagValue(tagged: unknown): unknown {
  const [entry, ...rest] = typeof tagged === 'object' && tagged !== null ? Object.entries(tagged) : []
  if (entry === undefined || rest.length > 0) throw new Error('its value is not an object with one key')
  const [tag, content] = entry as [string, unknown]
  if (tag === 'json') return content
  if (tag === 'inspect') throw new Error('only a description of the value was kept, since nothing carries it')
  if (typeof content !== 'string') throw new Error(`\`${tag}\` of its value is not a string`)
  if (tag === 'utf8') return new Uint8Array(Buffer.from(content, 'utf8'))
  if (tag === 'base64') return new Uint8Array(base64Bytes(content))
  if (tag === 'v8') return deserialize(base64Bytes(content))
  throw new Error('the key of its value is none of utf8, base64, json and v8')
}

/** Node skips what is not base64: a corrupt value must not become another one. */
function base64Bytes(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text) throw new Error('its value is not valid base64')
  return bytes
}

/** Whether `JSON.parse(JSON.stringify(value))` is the value again. */
function isJson(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value !== 'object' || depth === maxJsonDepth) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Array.isArray(value)) {
    // Holes and named properties of an array are lost in JSON.
    return prototype === Array.prototype && Object.keys(value).length === value.length && allJson(value, depth)
  }
  if (prototype !== Object.prototype && prototype !== null) return false
  return Object.getOwnPropertySymbols(value).length === 0 && allJson(Object.values(value), depth)
}

function allJson(values: readonly unknown[], depth: number): boolean {
  return values.every((value) => isJson(value, depth + 1))
}

function inspected(value: unknown): string {
  try {
    return inspect(value, { breakLength: Infinity, maxStringLength: 1_000 })
  } catch {
    return 'a value that cannot be inspected'
  }
}
