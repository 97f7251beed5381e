import { expect, test } from 'vitest'
import { startNode } from '../../helpers/child.ts'
import { handlerOf, runOver } from '../../helpers/pipeline.ts'

const text =
  '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":[{"__proto__":{"polluted":1}}]}'

interface Look {
  readonly isClean: boolean
  readonly json: string
  readonly headers: readonly (readonly [string, string])[]
}

function expectCleanHere(): void {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
}

test.each([0, 1])('payloads with __proto__ and constructor pollute neither side, with %i threads', async (threads) => {
  const constructor = { constructor: { prototype: { polluted: 1 } } }
  const values: unknown[] = [JSON.parse(text), constructor]
  const structured = await runOver(handlerOf<unknown, Look>('pollution.mjs'), values, { threads })
  // A key that msgpack readers cannot keep apart from the prototype is refused, not renamed.
  expect(structured.letters).toMatchObject([{ id: '0', stage: 'encode', error: { code: 'MR_VALUE_UNSUPPORTED' } }])
  expect(structured.values).toMatchObject([{ json: JSON.stringify(constructor) }])
  const json = await runOver(handlerOf<Uint8Array, Look>('pollution.mjs', 'fromJson'), [Buffer.from(text)], { threads })
  // { __proto__: { polluted: 1 }, constructor: { prototype: { polluted: 1 } } }, as another language would write it.
  const packed = Buffer.from(
    '82a95f5f70726f746f5f5f81a8706f6c6c7574656401ab636f6e7374727563746f7281a970726f746f7479706581a8706f6c6c7574656401',
    'hex',
  )
  const msgpack = await runOver(handlerOf<Uint8Array, Look>('pollution.mjs', 'fromMsgpack'), [packed], { threads })
  expect(json.values).toMatchObject([{ json: text }])
  for (const result of [structured, json, msgpack]) {
    expect(result.error).toBeUndefined()
    expect(result.values).toMatchObject([{ isClean: true }])
  }
  expectCleanHere()
})

test('bytes and JSON text pass such payloads on as they are', async () => {
  const { values } = await runOver(handlerOf<Uint8Array, Uint8Array>('pollution.mjs', 'toJson'), [Buffer.from(text)])
  expect(Buffer.from(values[0] ?? []).toString()).toBe(text)
})

test.each([0, 1])('G8: a header may have any name, and arrives as it left, with %i threads', async (threads) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', 'ü', 'a b']
  const headers = Object.create(null) as Record<string, string>
  for (const name of names) headers[name] = `value of ${name}`
  const fields = (): { headers: Record<string, string> } => ({ headers })
  const looked = await runOver(handlerOf<string, Look>('pollution.mjs'), ['v'], { threads, fields })
  expect(looked.values[0]?.headers).toEqual(names.map((name) => [name, `value of ${name}`]))
  const sent = await runOver(handlerOf<string>('pollution.mjs', 'headers'), ['v'], { threads, fields })
  const [inherited, returned, own] = sent.outputs.map((message) => message.headers ?? {})
  expect(Object.entries(inherited ?? {})).toEqual(Object.entries(headers))
  expect(Object.entries(returned ?? {})).toEqual(Object.entries(headers))
  expect(Object.getPrototypeOf(returned)).toBeNull()
  expect(Object.entries(own ?? {})).toEqual([
    ['__proto__', 'own'],
    ['constructor', 'own'],
  ])
  expectCleanHere()
})

test.concurrent.each(['threads', 'filename', 'export', 'execArgv', 'resourceLimits', undefined])(
  'options are immune to a polluted Object.prototype (%s)',
  async (name) => {
    const script = new URL('../../fixtures/handlers/polluted-run.mjs', import.meta.url)
    const { stdout, stderr } = await startNode(script, name === undefined ? [] : [name]).ended
    expect(stderr).toBe('')
    const message = { key: '', topic: 'mine', isMainThread: false }
    expect(JSON.parse(stdout)).toMatchObject({ workers: 2, acked: 3, delivered: 3, seen: [message, message, message] })
  },
)
