import { Packr, Unpackr } from 'msgpackr/pack'

/**
 * Packs values one by one so that their bytes, one after the other, are the elements of one self-contained msgpack array:
 * a record is defined where it is first used, and nothing is shared with another chunk. Records that were grown apart on
 * two sides would decode to the wrong object, silently.
 */
export class SequencePacker {
  #packr = newPackr()
  #fresh = true

  /** A view of msgpackr's arena, valid until the next call: copy it at once, never transfer its buffer. */
  pack(value: unknown): Uint8Array {
    this.#fresh = false
    try {
      return this.#packr.pack(value)
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

const unpackr = new Unpackr({ moreTypes: true, useRecords: true })

/**
 * Reads a document that was packed here, by another thread of this process. Binary elements are views of `bytes`.
 * Not for bytes from outside: those go through the `msgpack` codec.
 */
export function unpack(bytes: Uint8Array): unknown {
  return unpackr.unpack(bytes)
}

function newPackr(): Packr {
  return new Packr({
    sequential: true,
    useRecords: true,
    moreTypes: true,
    useBigIntExtension: true,
    writeFunction(value: (...args: never[]) => unknown): never {
      throw new TypeError(`a function (${value.name === '' ? 'anonymous' : value.name}) cannot cross threads`)
    },
  } as ConstructorParameters<typeof Packr>[0])
}

const foreign = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: false,
  int64AsType: 'auto',
  copyBuffers: true,
})

/** Packs a value as plain msgpack, without extensions of ours, in a buffer of its own. */
export function packForeign(value: unknown): Uint8Array {
  return new Uint8Array(foreign.pack(value))
}

/** Reads msgpack bytes from outside. Throws on what is not exactly one value. */
export function unpackForeign(bytes: Uint8Array): unknown {
  return foreign.unpack(bytes)
}
