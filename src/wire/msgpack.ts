import { Buffer } from 'node:buffer'
import msgpackr from 'msgpackr/index-no-eval'
import { byteOrderMark, check, type Format, mend, toWellFormed } from './crossable.ts'

/**
 * msgpackr's entry that has neither the native addon nor generated code. It is an instance of its own: extensions that a
 * handler adds to msgpackr, and the addon that its main entry turns on, do not reach it.
 */
const { Packr, Unpackr } = msgpackr

const views = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  Buffer,
]

const unpackr = new Unpackr({ moreTypes: true, useRecords: true })

/** msgpack between threads of this process, with msgpackr's extensions. */
const wire: Format = {
  leaves: new Set([Date, RegExp, ArrayBuffer, ...views].map(({ prototype }) => prototype as object)),
  hasSets: true,
  // The first is renamed when it is read; the others break the definition of the record that they are in.
  refusesKey: (key) => key === '__proto__' || key === '__keys__' || key === 'hasOwnProperty',
  mendText(text) {
    const wellFormed = toWellFormed(text)
    if (!wellFormed.startsWith(byteOrderMark)) return wellFormed
    // msgpackr reads a long string with a TextDecoder, which drops the mark: one more in front is the one that it drops.
    return unpackr.unpack(newPackr().pack(wellFormed)) === wellFormed ? wellFormed : byteOrderMark + wellFormed
  },
}

/**
 * Packs values one by one so that their bytes, one after the other, are the elements of one self-contained msgpack array:
 * a record is defined where it is first used, and nothing is shared with another chunk. Records that were grown apart on
 * two sides would decode to the wrong object, silently.
 */
export class SequencePacker {
  #packr = newPackr()
  #fresh = true

  /**
   * A view of msgpackr's arena, valid until the next call: copy it at once, never transfer its buffer. Throws where the
   * value, or anything in it, would not arrive: one that cannot be read would take its whole chunk with it.
   */
  pack(value: unknown): Uint8Array {
    const packable = check(value, wire) ? value : mend(value, wire)
    this.#fresh = false
    try {
      return this.#packr.pack(packable)
    } catch (error) {
      this.reset()
      throw error
    }
  }

  /** Forgets the records that were defined: at the start of a chunk, and when packed bytes are taken back. */
  reset(): void {
    if (this.#fresh) return
    this.#packr = newPackr()
    this.#fresh = true
  }
}

/**
 * Reads a document that was packed here, by another thread of this process. Binary elements are views of `bytes`.
 * Not for bytes from outside: those go through the `msgpack` codec.
 */
export function unpack(bytes: Uint8Array): unknown {
  return unpackr.unpack(bytes)
}

// With records, though columns have none: without them 64 to 127 would be written as what the reader takes for record ids.
const columnPackr = new Packr({ useRecords: true, moreTypes: true })

/**
 * Packs columns: numbers, strings, typed arrays, lists of them; of these only a user's strings may need mending. By one
 * packer for all chunks, since the code of a new one is cold. A view of msgpackr's arena, as above.
 */
export function packColumns(columns: readonly unknown[]): Uint8Array {
  return columnPackr.pack(check(columns, wire) ? columns : mend(columns, wire))
}

function newPackr(): InstanceType<typeof Packr> {
  return new Packr({ sequential: true, useRecords: true, moreTypes: true, useBigIntExtension: true })
}

/** Plain msgpack, for programs in any language. */
const plain: Format = {
  leaves: new Set([Date.prototype, Uint8Array.prototype, Buffer.prototype]),
  hasSets: false,
  refusesKey: () => false,
  mendText: toWellFormed,
}

const plainPackr = new Packr({
  useRecords: false,
  variableMapSize: true,
  encodeUndefinedAsNil: true,
  onInvalidDate(): never {
    throw new TypeError('msgpack has no form for an invalid Date')
  },
})

/** Packs a value as plain msgpack, in a buffer of its own. Throws where it holds what plain msgpack has no form for. */
export function packPlain(value: unknown): Uint8Array {
  return new Uint8Array(plainPackr.pack(check(value, plain) ? value : mend(value, plain)))
}
