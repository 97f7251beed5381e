import { describe, expect, it } from 'vitest'
import { pack } from 'msgpackr'
import type { Message } from '../../../src/message.ts'
import { messageSize } from '../../../src/util/message-size.ts'

function of(value: unknown, rest: Partial<Message<unknown>> = {}): number {
  return messageSize({ key: '', topic: 'a topic is not counted', value, ...rest })
}

describe('messageSize', () => {
  it('is exact for bytes, of a whole buffer and of a view', () => {
    expect(of(new Uint8Array(0))).toBe(0)
    expect(of(new Uint8Array(1_000))).toBe(1_000)
    expect(of(new Uint8Array(1_000).subarray(10, 30))).toBe(20)
    expect(of(Buffer.from('grüße'))).toBe(7)
  })

  it('counts UTF-8 bytes of a string, short and long', () => {
    for (const text of ['', 'plain', 'grüße', '日本', '😀', '\ud800', 'x'.repeat(100), 'é'.repeat(100)]) {
      expect(of(text)).toBe(Buffer.byteLength(text))
    }
  })

  it('adds the key and the headers, names and values', () => {
    expect(of(new Uint8Array(5), { key: 'ключ' })).toBe(13)
    expect(of(new Uint8Array(5), { headers: { a: 'bc', é: '' } })).toBe(10)
    const headers = JSON.parse('{"__proto__":"four"}') as Record<string, string>
    expect(of(new Uint8Array(0), { headers })).toBe(13)
  })

  it('estimates a structured value near its packed size', () => {
    const values = [
      { id: 17, name: 'a name of some length', tags: ['one', 'two', 'three'], at: 1_700_000_000_000, ratio: 0.25 },
      Array.from({ length: 500 }, (_, index) => ({ index, text: `line ${index}` })),
      [1, 200, 70_000, 2 ** 40, -1, 0.1, true, null, 'x'.repeat(300)],
      { bytes: new Uint8Array(10_000), nested: { deep: { deeper: [[[['end']]]] } } },
    ]
    for (const value of values) {
      const packed = pack(value).byteLength
      expect(of(value)).toBeGreaterThan(packed * 0.8)
      expect(of(value)).toBeLessThan(packed * 1.5 + 20)
    }
  })

  it('knows maps, sets, dates, buffers and big integers', () => {
    expect(of(new Map([['key', new Uint8Array(100)]]))).toBeGreaterThan(100)
    expect(of(new Set(['x'.repeat(100)]))).toBeGreaterThan(100)
    expect(of(new ArrayBuffer(100))).toBeGreaterThanOrEqual(100)
    expect(of(new Float64Array(100))).toBeGreaterThanOrEqual(800)
    expect(of(new Date(0))).toBeGreaterThan(4)
    expect(of(5n)).toBe(9)
  })

  it('ends on a cycle, on branching cycles and on great depth', () => {
    const cycle: unknown[] = []
    cycle.push(cycle, cycle, cycle)
    expect(of(cycle)).toBeGreaterThan(0)
    let deep: unknown = 'bottom'
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(of(deep)).toBeGreaterThan(0)
  })

  it('is a finite number for whatever comes', () => {
    const trap = {
      good: 'x'.repeat(50),
      get bad(): never {
        throw new Error('accessor')
      },
    }
    expect(of(trap)).toBeGreaterThanOrEqual(50)
    for (const value of [undefined, null, NaN, Infinity, () => 1, Symbol('s'), true]) {
      expect(Number.isFinite(of(value))).toBe(true)
    }
  })
})
