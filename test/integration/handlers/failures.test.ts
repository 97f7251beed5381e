import { beforeAll, describe, expect, test } from 'vitest'
import { eventsOf, fixture, handlerOf, ids, type Result, runOver } from '../../helpers/pipeline.ts'

/** Our code, the stage, and what the dead letter tells of what was thrown: its name, message and code. */
type Expected = readonly [code: string, stage: string, name: string, message: RegExp, thrownCode?: string]

const threw = (name: string, message: RegExp, code?: string): Expected =>
  ['MR_HANDLER_THREW', 'handle', name, message, ...(code === undefined ? [] : [code])] as unknown as Expected
const notError = (what: RegExp): Expected => threw('Error', new RegExp(`not an Error: .*${what.source}`, 'u'))
const wrong = (message: RegExp): Expected => ['MR_HANDLER_RESULT', 'handle', 'MillraceError', message]
const unsupported = (message: RegExp): Expected => ['MR_VALUE_UNSUPPORTED', 'encode', 'Error', message]

const thrown: Record<string, Expected> = {
  error: threw('TypeError', /^broken$/u),
  string: notError(/plain words/u),
  number: notError(/42/u),
  null: notError(/null/u),
  undefined: notError(/undefined/u),
  symbol: notError(/Symbol\(thrown\)/u),
  frozen: threw('CustomError', /^frozen$/u),
  getters: notError(/./u),
  errorGetter: threw('Error', /cannot be read/u),
  symbolMessage: threw('Error', /Symbol\(message\)|cannot be read/u),
  proxy: threw('Error', /./u),
  long: threw('Error', /^x{1000,8000}$/u),
  coded: threw('CustomError', /^with all$/u, 'E_CODED'),
}
const returned: Record<string, Expected> = {
  undefined: wrong(/Expected the handler to return an array of outputs, got undefined/u),
  null: wrong(/got null/u),
  object: wrong(/got \{ value: 1 \}/u),
  string: wrong(/got 'text'/u),
  numbers: wrong(/output 0 to be an object with a `value`, got 1/u),
  hole: wrong(/output 0 to be an object/u),
  noValue: wrong(/output 0 to be an object with a `value`/u),
  badKey: wrong(/`key` of output 0 to be a string, got 1/u),
  badTopic: wrong(/`topic` of output 0 to be a string/u),
  badHeaders: wrong(/`headers` of output 0 to be an object/u),
  badHeader: wrong(/every header of output 0 to be a string, got 1/u),
  tooMany: ['MR_OUTPUT_LIMIT', 'handle', 'MillraceError', /at most 5 outputs of one message \(maxOutputs\), got 6/u],
  function: unsupported(/function/u),
  nestedFunction: unsupported(/function/u),
  symbol: unsupported(/symbol/iu),
  nestedSymbol: unsupported(/symbol/iu),
  cycle: unsupported(/./u),
  valueGetter: threw('Error', /getter of value/u),
  nestedGetter: unsupported(/getter of deep/u),
  proxy: threw('Error', /trap/u),
}
const offences: Record<string, Expected> = {
  ...prefixed('throws', thrown),
  ...prefixed('rejects', thrown),
  ...prefixed('returns', returned),
  ...prefixed('resolves', returned),
  'calls overflow': threw('RangeError', /call stack/u),
  'calls thenable': threw('Error', /getter of then/u),
}

function prefixed(kind: string, rows: Record<string, Expected>): Record<string, Expected> {
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [`${kind} ${name}`, row]))
}

/** Every offence among messages that are fine, so that each has neighbours in its chunk on both sides. */
function inputs(): { readonly values: string[]; readonly fine: string[] } {
  const fine = Array.from({ length: 200 }, (_, index) => `fine${index}`)
  const names = Object.keys(offences)
  const values = fine.flatMap((value, index) => {
    const name = names[(index - 20) / 2]
    return name === undefined ? [value] : [value, name]
  })
  return { values, fine }
}

const configs = [
  { threads: 1, handlerConcurrency: 1, name: 'default' },
  { threads: 2, handlerConcurrency: 1, name: 'default' },
  { threads: 1, handlerConcurrency: 8, name: 'later' },
  { threads: 2, handlerConcurrency: 8, name: 'later' },
  { threads: 0, handlerConcurrency: 1, name: 'default' },
  { threads: 0, handlerConcurrency: 8, name: 'later' },
] as const

