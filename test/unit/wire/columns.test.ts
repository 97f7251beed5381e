import { expect, test } from 'vitest'
import { packColumns, unpack } from '../../../src/wire/msgpack.ts'
import { ReplyReader, ReplyWriter } from '../../../src/wire/reply.ts'

test('columns carry every small number: none is taken for the id of a record', () => {
  const numbers = Array.from({ length: 300 }, (_, index) => index - 20)
  expect(unpack(packColumns(numbers).slice())).toEqual(numbers)
})

test('a reply of any number of messages is read as it was written, by a writer that is used again', () => {
  const writer = new ReplyWriter()
  for (let count = 1; count <= 300; count++) {
    writer.begin(new ArrayBuffer(1024))
    for (let index = 0; index < count; index++) {
      writer.open()
      writer.add({ index }, {})
      writer.done(index)
    }
    const { buffer, length } = writer.finish(false, 1)
    const reply = new ReplyReader(new Uint8Array(buffer, 0, length))
    expect(reply.entries).toBe(count)
    expect(reply.value(count - 1)).toEqual({ index: count - 1 })
  }
})
