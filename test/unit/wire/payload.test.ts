import { describe, expect, it } from 'vitest'
import { PayloadReader, PayloadWriter } from '../../../src/wire/payload.ts'
import { ReplyReader, ReplyWriter, type WireFailure } from '../../../src/wire/reply.ts'
import { RequestReader, RequestWriter } from '../../../src/wire/request.ts'
import { reply, request } from './arbitrary.ts'

const failure: WireFailure = { stage: 'encode', code: 'MR_VALUE_UNSUPPORTED', message: 'no' }

function read(writer: PayloadWriter): PayloadReader<object> {
  const { buffer, length } = writer.finish({})
  return new PayloadReader(new Uint8Array(buffer, 0, length))
}

function valuesOf(reader: { readonly count: number; value(index: number): unknown }): unknown[] {
  return Array.from({ length: reader.count }, (_, index) => reader.value(index))
}

describe('a payload', () => {
  it('keeps bytes and other values apart, and gives both back in the order in which they came', () => {
    const writer = new PayloadWriter()
    writer.begin(new ArrayBuffer(16))
    const values = [
      Uint8Array.of(1, 2),
      'text',
      new Uint8Array(),
      { a: 1 },
      Uint8Array.of(3),
      undefined,
      null,
      Buffer.of(4),
    ]
    for (const value of values) writer.add(value)
    const reader = read(writer)
    expect(valuesOf(reader)).toEqual(
      values.map((value) => (value instanceof Uint8Array ? Uint8Array.from(value) : value)),
    )
    expect(reader.value(7)?.constructor).toBe(Uint8Array)
  })

  it('G10: gives bytes as views of the one buffer, none of which reaches into another', () => {
    const writer = new PayloadWriter()
    writer.begin(new ArrayBuffer(64))
    for (const length of [3, 0, 5]) writer.add(new Uint8Array(length).fill(length))
    const { buffer, length } = writer.finish({})
    const reader = new PayloadReader(new Uint8Array(buffer, 0, length))
    const views = valuesOf(reader) as Uint8Array[]
    expect(views.map((view) => view.buffer === buffer)).toEqual([true, true, true])
    expect(views.map((view) => Array.from(view))).toEqual([[3, 3, 3], [], [5, 5, 5, 5, 5]])
  })

  it('copies what it is given: a source may reuse its buffer', () => {
    const writer = new PayloadWriter()
    writer.begin(new ArrayBuffer(64))
    const reused = { bytes: Uint8Array.of(1), fields: { n: 1 } }
    writer.add(reused.bytes)
    writer.add(reused.fields)
    reused.bytes[0] = 9
    reused.fields.n = 9
    expect(valuesOf(read(writer))).toEqual([Uint8Array.of(1), { n: 1 }])
  })

  it('grows as far as it must, and says how many bytes its values take', () => {
    const writer = new PayloadWriter()
    writer.begin(new ArrayBuffer(1))
    const large = new Uint8Array(300_000).map((_, index) => index)
    writer.add(large)
    expect(writer.byteLength).toBe(300_000)
    writer.add('x'.repeat(100_000))
    expect(writer.byteLength).toBe(400_005)
    expect(valuesOf(read(writer))).toEqual([large, 'x'.repeat(100_000)])
  })

  it('may be empty', () => {
    const writer = new PayloadWriter()
    writer.begin(new ArrayBuffer(64))
    const reader = read(writer)
    expect([reader.count, writer.count]).toEqual([0, 0])
  })

  it('is begun before it is written', () => {
    expect(() => new PayloadWriter().add(Uint8Array.of(1))).toThrow(TypeError)
  })

  it('starts anew each time: nothing of the chunk before is in the next one, records neither', () => {
    const writer = new PayloadWriter()
    for (const round of [0, 1, 2]) {
      writer.begin(new ArrayBuffer(64))
      for (const value of [
        { a: round, b: 2 },
        { a: round, b: 3 },
      ])
        writer.add(value)
      expect(valuesOf(read(writer))).toEqual([
        { a: round, b: 2 },
        { a: round, b: 3 },
      ])
    }
  })
})

