import { deepStrictEqual } from 'node:assert'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReplyWriter } from '../../../src/wire/reply.ts'
import { RequestWriter } from '../../../src/wire/request.ts'
import { message, reply, request, result } from './arbitrary.ts'

describe('a request', () => {
  it('G8, G10: gives every message back as it was, whatever came before it in the same writer and buffer', () => {
    const writer = new RequestWriter()
    const buffer = new ArrayBuffer(64 * 1024)
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), fc.nat({ max: 5 }), (messages, late) => {
        const attempt = (index: number): number => (index === late ? 3 : 1)
        const reader = request(messages, { writer, buffer, attempt })
        expect(reader.count).toBe(messages.length)
        for (const [index, sent] of messages.entries()) {
          deepStrictEqual(reader.message(index, reader.value(index)), sent)
          expect(reader.attempt(index)).toBe(attempt(index))
        }
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('a reply', () => {
  it('G5, G10: gives every output of the good messages back, and nothing of the failed ones between them', () => {
    const writer = new ReplyWriter()
    const buffer = new ArrayBuffer(64 * 1024)
    const shuffled = fc
      .array(result, { maxLength: 10 })
      .chain((results) =>
        fc.tuple(
          fc.constant(results),
          fc.oneof(
            fc.constant([...results.keys()]),
            fc.shuffledSubarray([...results.keys()], { minLength: results.length, maxLength: results.length }),
          ),
        ),
      )
    fc.assert(
      fc.property(shuffled, ([results, order]) => {
        const reader = reply(results, { writer, buffer, order })
        expect([reader.entries, reader.more, reader.elapsedMs]).toEqual([results.length, false, 1.5])
        let outputs = 0
        for (let entry = 0; entry < reader.entries; entry++) {
          const index = reader.indexOf(entry)
          expect(index).toBe(order[entry])
          const sent = results[index]
          expect(reader.failureOf(entry)).toEqual(sent?.failure)
          const kept = sent?.failure === undefined ? (sent?.outputs ?? []) : []
          expect(reader.outputsOf(entry)).toBe(kept.length)
          for (const [ordinal, { value, fields }] of kept.entries()) {
            const output = reader.firstOutput(entry) + ordinal
            deepStrictEqual(reader.value(output), value)
            expect([reader.key(output), reader.topic(output)]).toEqual([fields.key, fields.topic])
            deepStrictEqual(reader.headers(output), fields.headers)
            outputs++
          }
        }
        expect(reader.outputs).toBe(outputs)
      }),
      { numRuns: 1_000 },
    )
  })
})
