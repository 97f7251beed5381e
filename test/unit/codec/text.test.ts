import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { text } from '../../../src/codec/text.ts'

const codec = text()

describe('text', () => {
  it('gives any text back as it was, byte order marks too', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '\ufeff', '\ufeffabc', '\0')),
        (value) => {
          expect(codec.decode(codec.encode(value))).toBe(value)
          expect(Buffer.from(codec.encode(value)).toString('utf8')).toBe(value)
        },
      ),
    )
  })

  it('reads a view of a larger buffer, and nothing around it', () => {
    const bytes = Buffer.from('abcdef')
    expect(codec.decode(new Uint8Array(bytes.buffer, bytes.byteOffset + 2, 3))).toBe('cde')
  })

  it('refuses what is not UTF-8, and changes no byte silently', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
        let value: string
        try {
          value = codec.decode(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError)
          expect(Buffer.from(Buffer.from(bytes).toString('utf8'))).not.toEqual(Buffer.from(bytes))
          return
        }
        expect(codec.encode(value)).toEqual(bytes)
      }),
      { numRuns: 2_000 },
    )
  })

  it('writes a lone surrogate as U+FFFD', () => {
    expect(codec.decode(codec.encode('a\ud800b'))).toBe('a\ufffdb')
  })
})
