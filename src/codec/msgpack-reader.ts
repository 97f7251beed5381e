import { MAX_DEPTH } from '../wire/crossable.ts'

const TIMESTAMP = -1

/**
 * Reads plain msgpack from outside, strictly: exactly one value, strings in UTF-8, no extension but the timestamp. msgpackr
 * is not used for this: it also reads regular expressions, errors, pointers and record definitions, renames a `__proto__`,
 * and repairs invalid UTF-8 silently.
 */
export class MsgpackReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #position = 0
  #depth = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Throws where the bytes are not exactly one value. */
  readAll(): unknown {
    const value = this.#value()
    const rest = this.#bytes.length - this.#position
    if (rest > 0) throw new TypeError(`Expected one msgpack value, got ${rest} bytes behind it.`)
    return value
  }

  #value(): unknown {
    const at = this.#take(1)
    const token = this.#view.getUint8(at)
    if (token < 0x80) return token
    if (token < 0x90) return this.#map(token & 0x0f)
    if (token < 0xa0) return this.#array(token & 0x0f)
    if (token < 0xc0) return this.#string(token & 0x1f)
    if (token >= 0xe0) return token - 0x100
    return this.#token(token, at)
  }

  #token(token: number, at: number): unknown {
    const view = this.#view
    switch (token) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#length(token - 0xc4))
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length(token - 0xc7))
      case 0xca:
        return view.getFloat32(this.#take(4))
      case 0xcb:
        return view.getFloat64(this.#take(8))
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#length(token - 0xcc)
      case 0xcf:
        return toNumber(view.getBigUint64(this.#take(8)))
      case 0xd0:
        return view.getInt8(this.#take(1))
      case 0xd1:
        return view.getInt16(this.#take(2))
      case 0xd2:
        return view.getInt32(this.#take(4))
      case 0xd3:
        return toNumber(view.getBigInt64(this.#take(8)))
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (token - 0xd4))
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#string(this.#length(token - 0xd9))
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(token - 0xdb))
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(token - 0xdd))
      default:
        throw new TypeError(`Expected msgpack, got the byte 0x${token.toString(16)} at ${at}.`)
    }
  }

  /** Claims the next bytes; returns where they begin. */
  #take(count: number): number {
    const at = this.#position
    if (count > this.#bytes.length - at)
      throw new TypeError(`Expected more msgpack, got the end after ${this.#bytes.length} bytes.`)
    this.#position = at + count
    return at
  }

  /** An unsigned integer of 1, 2 or 4 bytes. */
  #length(power: number): number {
    if (power === 0) return this.#view.getUint8(this.#take(1))
    return power === 1 ? this.#view.getUint16(this.#take(2)) : this.#view.getUint32(this.#take(4))
  }

  #binary(length: number): Uint8Array {
    const at = this.#take(length)
    return Uint8Array.prototype.slice.call(this.#bytes, at, at + length)
  }

  #string(length: number): string {
    const at = this.#take(length)
    return decoder.decode(this.#bytes.subarray(at, at + length))
  }

  #array(length: number): unknown[] {
    this.#enter()
    const items: unknown[] = []
    for (let index = 0; index < length; index++) items.push(this.#value())
    this.#depth--
    return items
  }

  #map(length: number): Record<string, unknown> {
    this.#enter()
    const fields: Record<string, unknown> = {}
    for (let index = 0; index < length; index++) {
      const key = this.#key()
      const value = this.#value()
      if (key === '__proto__')
        Object.defineProperty(fields, key, { value, enumerable: true, configurable: true, writable: true })
      else fields[key] = value
    }
    this.#depth--
    return fields
  }

  /** Numbers are keys of objects too; anything else is not. */
  #key(): string {
    const key = this.#value()
    if (typeof key === 'string') return key
    if (typeof key === 'number' || typeof key === 'bigint') return String(key)
    throw new TypeError(
      `Expected a string or a number as a key of a msgpack map, got ${key === null ? 'null' : typeof key}.`,
    )
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH)
      throw new TypeError(`Expected at most ${MAX_DEPTH} levels of msgpack arrays and maps.`)
  }

  #extension(length: number): Date {
    const type = this.#view.getInt8(this.#take(1))
    const at = this.#take(length)
    if (type !== TIMESTAMP || (length !== 4 && length !== 8 && length !== 12)) {
      throw new TypeError(`Expected no msgpack extension but the timestamp, got type ${type} with ${length} bytes.`)
    }
    return this.#timestamp(at, length)
  }

  /** A Date holds milliseconds: what is finer is cut. */
  #timestamp(at: number, length: 4 | 8 | 12): Date {
    const view = this.#view
    let seconds: number
    let nanoseconds = 0
    if (length === 4) seconds = view.getUint32(at)
    else if (length === 8) {
      const upper = view.getUint32(at)
      nanoseconds = upper >>> 2
      seconds = (upper & 3) * 2 ** 32 + view.getUint32(at + 4)
    } else {
      nanoseconds = view.getUint32(at)
      seconds = Number(view.getBigInt64(at + 4))
    }
    const date = new Date(seconds * 1_000 + Math.floor(nanoseconds / 1_000_000))
    if (nanoseconds >= 1_000_000_000 || Number.isNaN(date.getTime())) {
      throw new TypeError(`Expected a msgpack timestamp that a Date can hold, got ${seconds} s and ${nanoseconds} ns.`)
    }
    return date
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function toNumber(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
