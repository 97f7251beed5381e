import { expect, test } from 'vitest'
import { Chunk } from '../../../src/pool/chunk.ts'
import type { Executor } from '../../../src/pool/executor.ts'
import { HandlerPool, type LostChunk } from '../../../src/pool/handler-pool.ts'
import { BufferStock } from '../../../src/wire/buffer-stock.ts'
import { ReplyWriter } from '../../../src/wire/reply.ts'
import type { ReplyDocument } from '../../../src/worker/open-chunk.ts'
import { ProgressMark } from '../../../src/worker/progress-mark.ts'

/** A worker that replies when it is told to. */
class ScriptedExecutor implements Executor {
  readonly mark = new ProgressMark(1)
  readonly replies: ((document: ReplyDocument) => void)[] = []
  onIdleEnd: (error: unknown) => void = () => {}
  start = async (): Promise<void> => {}
  stop = async (): Promise<void> => {}
  kill = async (): Promise<void> => {}
  abort(): void {}
  busy = (): number => 0
  run = (): Promise<ReplyDocument> => new Promise((resolve) => this.replies.push(resolve))
  more = this.run
}

function chunkOfOne(id: number, isIsolated = false): Chunk<string> {
  return new Chunk(id, [{ lane: 'lane', from: 0, to: 1 }], isIsolated)
}

function reply(): ReplyDocument {
  const writer = new ReplyWriter()
  writer.begin(new ArrayBuffer(1_024))
  writer.open()
  writer.add('output', {})
  writer.done(0)
  return writer.finish(false, 1)
}

test('G1: a reply that comes after its worker was given up is not taken: its messages are with another one by then', async () => {
  const executors: ScriptedExecutor[] = []
  const lost: LostChunk<string>[] = []
  let taken = 0
  const create = (): Executor => {
    const executor = new ScriptedExecutor()
    executors.push(executor)
    return executor
  }
  const pool = new HandlerPool<string>(
    { size: 1, handlerTimeoutMs: 1_000, chunksPerWorker: 2 },
    create,
    new BufferStock(),
    {
      onReply: () => taken++,
      onLost: (_worker, chunks) => lost.push(...chunks),
      onRoom: () => {},
      onFatal: (error) => expect.unreachable(error.message),
    },
  )
  await pool.start()
  const [first] = executors
  first?.mark.begin(0, 1, 0)
  pool.send(0, chunkOfOne(1), reply())
  first?.onIdleEnd(new Error('worker exited with code: 1'))
  expect(lost).toMatchObject([{ blamed: new Set([0]) }])
  expect(pool.room(true)).toBeUndefined()
  await new Promise((resolve) => setTimeout(resolve, 5))

  expect(pool.room(true)).toBe(0)
  pool.send(0, chunkOfOne(1), reply())
  first?.replies[0]?.(reply())
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(taken).toBe(0)
  executors[1]?.replies[0]?.(reply())
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(taken).toBe(1)
  expect(pool.stats()).toMatchObject([{ restarts: 1 }])
  await pool.kill()
})

test('G5: while a worker has an isolated chunk it gets no other, and one that is at work gets none', async () => {
  const executor = new ScriptedExecutor()
  const pool = new HandlerPool<string>(
    { size: 1, handlerTimeoutMs: 1_000, chunksPerWorker: 3 },
    () => executor,
    new BufferStock(),
    { onReply: () => {}, onLost: () => {}, onRoom: () => {}, onFatal: (error) => expect.unreachable(error.message) },
  )
  await pool.start()
  pool.send(0, chunkOfOne(1, true), reply())
  expect(pool.room(true)).toBeUndefined()
  executor.replies[0]?.(reply())
  await new Promise((resolve) => setTimeout(resolve, 5))
  expect(pool.room(true)).toBe(0)
  pool.send(0, chunkOfOne(2), reply())
  expect(pool.room(true)).toBe(0)
  expect(pool.room(false)).toBeUndefined()
  await pool.kill()
})