describe('a message that failed between good ones', () => {
  it('G5, G10: is taken back with the records that it defined, so that no value decodes to the fields of another', () => {
    const writer = new ReplyWriter()
    writer.begin(new ArrayBuffer(64))
    const good = (index: number, value: unknown): void => {
      writer.open()
      writer.add(value, { key: `key ${index}`, headers: { index: String(index) } })
      writer.done(index)
    }
    good(0, { x: 1, y: 2 })
    writer.open()
    writer.add({ a: 'first defined here', b: 0 }, { key: 'gone', topic: 'gone', headers: { gone: 'yes' } })
    writer.add(Uint8Array.of(255, 255), {})
    writer.failed(1, failure)
    good(2, { a: 1, b: 2 })
    good(3, { x: 3, y: 4 })
    good(4, Uint8Array.of(4))
    const { buffer, length } = writer.finish(false, 0)
    const reader = new ReplyReader(new Uint8Array(buffer, 0, length))
    expect(Array.from({ length: reader.outputs }, (_, output) => reader.value(output))).toEqual([
      { x: 1, y: 2 },
      { a: 1, b: 2 },
      { x: 3, y: 4 },
      Uint8Array.of(4),
    ])
    expect([0, 1, 2, 3].map((output) => reader.key(output))).toEqual(['key 0', 'key 2', 'key 3', 'key 4'])
    expect([0, 1, 2, 3].map((output) => reader.headers(output)?.['index'])).toEqual(['0', '2', '3', '4'])
    expect([reader.topic(1), reader.failureOf(1), reader.outputsOf(1)]).toEqual([undefined, failure, 0])
  })

  it.each([
    ['in the middle of a record', { a: 1, nested: { b: 2, late: () => {} } }],
    [
      'at a getter',
      Object.defineProperty({ a: 1 }, 'late', {
        enumerable: true,
        get: () => {
          throw new Error('no')
        },
      }),
    ],
  ])('G5: leaves nothing behind where packing fails %s', (_, bad) => {
    const writer = new RequestWriter()
    writer.begin(new ArrayBuffer(64))
    const add = (value: unknown): void => writer.add({ key: '', topic: 't', value }, 1)
    add({ a: 1, nested: { b: 2 } })
    expect(() => add(bad)).toThrow(Error)
    add({ a: 3, nested: { b: 4 } })
    const { buffer, length } = writer.finish()
    const reader = new RequestReader(new Uint8Array(buffer, 0, length))
    expect([reader.count, reader.value(0), reader.value(1)]).toEqual([
      2,
      { a: 1, nested: { b: 2 } },
      { a: 3, nested: { b: 4 } },
    ])
  })

  it('G5: may be the first, the last, and every one', () => {
    const reader = reply([
      { outputs: [{ value: 1 }], failure },
      { outputs: [], failure },
      { outputs: [{ value: Uint8Array.of(1) }], failure },
    ])
    expect([reader.outputs, reader.entries, reader.failureOf(2)]).toEqual([0, 3, failure])
  })
})

describe('a reply', () => {
  it('costs a filtered message a number, and no payload', () => {
    const filtered = reply(Array.from({ length: 1_000 }, () => ({ outputs: [] })))
    expect(filtered.outputs).toBe(0)
    expect(filtered.byteLength).toBeLessThan(4_200)
  })

  it('keeps its counts, whatever they are, beside values that define records', () => {
    for (let count = 0; count < 200; count++) {
      const outputs = Array.from({ length: count }, (_, index) => ({ value: { index, count }, fields: {} }))
      const all = reply([{ outputs }, ...outputs.map((output) => ({ outputs: [output] }))])
      expect([all.entries, all.outputsOf(0), all.outputs]).toEqual([count + 1, count, count * 2])
      expect(count === 0 || all.value(count)).toEqual(count === 0 || { index: 0, count })
      const one = request([{ key: '', topic: '', value: { count } }], { attempt: () => count })
      expect([one.attempt(0), one.value(0)]).toEqual([count, { count }])
    }
  })

  it('comes in pieces, each with its own entries, and only the last without more', () => {
    const writer = new ReplyWriter()
    const pieces = [[3, 1], [2]].map((indexes, piece) => {
      writer.begin(new ArrayBuffer(64))
      for (const index of indexes) {
        writer.open()
        writer.add(`value ${index}`, {})
        writer.done(index)
      }
      const { buffer, length } = writer.finish(piece === 0, piece)
      return new ReplyReader(new Uint8Array(buffer, 0, length))
    })
    expect(pieces.map(({ more, entries, elapsedMs }) => [more, entries, elapsedMs])).toEqual([
      [true, 2, 0],
      [false, 1, 1],
    ])
    expect(pieces.map((piece) => [piece.indexOf(0), piece.value(0)])).toEqual([
      [3, 'value 3'],
      [2, 'value 2'],
    ])
    expect(pieces[0]?.indexOf(1)).toBe(1)
  })
})

/** Bytes of a request of 1,000 messages with these topics, and nothing else. */
function size(topic: (index: number) => string): number {
  const writer = new RequestWriter()
  writer.begin(new ArrayBuffer(64))
  for (let index = 0; index < 1_000; index++) writer.add({ key: '', topic: topic(index), value: new Uint8Array() }, 1)
  return writer.finish().length
}

describe('a request', () => {
  it('writes what is equal in all messages once', () => {
    expect(size(() => 'a topic that is long enough')).toBeLessThan(size((index) => `t${index}`) - 3_000)
  })

  it('G8: brings headers with any name, without a prototype, and pollutes nothing', () => {
    const headers = JSON.parse('{"__proto__": "own", "constructor": "c", "toString": "t"}') as Record<string, string>
    const reader = request([{ key: '', topic: '', value: 1, headers }])
    const arrived = reader.message(0, 1).headers
    expect(Object.entries(arrived ?? {})).toEqual([
      ['__proto__', 'own'],
      ['constructor', 'c'],
      ['toString', 't'],
    ])
    expect(Object.getPrototypeOf(arrived)).toBeNull()
    expect(({} as Record<string, unknown>)['own']).toBeUndefined()
  })

  it('G8: brings keys, topics and headers in any text; a lone surrogate becomes U+FFFD', () => {
    const odd = `\ufeff${'long '.repeat(20)}\ud800.`
    const [headers, mended] = [{ [odd]: odd }, odd.replace('\ud800', '\ufffd')]
    const message = request([{ id: odd, key: odd, topic: odd, value: 1, headers }]).message(0, 1)
    expect([message.id, message.key, message.topic]).toEqual([mended, mended, mended])
    expect(message.headers).toEqual({ [mended]: mended })
  })
})
