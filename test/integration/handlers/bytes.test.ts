import { setTimeout as sleep } from 'node:timers/promises'
import { type Destination, memorySource, Processor } from 'millrace'
import { describe, expect, test } from 'vitest'
import { handlerOf, ids, runOver } from '../../helpers/pipeline.ts'

/** Bytes that only this message has. */
function pattern(index: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (index * 31 + at * 7 + (index >> 8)) % 256)
}

/** Lengths that make chunks of many sizes, with an empty and a very long one now and then. */
function lengthOf(index: number): number {
  if (index % 97 === 0) return 0
  return index % 211 === 0 ? 90_000 : (index * 37) % 900
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value
  const { first, rest, again } = value as { first: Uint8Array; rest: Uint8Array; again: Uint8Array[] }
  expect(again[0]).toEqual(Uint8Array.from([...first, ...rest]))
  return again[0] as Uint8Array
}

/** Holds what it is sent for a while, looks at it again, and only then settles it. */
class SlowReader implements Destination<unknown> {
  readonly wrong: string[] = []
  seen = 0

  async send(messages: Parameters<Destination<unknown>['send']>[0], settlement: { ack(): void }): Promise<void> {
    const late = sleep(5 + (this.seen % 20)).then(() => {
      for (const { id, value } of messages) {
        const index = Number(id?.replace('#0', ''))
        const expected = pattern(index, lengthOf(index))
        if (Buffer.compare(bytesOf(value), expected) !== 0) this.wrong.push(String(id))
      }
      settlement.ack()
    })
    late.catch((error: unknown) => this.wrong.push(String(error)))
    this.seen += messages.length
    await sleep(0)
  }
}

describe.each([0, 1, 2])('G10: with %i threads', (threads) => {
  test.each(['source', 'none'] as const)(
    "no message sees another's bytes, through reused buffers and slow flushes (ordering '%s')",
    async (ordering) => {
      const count = 3_000
      const source = memorySource<Uint8Array>()
      for (const id of ids(count)) source.push(pattern(Number(id), lengthOf(Number(id))), { id })
      source.end()
      const destination = new SlowReader()
      const handler = handlerOf<Uint8Array>('bytes.mjs', 'echo')
      const summary = await new Processor({ source, handler, destination, threads, ordering, maxInFlight: 600 }).run()
      expect(destination.wrong).toEqual([])
      expect(destination.seen).toBe(count)
      expect(summary).toMatchObject({ delivered: count, emitted: count })
    },
  )

  test("a source's buffers are never detached nor changed: pooled, views, and many on one ArrayBuffer", async () => {
    const shared = new ArrayBuffer(64 * 100)
    const values = ids(400).map((id, index) => {
      if (index % 4 === 0) return Buffer.from(`pooled ${id}`)
      if (index % 4 === 1) return new Uint8Array(shared, (index >> 2) * 64, 64).fill(index)
      if (index % 4 === 2) return Buffer.from(`xx${id}xx`).subarray(2, -2)
      return new Uint8Array(100).fill(index)
    })
    const before = values.map((value) => Buffer.from(value).toString('hex'))
    const result = await runOver(handlerOf<Uint8Array, Uint8Array>('bytes.mjs', 'scribble'), values, { threads })
    expect(values.map((value) => Buffer.from(value).toString('hex'))).toEqual(before)
    expect(result.values.map((value) => Buffer.from(value).toString('hex'))).toEqual(before)
    for (const value of result.values) expect(value.constructor).toBe(Uint8Array)
    expect(shared.byteLength).toBe(6_400)
  })

  test('the value of a dead letter is as received, whatever the handler did to its copy', async () => {
    const values = ids(50).map((_, index) => pattern(index, 40))
    const result = await runOver(handlerOf<Uint8Array>('bytes.mjs', 'scribble'), [...values, 'text' as never], {
      threads,
    })
    expect(result.letters).toMatchObject([{ id: '50', value: 'text', stage: 'handle' }])
    expect(result.values).toEqual(values)
  })

  test('a handler may reuse a buffer and an object for its outputs: earlier ones stay as they were', async () => {
    const values = ids(200).map(Number)
    const { values: outputs } = await runOver(handlerOf<number>('bytes.mjs', 'reuse'), values, { threads })
    expect(outputs).toHaveLength(600)
    values.forEach((value, index) => {
      const [bytes, object, part] = outputs.slice(index * 3, index * 3 + 3)
      expect(bytes).toEqual(new Uint8Array(64).fill(value))
      expect(object).toEqual({ number: value, list: [value], bytes: new Uint8Array(8).fill(value) })
      expect(part).toEqual(new Uint8Array(4).fill(value))
    })
  })

  test('G5: a handler that gives its buffer away costs only its own message', async () => {
    const values = ids(60).map((_, index) => pattern(index, 50))
    const handler = handlerOf<Uint8Array, Uint8Array>('bytes.mjs', 'transfer')
    const result = await runOver(handler, values, { threads, onError: { backoffMs: 1 } })
    expect(result.letters).toMatchObject([{ id: '17', attempts: 3 }])
    expect(result.letters[0]?.value).toEqual(values[17])
    expect(result.letters[0]?.error.message).toContain('transferred the buffer')
    expect(result.values).toEqual(values.filter((_, index) => index !== 17))
  })

  test('a codec may reuse its buffer', async () => {
    const values = ids(100).map((_, index) => Uint8Array.of(index))
    const { values: outputs } = await runOver(handlerOf<Uint8Array>('bytes.mjs', 'codec'), values, { threads })
    expect(outputs).toEqual(
      values.flatMap((_, index) => [new Uint8Array(8).fill(index), new Uint8Array(8).fill(index + 1)]),
    )
  })
})
