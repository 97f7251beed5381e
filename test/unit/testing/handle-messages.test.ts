import { describe, expect, test } from 'vitest'
import { defineHandler } from '../../../src/handler/define-handler.ts'
import { pipe, type Codec } from '../../../src/handler/handler.ts'
import { Attributes, type Message } from '../../../src/message.ts'
import { handleMessages } from '../../../src/testing/handle-messages.ts'

const upper: Codec<string> = {
  decode: (bytes) => {
    if (bytes.includes(0xff)) throw new Error('not text')
    return new TextDecoder().decode(bytes)
  },
  encode: (value) => {
    if (value === 'UNENCODABLE') throw new Error('not encodable')
    return new TextEncoder().encode(value)
  },
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('handleMessages', () => {
  test('decodes, handles and encodes, with the setup and teardown of a worker', async () => {
    const log: unknown[] = []
    const shout = defineHandler({
      input: upper,
      output: upper,
      setup: (options: { mark: string }, { worker }) => {
        log.push(['setup', options, worker])
        return options.mark
      },
      handle: ({ value }, { state, attempt }) => {
        log.push(['handle', value, attempt])
        return value === '' ? [] : [{ value: value.toUpperCase() + state }, { value: 'second', key: 'own' }]
      },
      teardown: (state) => void log.push(['teardown', state]),
    })
    const results = await handleMessages(shout, [{ id: 'a', key: 'k', value: bytes('hi') }, { value: bytes('') }], {
      options: { mark: '!' },
      worker: 3,
      attempt: 2,
    })
    expect(results).toEqual([
      {
        outcome: 'emitted',
        outputs: [
          { id: 'a#0', key: 'k', topic: '', value: bytes('HI!') },
          { id: 'a#1', key: 'own', topic: '', value: bytes('second') },
        ],
      },
      { outcome: 'filtered', outputs: [] },
    ])
    expect(log).toEqual([
      ['setup', { mark: '!' }, 3],
      ['handle', 'hi', 2],
      ['handle', '', 2],
      ['teardown', '!'],
    ])
  })

  test('takes a plain function, and passes on what is inherited (G8)', async () => {
    class Origin extends Attributes {}
    const attributes = new Origin()
    const input: Message<number> = { id: '1', key: 'k', topic: 't', value: 1, headers: { a: 'b' }, attributes }
    const [result] = await handleMessages(async ({ value }: Message<number>) => [{ value: value + 1 }], [input])
    expect(result?.outputs).toEqual([{ ...input, id: '1#0', value: 2 }])
    expect(result?.outputs[0]?.attributes).toBe(attributes)
  })

  test('a value is what it would be on the other side of a thread (G10)', async () => {
    const buffer = Buffer.from([1, 2, 3])
    const [result] = await handleMessages(pipe<unknown>, [
      { value: { buffer, at: new Date(0), map: new Map([[1, 2]]) } },
    ])
    expect(result?.outputs[0]?.value).toEqual({
      buffer: new Uint8Array([1, 2, 3]),
      at: new Date(0),
      map: new Map([[1, 2]]),
    })
  })

  test('each failure costs its own message, and says its stage and its code (G5)', async () => {
    const handler = defineHandler({
      input: upper,
      output: upper,
      handle: ({ value }) => {
        if (value === 'throws') throw new RangeError('too far')
        if (value === 'undefined') return undefined as unknown as []
        return [{ value }]
      },
    })
    const invalid = new Uint8Array([0xff])
    const values = [bytes('ok'), invalid, bytes('throws'), bytes('undefined'), bytes('UNENCODABLE'), bytes('ok')]
    const results = await handleMessages(
      handler,
      values.map((value) => ({ value })),
    )
    expect(results.map(({ outcome }) => outcome)).toEqual([
      'emitted',
      'failed',
      'failed',
      'failed',
      'failed',
      'emitted',
    ])
    expect(results.slice(1, 5)).toMatchObject([
      { stage: 'decode', error: { code: 'MR_DECODE', cause: { message: 'not text' } } },
      { stage: 'handle', error: { code: 'MR_HANDLER_THREW', cause: { name: 'RangeError', message: 'too far' } } },
      { stage: 'handle', error: { code: 'MR_HANDLER_RESULT' } },
      { stage: 'encode', error: { code: 'MR_ENCODE', cause: { message: 'not encodable' } } },
    ])
  })

  test('an input that cannot cross is told before the handler sees it', async () => {
    const [result] = await handleMessages(pipe<unknown>, [{ value: () => 1 }])
    expect(result).toMatchObject({ outcome: 'failed', error: { code: 'MR_VALUE_UNSUPPORTED' } })
  })

  test('a setup that throws is MR_HANDLER_SETUP, and what is no handler MR_HANDLER_EXPORT', async () => {
    const broken = defineHandler({
      setup: () => {
        throw new Error('no database')
      },
      handle: pipe<string>,
    })
    await expect(handleMessages(broken, [])).rejects.toMatchObject({ code: 'MR_HANDLER_SETUP' })
    await expect(handleMessages({} as typeof pipe, [])).rejects.toMatchObject({ code: 'MR_HANDLER_EXPORT' })
    await expect(handleMessages(pipe<string>, [], { attempt: 0 })).rejects.toMatchObject({ code: 'MR_OPTION_INVALID' })
  })
})
