import { expect, test } from 'vitest'
import { memoryDestination } from '../../src/connectors/memory/memory-destination.ts'
import { Attributes, type Message } from '../../src/message.ts'
import { messagesOf, noAbort, RecordingSettlement } from '../helpers/recording-settlement.ts'

class Origin extends Attributes {}

test('collects in order and acks at once', () => {
  const destination = memoryDestination<number>()
  const settlement = new RecordingSettlement(2)
  destination.send(messagesOf(1, 2), settlement, noAbort)
  destination.send(messagesOf(3), new RecordingSettlement(1), noAbort)
  expect(destination.values).toEqual([1, 2, 3])
  expect(destination.messages.map((message) => message.id)).toEqual(['m:0', 'm:1', 'm:0'])
  expect(settlement.ranges).toEqual([['ack', 0, 2]])
  expect(destination.pending).toEqual([])
})

test('G10: bytes are copied, also inside a structured value, and a small view does not keep its buffer', () => {
  const destination = memoryDestination<unknown>()
  const buffer = new ArrayBuffer(1 << 20)
  const bytes = new Uint8Array(buffer, 100, 3).fill(7)
  destination.send(messagesOf<unknown>(bytes, { inner: [bytes] }), new RecordingSettlement(2), noAbort)
  new Uint8Array(buffer).fill(0)
  const [first, second] = destination.values as [Uint8Array, { inner: [Uint8Array] }]
  expect([...first]).toEqual([7, 7, 7])
  expect([...second.inner[0]]).toEqual([7, 7, 7])
  expect(second.inner[0].buffer.byteLength).toBeLessThan(1_000)
})

test('G8: all fields of a message are kept, also where they are accessors', () => {
  const attributes = new Origin()
  const headers = Object.assign(Object.create(null) as Record<string, string>, { h: '1' })
  class Lazy implements Message<string> {
    readonly id = 'i'
    readonly key = 'k'
    readonly topic = 't'
    readonly headers = headers
    readonly attributes = attributes
    get value(): string {
      return 'v'
    }
  }
  const destination = memoryDestination<string>()
  destination.send([new Lazy()], new RecordingSettlement(1), noAbort)
  expect(destination.messages).toEqual([{ id: 'i', key: 'k', value: 'v', topic: 't', headers, attributes }])
  expect(destination.messages[0]?.attributes).toBe(attributes)
})

test('manual: a send is pending until each of its messages is settled', () => {
  const destination = memoryDestination<string>({ settle: 'manual' })
  const settlement = new RecordingSettlement(3)
  destination.send(messagesOf('a', 'b', 'c'), settlement, noAbort)
  destination.send(messagesOf('d'), new RecordingSettlement(1), noAbort)
  destination.send([], new RecordingSettlement(0), noAbort)
  const [first, second] = destination.pending
  expect(destination.pending).toHaveLength(2)
  expect(first?.messages.map((message) => message.value)).toEqual(['a', 'b', 'c'])
  first?.ack(0, 1)
  first?.ack(0, 1)
  first?.ack(1, 1)
  const reason = new Error('no')
  first?.nack(reason, 2, 3)
  expect(destination.pending).toHaveLength(2)
  second?.ack()
  expect(destination.pending).toEqual([first])
  first?.ack()
  expect(destination.pending).toEqual([])
  expect(settlement.outcomes).toEqual(['ack', 'ack', reason])
})

test('counts flushes and knows that it was closed', async () => {
  const destination = memoryDestination()
  destination.flush()
  destination.flush()
  expect([destination.flushes, destination.closed]).toEqual([2, false])
  await destination.close()
  expect(destination.closed).toBe(true)
})

test('refuses a wrong option', () => {
  expect(() => memoryDestination({ settle: 'later' as 'auto' })).toThrow(
    expect.objectContaining({ code: 'MR_OPTION_INVALID' }),
  )
  expect(() => memoryDestination({ sttle: 'auto' } as object)).toThrow(/sttle/)
})
