import { expect, test } from 'vitest'
import { eventsOf, fixture, handlerOf, runOver } from '../../helpers/pipeline.ts'

test.each([0, 1])(
  'G7: an error of a handler keeps name, message, stack, code, retryable and cause, with %i threads',
  async (threads) => {
    const result = await runOver<string, unknown>(fixture('failures.mjs'), ['throws coded'], { threads })
    const [{ error } = { error: undefined }] = eventsOf(result, 'deadLetter')
    expect(error).toMatchObject({
      name: 'MillraceError',
      code: 'MR_HANDLER_THREW',
      message: 'The handler threw: with all',
      cause: {
        name: 'CustomError',
        message: 'with all',
        code: 'E_CODED',
        retryable: true,
        cause: { name: 'RangeError', message: 'the root' },
      },
    })
    const cause = error?.cause as Error
    expect(cause).toBeInstanceOf(Error)
    expect(cause.cause).toBeInstanceOf(Error)
    expect(cause.stack).toContain('failures.mjs')
    expect((cause.cause as Error).stack).toContain('failures.mjs')
    expect(result.letters[0]).toMatchObject({
      value: 'throws coded',
      topic: 'memory',
      stage: 'handle',
      error: { name: 'CustomError', message: 'with all', code: 'E_CODED', stack: cause.stack },
    })
  },
)

test('G7: what is kept of an error is bounded', async () => {
  const result = await runOver<string, unknown>(fixture('failures.mjs'), ['throws long', 'rejects long'])
  for (const { error } of eventsOf(result, 'deadLetter')) expect(error.message.length).toBeLessThan(5_000)
  for (const letter of result.letters) {
    expect(letter.error.message.length).toBeLessThan(5_000)
    expect(letter.error.stack?.length).toBeLessThan(10_000)
  }
})

test.each([
  ['decode', 'MR_DECODE', /input codec failed: no such byte/u],
  ['encode', 'MR_ENCODE', /output codec failed: not this one/u],
  ['encode nothing', 'MR_ENCODE', /Expected the output codec to return bytes, got undefined/u],
] as const)('G5: a codec that fails (%s) costs only its own message', async (what, code, message) => {
  const stage = what.startsWith('decode') ? 'decode' : 'encode'
  const values = ['a', 'b', what, 'c', 'd'].map((value) => Buffer.from(value))
  for (const threads of [0, 1]) {
    const result = await runOver(handlerOf<Uint8Array, Uint8Array>('codecs.mjs'), values, { threads })
    expect(result.values.map((value) => Buffer.from(value).toString())).toEqual(['a', 'b', 'c', 'd'])
    expect(result.letters).toMatchObject([{ id: '2', stage, attempts: 1 }])
    const [event] = eventsOf(result, 'deadLetter')
    expect(event).toMatchObject({ stage, error: { code } })
    expect(event?.error.message).toMatch(message)
  }
})

test('G5: a value that is not bytes fails at the codec', async () => {
  const values = [Buffer.from('a'), { a: 1 } as never, Buffer.from('b')]
  const result = await runOver(handlerOf<Uint8Array>('codecs.mjs'), values)
  expect(result.letters).toMatchObject([{ id: '1', stage: 'decode', value: { a: 1 } }])
  expect(result.summary).toMatchObject({ delivered: 2, deadLettered: 1 })
})
