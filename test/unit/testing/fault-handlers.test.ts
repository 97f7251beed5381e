import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defineHandler } from '../../../src/handler/define-handler.ts'
import { pipe, type Codec } from '../../../src/handler/handler.ts'
import { exitsInWorker } from '../../../src/testing/exits-in-worker.ts'
import { handleMessages, type HandlerInput } from '../../../src/testing/handle-messages.ts'
import { exitsAtRandom, throwsAtRandom, type RandomFault } from '../../../src/testing/random-fault.ts'

const inputs = Array.from({ length: 1_000 }, (_, index): HandlerInput<number> => ({
  id: `message:${index}`,
  value: index,
}))

/** Which of the inputs were hit. */
async function hits(fault: RandomFault, attempt = 1, messages = inputs): Promise<readonly number[]> {
  const results = await handleMessages(throwsAtRandom(pipe<number>, fault), messages, { attempt })
  return [...results.entries()].filter(([, { outcome }]) => outcome === 'failed').map(([index]) => index)
}

describe('throwsAtRandom', () => {
  test('hits about the given share, the same messages for the same seed', async () => {
    const first = await hits({ seed: 1, probability: 0.1 })
    expect(first.length).toBeGreaterThan(60)
    expect(first.length).toBeLessThan(140)
    await expect(hits({ seed: 1, probability: 0.1 })).resolves.toEqual(first)
    await expect(hits({ seed: 2, probability: 0.1 })).resolves.not.toEqual(first)
  })

  test('draws anew for a retry', async () => {
    const first = await hits({ seed: 1, probability: 0.5 })
    const second = await hits({ seed: 1, probability: 0.5 }, 2)
    const both = first.filter((index) => second.includes(index))
    expect(both.length).toBeLessThan(first.length * 0.7)
    expect(both.length).toBeGreaterThan(first.length * 0.3)
  })

  test('never or always, at the bounds', async () => {
    await expect(hits({ seed: 3, probability: 0 })).resolves.toEqual([])
    await expect(hits({ seed: 3, probability: 1 })).resolves.toHaveLength(inputs.length)
  })

  test('knows messages without an id by their content, wherever they are in the input', async () => {
    const anonymous = inputs.map(({ value }) => ({ value }))
    const fault = { seed: 1, probability: 0.1 }
    const first = await hits(fault, 1, anonymous)
    expect(first.length).toBeGreaterThan(50)
    const reversed = await hits(fault, 1, anonymous.toReversed())
    expect(reversed.map((index) => inputs.length - 1 - index).toReversed()).toEqual(first)
  })

  test('strikes before the handler and after it', async () => {
    const handled: number[] = []
    const counting = throwsAtRandom(
      defineHandler({
        handle: ({ value }: { readonly value: number }) => {
          handled.push(value)
          return [{ value }]
        },
      }),
      { seed: 5, probability: 1 },
    )
    await handleMessages(counting, inputs)
    expect(handled.length).toBeGreaterThan(400)
    expect(handled.length).toBeLessThan(600)
  })
})

test('codecs, setup, teardown and options of the wrapped definition stay as they are', async () => {
  const log: string[] = []
  const text: Codec<string> = {
    decode: (bytes) => new TextDecoder().decode(bytes),
    encode: (value) => new TextEncoder().encode(value),
  }
  const definition = defineHandler({
    input: text,
    output: text,
    setup: async (options: { word: string }) => {
      log.push(`setup ${options.word}`)
      return options.word
    },
    handle: ({ value }, { state, signal, attempt }) => [{ value: `${state} ${value} ${attempt} ${signal.aborted}` }],
    teardown: (state) => void log.push(`teardown ${state}`),
  })
  const never = { seed: 1, probability: 0 }
  const wrapped = exitsInWorker(exitsAtRandom(throwsAtRandom(definition, never), never), { worker: 9, after: 0 })
  const [result] = await handleMessages(wrapped, [{ value: Buffer.from('Juan') }], { options: { word: 'Hallo' } })
  expect(Buffer.from(result?.outputs[0]?.value ?? []).toString()).toBe('Hallo Juan 1 false')
  expect(log).toEqual(['setup Hallo', 'teardown Hallo'])
})

/** The messages of which worker `worker` ended, where worker 1 is to exit. */
async function exited(worker: number, after: number, attempt = 1): Promise<readonly number[]> {
  const handler = exitsInWorker(pipe<number>, { worker: 1, after })
  const results = await handleMessages(handler, inputs.slice(0, 5), { worker, attempt })
  return results.flatMap(({ outcome }, index) => (outcome === 'failed' ? [index] : []))
}

describe('exits', () => {
  const exit = vi.fn<(code?: unknown) => never>(() => {
    throw new Error('exit')
  })
  beforeEach(() => void vi.spyOn(process, 'exit').mockImplementation(exit))
  afterEach(() => vi.restoreAllMocks())

  test('exitsAtRandom ends its thread with 1', async () => {
    await handleMessages(exitsAtRandom(pipe<number>, { seed: 1, probability: 1 }), inputs.slice(0, 3))
    expect(exit.mock.calls).toEqual([[1], [1], [1]])
  })

  test('exitsInWorker exits in its worker alone, after so many messages, and spares those that are tried again', async () => {
    await expect(exited(1, 3)).resolves.toEqual([3, 4])
    await expect(exited(1, 0)).resolves.toEqual([0, 1, 2, 3, 4])
    await expect(exited(0, 0)).resolves.toEqual([])
    await expect(exited(1, 0, 2)).resolves.toEqual([])
  })
})

test.each<[string, () => unknown]>([
  ['a probability over 1', () => exitsAtRandom(pipe<number>, { seed: 1, probability: 1.5 })],
  ['no seed', () => throwsAtRandom(pipe<number>, { probability: 1 } as RandomFault)],
  ['an unknown option', () => exitsInWorker(pipe<number>, { worker: 1, after: 1, once: true } as never)],
  ['a negative worker', () => exitsInWorker(pipe<number>, { worker: -1, after: 1 })],
])('bad options: %s', (_, wrap) => {
  expect(wrap).toThrow(expect.objectContaining({ code: 'MR_OPTION_INVALID' }) as Error)
})

test('what is no handler: MR_HANDLER_EXPORT', () => {
  const none = { handle: 1 } as unknown as typeof pipe
  expect(() => exitsAtRandom(none, { seed: 1, probability: 0 })).toThrow(
    expect.objectContaining({ code: 'MR_HANDLER_EXPORT' }) as Error,
  )
})
