import { describe, expect, it } from 'vitest'
import { checkOutputs } from '../../../src/worker/output-check.ts'
import { Failure } from '../../../src/worker/failure.ts'

function codeOf(result: unknown, maxOutputs = 3): string {
  try {
    checkOutputs(result, maxOutputs)
    return 'passes'
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.stage).toBe('handle')
    return `${error.code}: ${error.message}`
  }
}

describe('what a handler returned', () => {
  it.each([
    ['no outputs', []],
    ['outputs with a value each, whatever it is', [{ value: undefined }, { value: null }, { value: new Uint8Array() }]],
    ['all fields', [{ value: 1, key: 'k', topic: 't', headers: { a: 'b' } }]],
    ['fields that are undefined', [{ value: 1, key: undefined, topic: undefined, headers: undefined }]],
    [
      'instances',
      [
        new (class Output {
          value = 1
        })(),
      ],
    ],
  ])('may be %s', (_, result) => {
    expect(codeOf(result)).toBe('passes')
  })

  it.each([
    ['nothing', undefined, /MR_HANDLER_RESULT: .*array of outputs, got undefined\. Return \[\] to filter/u],
    ['null', null, /got null/u],
    ['one output without an array', { value: 1 }, /got \{ value: 1 \}/u],
    ['an iterator', new Set([{ value: 1 }]), /MR_HANDLER_RESULT/u],
    ['text', 'text', /MR_HANDLER_RESULT/u],
    ['a value without its output', [1], /output 0 to be an object with a `value`, got 1/u],
    ['null among outputs', [{ value: 1 }, null], /output 1 to be an object/u],
    ['a hole', Array.from({ length: 1 }), /output 0/u],
    ['an output without a value', [{ key: 'k' }], /output 0/u],
    ['a key that is no string', [{ value: 1, key: 1 }], /`key` of output 0 to be a string, got 1/u],
    ['a topic that is no string', [{ value: 1, topic: null }], /`topic` of output 0/u],
    ['headers that are no object', [{ value: 1, headers: 'h' }], /`headers` of output 0/u],
    ['headers that are null', [{ value: 1, headers: null }], /`headers` of output 0/u],
    ['a header that is no string', [{ value: 1 }, { value: 1, headers: { a: 1 } }], /every header of output 1/u],
    [
      'more outputs than may be',
      [1, 2, 3, 4].map((value) => ({ value })),
      /MR_OUTPUT_LIMIT: .*at most 3 outputs.*got 4/u,
    ],
  ])('may not be %s', (_, result, message) => {
    expect(codeOf(result)).toMatch(message)
  })
})
