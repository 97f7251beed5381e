import { describe, expect, it } from 'vitest'
import { BufferStock } from '../../../src/wire/buffer-stock.ts'
import { bufferSize, ChunkBuffer } from '../../../src/wire/chunk-buffer.ts'
import { ReplyReader, ReplyWriter } from '../../../src/wire/reply.ts'
import { RequestReader, RequestWriter } from '../../../src/wire/request.ts'
import { reply } from './arbitrary.ts'

describe('BufferStock', () => {
  it('gives the newest free buffer that is large enough, and makes one where there is none', () => {
    const stock = new BufferStock()
    const [small, large] = [new ArrayBuffer(100), new ArrayBuffer(1_000)]
    stock.give(large)
    stock.give(small)
    expect(stock.take(50)).toBe(small)
    stock.give(small)
    expect(stock.take(500)).toBe(large)
    expect(stock.take(500).byteLength).toBe(bufferSize(500))
    expect(stock.take(50)).toBe(small)
  })

  it('G10: never gives a buffer twice', () => {
    const stock = new BufferStock()
    stock.give(new ArrayBuffer(100))
    const taken = [stock.take(10), stock.take(10), stock.take(10)]
    expect(new Set(taken).size).toBe(3)
  })

  it('keeps no more than its limit: the oldest are let go', () => {
    const stock = new BufferStock(2)
    const buffers = [1, 2, 3].map((size) => new ArrayBuffer(size))
    for (const buffer of buffers) stock.give(buffer)
    expect([stock.take(1), stock.take(1)]).toEqual([buffers[2], buffers[1]])
    expect(buffers).not.toContain(stock.take(1))
  })
})

describe('ChunkBuffer', () => {
  it('grows by powers of two from 64 KiB, and keeps what was written', () => {
    expect([0, 1, 65_536, 65_537, 1_000_000].map(bufferSize)).toEqual([65_536, 65_536, 65_536, 131_072, 1_048_576])
    const buffer = new ChunkBuffer(new ArrayBuffer(3))
    const written: number[] = []
    for (let round = 0; round < 500; round++) {
      const bytes = Uint8Array.from({ length: round }, (_, index) => round + index)
      buffer.append(bytes)
      buffer.appendByte(round)
      buffer.appendUint32(0xdead_beef)
      written.push(...bytes, round & 0xff, 0xde, 0xad, 0xbe, 0xef)
    }
    expect(Buffer.compare(buffer.view(), Uint8Array.from(written))).toBe(0)
    buffer.writeUint32(0, 0x0102_0304)
    expect([...buffer.view().subarray(0, 4)]).toEqual([1, 2, 3, 4])
  })
})

/** What a transfer does to a buffer, without a thread. */
function transfer(buffer: ArrayBuffer): ArrayBuffer {
  return structuredClone(buffer, { transfer: [buffer] })
}

describe('the buffers of chunks', () => {
  it('G10: a transferred buffer is ours alone: what sources and packers gave is still whole after it', () => {
    const pooled = Buffer.from('a pooled buffer of Node')
    const whole = new Uint8Array(64).fill(7)
    const view = whole.subarray(8, 16)
    const values = [pooled, whole, view, { nested: pooled, text: 'x'.repeat(10_000) }]
    const writer = new RequestWriter()
    for (let round = 0; round < 3; round++) {
      writer.begin(new ArrayBuffer(64))
      for (const value of values) writer.add({ key: 'k', topic: 't', value }, 1)
      const { buffer, length } = writer.finish()
      expect(values.every((value) => !(value instanceof Uint8Array) || value.buffer !== buffer)).toBe(true)
      const reader = new RequestReader(new Uint8Array(transfer(buffer), 0, length))
      expect(buffer.byteLength).toBe(0)
      expect(Array.from({ length: reader.count }, (_, index) => reader.value(index))).toEqual([
        Uint8Array.from(pooled),
        whole,
        Uint8Array.from(view),
        { nested: Uint8Array.from(pooled), text: 'x'.repeat(10_000) },
      ])
    }
    expect([pooled.toString(), whole.length, view.length]).toEqual(['a pooled buffer of Node', 64, 8])
    expect(pooled.buffer.byteLength).toBeGreaterThan(0)
  })

  it('G10: a buffer that is used again holds nothing of before where anybody looks', () => {
    const writer = new ReplyWriter()
    let buffer = new ArrayBuffer(64 * 1024)
    for (let round = 1; round < 50; round++) {
      new Uint8Array(buffer).fill(0xee)
      writer.begin(buffer)
      const outputs = Array.from({ length: 60 - round }, (_, index) => new Uint8Array(index * 7).fill(round))
      for (const [index, output] of outputs.entries()) {
        writer.open()
        writer.add(output, {})
        if (index % 5 === 0) writer.failed(index, { stage: 'handle', code: 'MR_HANDLER_THREW', message: '' })
        else writer.done(index)
      }
      const document = writer.finish(false, 0)
      const reader = new ReplyReader(new Uint8Array(document.buffer, 0, document.length))
      const kept = outputs.filter((_, index) => index % 5 !== 0)
      expect(Array.from({ length: reader.outputs }, (_, output) => reader.value(output))).toEqual(kept)
      buffer = document.buffer
    }
  })

  it('G10: two replies that are read at once do not touch each other', () => {
    const writer = new ReplyWriter()
    const of = (fill: number): ReplyReader => {
      const bytes = new Uint8Array(100).fill(fill)
      const outputs = [bytes, { bytes }].map((value) => ({ value, fields: {} }))
      return reply([{ outputs }], { writer })
    }
    const replies = [of(1), of(2), of(3)]
    for (const [index, reader] of replies.entries()) {
      const bytes = new Uint8Array(100).fill(index + 1)
      expect([reader.value(0), reader.value(1)]).toEqual([bytes, { bytes }])
    }
  })
})
