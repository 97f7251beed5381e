import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../../src/errors.ts'
import type { Handler } from '../../../src/handler/handler.ts'
import { ReplyReader } from '../../../src/wire/reply.ts'
import { RequestWriter } from '../../../src/wire/request.ts'
import type { ReplyDocument } from '../../../src/worker/open-chunk.ts'
import { ProgressMark } from '../../../src/worker/progress-mark.ts'
import type { RuntimeHandler } from '../../../src/worker/runtime-handler.ts'
import { type RunnerLimits, TaskRunner } from '../../../src/worker/task-runner.ts'

const limits: RunnerLimits = { maxOutputs: 5, handlerConcurrency: 1, handlerTimeoutMs: 1_000, pieceBytes: 1_000_000 }

/** A runner, and chunks of values for it. */
class Rig {
  readonly mark: ProgressMark
  readonly runner: TaskRunner
  #lastId = 0

  constructor(handler: RuntimeHandler | RuntimeHandler['handle'], rest: Partial<RunnerLimits> = {}, state?: unknown) {
    const all = { ...limits, ...rest }
    this.mark = new ProgressMark(all.handlerConcurrency)
    this.runner = new TaskRunner(typeof handler === 'function' ? { handle: handler } : handler, state, all, this.mark)
  }

  /** All pieces of the reply to these values. */
  async run(values: readonly unknown[], attempt = 1): Promise<ReplyReader[]> {
    const id = ++this.#lastId
    let document = await this.runner.run(id, ...chunkOf(values, attempt))
    const pieces = [readerOf(document)]
    while (pieces[pieces.length - 1]?.more === true) {
      document = await this.runner.more(id)
      pieces.push(readerOf(document))
    }
    return pieces
  }
}

function chunkOf(values: readonly unknown[], attempt = 1): [buffer: ArrayBuffer, length: number] {
  const writer = new RequestWriter()
  writer.begin(new ArrayBuffer(64))
  for (const [index, value] of values.entries()) writer.add({ id: `m${index}`, key: 'k', topic: 't', value }, attempt)
  const { buffer, length } = writer.finish()
  return [buffer, length]
}

function readerOf({ buffer, length }: ReplyDocument): ReplyReader {
  // A copy, as a transfer would be: the runner must not see what becomes of it.
  return new ReplyReader(new Uint8Array(buffer.slice(0), 0, length))
}

/** What became of each message, by its index: its outputs, or the code of its failure. */
function told(pieces: readonly ReplyReader[]): unknown[] {
  const results: unknown[] = []
  for (const piece of pieces) {
    for (let entry = 0; entry < piece.entries; entry++) {
      const outputs = Array.from({ length: piece.outputsOf(entry) }, (_, ordinal) =>
        piece.value(piece.firstOutput(entry) + ordinal),
      )
      results[piece.indexOf(entry)] = piece.failureOf(entry)?.code ?? outputs
    }
  }
  return results
}

const echo: Handler<unknown, unknown, unknown> = ({ value }) => [{ value }]

function encode(value: unknown): Uint8Array {
  if (value === 'throw') throw new Error('no')
  return value === 'text' ? ('text' as never) : Uint8Array.of(1, 2)
}

