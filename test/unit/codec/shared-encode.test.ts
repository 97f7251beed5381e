import { describe, expect, it } from 'vitest'
import { json } from '../../../src/codec/json.ts'
import { encodeShared, type SharedEncode } from '../../../src/codec/shared-encode.ts'
import { text } from '../../../src/codec/text.ts'
import type { Codec } from '../../../src/handler/handler.ts'

type Shared = Codec<string> & SharedEncode<string>

describe.each([
  ['text', text() as Shared],
  ['json', json<string>() as Shared],
])('the shared encode of %s', (_, codec) => {
  it.each(['', 'short', 'Ünïcödé 語 💥 \ud800', 'x'.repeat(100_000), 'é'.repeat(40_000)])(
    'writes what encode does',
    (value) => {
      expect(Buffer.from(codec[encodeShared]?.(value) ?? [])).toEqual(Buffer.from(codec.encode(value)))
    },
  )

  it('G10: is valid until the next call, while encode gives bytes that stay', () => {
    const [shared, own] = [codec[encodeShared]?.('aaaa'), codec.encode('aaaa')]
    const before = Uint8Array.from(own)
    codec[encodeShared]?.('bbbb')
    codec.encode('cccc')
    expect([own, shared?.includes(0x62)]).toEqual([before, true])
  })

  it('is not taken along by a codec that spreads this one and brings its own encode', () => {
    const mine: Shared = { ...codec, encode: () => Uint8Array.of(1) }
    expect(mine[encodeShared]).toBeUndefined()
  })
})