describe.each(configs)(
  'G5: with $threads threads and $handlerConcurrency handlers at once ($name)',
  ({ threads, handlerConcurrency, name }) => {
    const { values, fine } = inputs()
    let result: Result<unknown>

    beforeAll(async () => {
      const handler = handlerOf<string>('failures.mjs', name)
      result = await runOver(handler, values, { threads, handlerConcurrency, maxOutputs: 5 })
    })

    test.each(Object.entries(offences))(
      '%s costs only its own message',
      (offence, [code, stage, error, message, thrownCode]) => {
        const index = values.indexOf(offence)
        const event = eventsOf(result, 'deadLetter').find(({ id }) => id === String(index))
        expect(event).toMatchObject({ stage, error: { code } })
        const letter = result.letters.find(({ id }) => id === String(index))
        expect(letter).toMatchObject({ value: offence, stage, attempts: 1 })
        expect(letter?.error.message).toMatch(message)
        if (stage !== 'encode') expect(letter?.error.name).toBe(error)
        if (thrownCode !== undefined) expect(letter?.error.code).toBe(thrownCode)
        if (error === 'TypeError') expect(letter?.error.stack).toMatch(/^TypeError: broken\n +at .*failures\.mjs/u)
      },
    )

    test('the others are delivered once, in source order (G3), at their first attempt', () => {
      expect(result.values).toEqual(fine.map((value) => `${value}:1`))
      const origins = result.outputs.map(({ id }) => Number(id?.replace('#0', '')))
      expect(origins).toEqual([...origins].sort((a, b) => a - b))
    })

    test('acks come in source order (G2), the account balances (G9), no worker ends', () => {
      const given = Object.keys(offences).length
      expect(result.error).toBeUndefined()
      expect(result.acked).toEqual(ids(values.length))
      expect(result.summary).toMatchObject({
        received: values.length,
        delivered: fine.length,
        emitted: fine.length,
        deadLettered: given,
      })
      expect(result.letters).toHaveLength(given)
      expect(result.restarts).toBe(0)
    })
  },
)

test('G5: process.abort() is refused in a worker, and costs its own message', async () => {
  const { letters, values } = await runOver<string, unknown>(fixture('failures.mjs'), ['a', 'calls abort', 'b'])
  expect(values).toEqual(['a:1', 'b:1'])
  expect(letters).toMatchObject([{ attempts: 1, error: { code: 'ERR_WORKER_UNSUPPORTED_OPERATION' } }])
})

describe.each([0, 1, 2])('G5: onError.attempts, with %i threads', (threads) => {
  const flaky = handlerOf<number>('failures.mjs', 'flaky')

  test('context.attempt counts the attempts, and only those of its own message', async () => {
    const values = Array.from({ length: 60 }, (_, index) => [1, 1, 2, 3, 4][index % 5] as number)
    const result = await runOver(flaky, values, { threads, onError: { attempts: 3, backoffMs: 1 } })
    expect(result.values).toEqual(values.filter((value) => value <= 3))
    expect(result.letters).toHaveLength(12)
    for (const letter of result.letters)
      expect(letter).toMatchObject({ value: 4, attempts: 3, error: { message: 'attempt 3' } })
    expect(eventsOf(result, 'retry')).toHaveLength(12 * (1 + 2 + 2))
    expect(result.acked).toEqual(ids(60))
  })

  test("the policies 'drop', 'nack' and 'stop' get the message too", async () => {
    const values = [1, 2, 1]
    const dropped = await runOver(flaky, values, { threads, onError: { then: 'drop' } })
    expect(dropped.summary).toMatchObject({ acked: 3, delivered: 2, dropped: 1 })
    const nacked = await runOver(flaky, values, { threads, onError: { then: 'nack' } })
    expect(nacked.summary).toMatchObject({ acked: 2, delivered: 2, nacked: 1 })
    const stopped = await runOver(flaky, values, { threads, hasDeadLetter: false })
    expect(stopped.error).toMatchObject({ code: 'MR_MESSAGE_FAILED', cause: { code: 'MR_HANDLER_THREW' } })
    expect(stopped.acked).not.toContain('1')
  })
})