describe('TaskRunner', () => {
  it('hands each message over with its fields, its attempt and the state', async () => {
    const seen: unknown[] = []
    const rig = new Rig(
      (message, { state, attempt }) => {
        seen.push([message, state, attempt])
        return []
      },
      {},
      'the state',
    )
    await rig.run(['a'], 3)
    expect(seen).toEqual([[{ id: 'm0', key: 'k', topic: 't', value: 'a' }, 'the state', 3]])
    expect([rig.mark.handled, rig.mark.running()]).toEqual([1, []])
  })

  it('G5: costs a message that fails itself alone, wherever in the chunk and in its handling it fails', async () => {
    const rig = new Rig({
      input: {
        decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as unknown,
        encode: () => new Uint8Array(),
      },
      handle: ({ value }) => {
        const { what, index } = value as { what: string; index: number }
        if (what === 'throws') throw new RangeError('thrown')
        if (what === 'rejects') return Promise.reject(new RangeError('rejected'))
        if (what === 'returns nothing') return undefined as never
        if (what === 'returns too much') return Array.from({ length: 6 }, () => ({ value: index }))
        if (what === 'cannot be packed') return [{ value: { index } }, { value: () => {} }]
        return what === 'is filtered' ? [] : [{ value: { index } }]
      },
    })
    const kinds: Readonly<Record<string, unknown>> = {
      throws: 'MR_HANDLER_THREW',
      rejects: 'MR_HANDLER_THREW',
      'returns nothing': 'MR_HANDLER_RESULT',
      'returns too much': 'MR_OUTPUT_LIMIT',
      'cannot be packed': 'MR_VALUE_UNSUPPORTED',
      'is filtered': [],
    }
    for (const [what, result] of Object.entries(kinds)) {
      for (const places of [[0], [2], [4], [0, 1, 2, 3, 4], [1, 3]]) {
        const values = [0, 1, 2, 3, 4].map((index) =>
          Buffer.from(JSON.stringify({ what: places.includes(index) ? what : 'is good', index })),
        )
        const wanted = [0, 1, 2, 3, 4].map((index) => (places.includes(index) ? result : [{ index }]))
        expect(told(await rig.run(values)), `${what} at ${places.join()}`).toEqual(wanted)
      }
    }
    expect(told(await rig.run([Buffer.from('no JSON'), Buffer.from('{"index":1}')]))).toEqual([
      'MR_DECODE',
      [{ index: 1 }],
    ])
  })

  it('G5: says what was thrown, whatever it was, with the codec or the handler that threw it', async () => {
    const thrown: unknown[] = [new TypeError('an error'), null, undefined, 'text', Object.freeze({})]
    const rig = new Rig(({ value }) => {
      throw thrown[Number(value)]
    })
    const [reply] = await rig.run([...thrown.keys()])
    const failures = [...thrown.keys()].map((entry) => reply?.failureOf(entry))
    expect(new Set(failures.map((failure) => failure?.stage))).toEqual(new Set(['handle']))
    expect(failures[0]?.error).toMatchObject({ name: 'TypeError', message: 'an error' })
    expect(failures.slice(1).map((failure) => failure?.message.includes('not an Error'))).toEqual([
      true,
      true,
      true,
      true,
    ])
  })

  it('encodes with the output codec, and refuses what is not bytes', async () => {
    const rig = new Rig({ output: { encode, decode: () => 0 }, handle: echo })
    expect(told(await rig.run(['good', 'throw', 'text', 'good']))).toEqual([
      [Uint8Array.of(1, 2)],
      'MR_ENCODE',
      'MR_ENCODE',
      [Uint8Array.of(1, 2)],
    ])
  })

  it('wants bytes for its input codec', async () => {
    const rig = new Rig({ input: { decode: () => 0, encode: () => new Uint8Array() }, handle: echo })
    expect(told(await rig.run(['text', Uint8Array.of(1)]))).toEqual(['MR_DECODE', [0]])
  })

  it('replies in pieces where outputs are large, and does no more until the next one is asked for', async () => {
    let handled = 0
    const rig = new Rig(
      ({ value }) => {
        handled++
        return [{ value: new Uint8Array(400).fill(Number(value)) }]
      },
      { pieceBytes: 1_000 },
    )
    const first = readerOf(await rig.runner.run(1, ...chunkOf([0, 1, 2, 3, 4, 5, 6])))
    await sleep(5)
    expect([first.entries, first.more, handled]).toEqual([3, true, 3])
    const others = [readerOf(await rig.runner.more(1)), readerOf(await rig.runner.more(1))]
    expect(others.map(({ entries, more }) => [entries, more])).toEqual([
      [3, true],
      [1, false],
    ])
    expect(told([first, ...others])).toEqual([0, 1, 2, 3, 4, 5, 6].map((fill) => [new Uint8Array(400).fill(fill)]))
    await expect(rig.runner.more(1)).rejects.toThrow(/no more/u)
  })

  it('handles chunks in the order in which they came, without waiting between them', async () => {
    const seen: unknown[] = []
    const rig = new Rig(({ value }) => {
      seen.push(value)
      return []
    })
    await Promise.all([rig.run(['a', 'b']), rig.run(['c']), rig.run(['d'])])
    expect(seen).toEqual(['a', 'b', 'c', 'd'])
  })

  it('lets timers run between messages: a busy handler does not starve them', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const rig = new Rig(() => {
      const until = performance.now() + 3
      while (performance.now() < until);
      return []
    })
    await rig.run(Array.from({ length: 30 }, (_, index) => index))
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(5)
  })
})

describe('TaskRunner, with asynchronous handlers', () => {
  it('runs as many at once as it may, and keeps their results apart', async () => {
    let running = 0
    let most = 0
    const rig = new Rig(
      async ({ value }) => {
        most = Math.max(most, ++running)
        await sleep(Number(value) % 3)
        running--
        if (Number(value) % 7 === 0) throw new Error('seventh')
        return [{ value: { value } }, { value: new Uint8Array(Number(value)) }]
      },
      { handlerConcurrency: 4 },
    )
    const values = Array.from({ length: 60 }, (_, index) => index)
    const wanted = values.map((value) => (value % 7 === 0 ? 'MR_HANDLER_THREW' : [{ value }, new Uint8Array(value)]))
    expect(told(await rig.run(values))).toEqual(wanted)
    expect(most).toBe(4)
  })

  it('aborts the signals of those that run, and of no other', async () => {
    const signals: AbortSignal[] = []
    const rig = new Rig(async (_, { signal }) => {
      signals.push(signal)
      await sleep(60_000, undefined, { signal })
      return []
    })
    const reply = rig.run([1])
    await expect.poll(() => signals.length).toBe(1)
    rig.runner.abort(new MillraceError('MR_ABORTED', 'enough'))
    expect(told(await reply)).toEqual(['MR_ABORTED'])
    const late = new Rig((_, { signal }) => {
      signals.push(signal)
      return []
    })
    await late.run([1])
    late.runner.abort(new MillraceError('MR_ABORTED', 'enough'))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
  })

  it('tells a handler when its time is up', async () => {
    const rig = new Rig((_, { signal }) => sleep(60_000, [], { signal }), { handlerTimeoutMs: 20 })
    const [reply] = await rig.run([1])
    expect(reply?.failureOf(0)).toMatchObject({ code: 'MR_HANDLER_TIMEOUT', error: { name: 'AbortError' } })
  })
})
