import * as fc from 'fast-check'
import type { Message } from '../../../src/message.ts'
import { type OutputFields, ReplyReader, ReplyWriter, type WireFailure } from '../../../src/wire/reply.ts'
import { RequestReader, RequestWriter } from '../../../src/wire/request.ts'

/** Text as it comes: any script, control characters, byte order marks, long and short. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 60, maxLength: 90 }),
  fc.string({ maxLength: 100 }).map((rest) => `\ufeff${rest}`),
  fc.constantFrom('', '__proto__', 'constructor', 'toString', 'x'.repeat(70_000), '\ufeff\ufeffab', 'é'.repeat(31)),
)

/** Names of fields, but for the three that no object can have. */
const name = text.filter((key) => key !== '__proto__' && key !== '__keys__' && key !== 'hasOwnProperty')

const number = fc
  .oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.constantFrom(
      0,
      31,
      32,
      63,
      64,
      127,
      128,
      255,
      256,
      65_535,
      65_536,
      2 ** 31,
      2 ** 32,
      2 ** 53,
      -1,
      -32,
      -33,
      -129,
      -32_769,
    ),
  )
  .map((value) => (value === 0 ? 0 : value))

const bytes = fc.uint8Array({ maxLength: 300 })

/** All that a value may hold, but for what changes on the way (−0 and lone surrogates), nested as deep as it comes. */
export const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  leaf: fc.oneof(
    text,
    number,
    fc.bigInt({ min: -(2n ** 200n), max: 2n ** 200n }),
    fc.constantFrom(2n ** 63n, 2n ** 64n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 70_000n, -(2n ** 70_000n) + 1n),
    fc.boolean(),
    fc.constantFrom(null, undefined),
    fc.date({ noInvalidDate: true }),
    bytes,
    bytes.map((source) => Float32Array.from(source)),
    bytes.map((source) => BigUint64Array.from(source, BigInt)),
    bytes.map((source) => Uint8Array.from(source).buffer),
    bytes.map((source) => new DataView(Uint8Array.from(source).buffer)),
    fc.constantFrom(/a+b/giu, /^$/u),
  ),
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('node'), { maxLength: 5 }),
    fc.dictionary(name, tie('node'), { maxKeys: 5, noNullPrototype: true }),
    // The same shape again and again, and shapes that begin alike: what records are made of.
    fc.record({ id: tie('leaf'), name: tie('node') }, { noNullPrototype: true }),
    fc.record(
      { id: tie('leaf'), tag: tie('leaf'), name: tie('node') },
      { requiredKeys: ['id'], noNullPrototype: true },
    ),
    fc.array(fc.tuple(tie('node'), tie('node')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('node'), { maxLength: 4 }).map((items) => new Set(items)),
  ),
})).node

const headers = fc.option(
  fc
    .dictionary(text, text, { maxKeys: 4, noNullPrototype: false })
    .map((fields) => Object.assign(Object.create(null), fields) as Record<string, string>),
  { nil: undefined },
)

/** A message as a source yields it: bytes or a value, with or without the rest. */
export const message: fc.Arbitrary<Message<unknown>> = fc
  .record({
    value: fc.oneof(bytes, value),
    id: fc.option(text, { nil: undefined }),
    key: fc.oneof(fc.constant(''), text),
    topic: fc.oneof(fc.constant('t'), text),
    headers,
  })
  .map(({ id, headers, ...message }) => {
    const optional: { id?: string; headers?: Record<string, string> } = {}
    if (id !== undefined) optional.id = id
    if (headers !== undefined) optional.headers = headers
    return Object.assign(message, optional)
  })

/** What a handler made of one message. */
export type Result =
  | {
      readonly outputs: readonly { readonly value: unknown; readonly fields: OutputFields }[]
      readonly failure?: undefined
    }
  | { readonly outputs: readonly { readonly value: unknown }[]; readonly failure: WireFailure }

const output = fc.record({
  value: fc.oneof(bytes, value),
  fields: fc.record(
    { key: text, topic: text, headers: headers.filter((fields) => fields !== undefined) },
    { requiredKeys: [], noNullPrototype: true },
  ),
})
const failure: fc.Arbitrary<WireFailure> = fc.record({
  stage: fc.constantFrom('decode', 'handle', 'encode'),
  code: fc.constant('MR_HANDLER_THREW'),
  message: fc.string({ unit: 'binary' }),
})

/** A result; one that failed may have written outputs before, which are taken back. */
export const result: fc.Arbitrary<Result> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ outputs: fc.array(output, { maxLength: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ outputs: fc.array(output, { maxLength: 3 }), failure }) },
)

const firstAttempt: (index: number) => number = () => 1

/** The messages as a worker gets them. */
export function request(
  messages: readonly Message<unknown>[],
  { buffer = new ArrayBuffer(64), writer = new RequestWriter(), attempt = firstAttempt } = {},
): RequestReader {
  writer.begin(buffer)
  for (const [index, message] of messages.entries()) writer.add(message, attempt(index))
  const document = writer.finish()
  return new RequestReader(new Uint8Array(document.buffer, 0, document.length))
}

/** The results as the main thread gets them. */
export function reply(
  results: readonly Result[],
  { buffer = new ArrayBuffer(64), writer = new ReplyWriter(), order = [...results.keys()] as readonly number[] } = {},
): ReplyReader {
  writer.begin(buffer)
  for (const index of order) {
    const result = results[index] as Result
    writer.open()
    for (const output of result.outputs) writer.add(output.value, 'fields' in output ? output.fields : {})
    if (result.failure === undefined) writer.done(index)
    else writer.failed(index, result.failure)
  }
  const document = writer.finish(false, 1.5)
  return new ReplyReader(new Uint8Array(document.buffer, 0, document.length))
}
