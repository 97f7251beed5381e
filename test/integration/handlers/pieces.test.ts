import { type Destination, memorySource, Processor, type Stats } from 'millrace'
import { describe, expect, test } from 'vitest'
import { ProgressMark } from '../../../src/worker/progress-mark.ts'
import { TaskRunner } from '../../../src/worker/task-runner.ts'
import { RequestWriter } from '../../../src/wire/request.ts'
import { fixture, handlerOf, ids, runOver } from '../../helpers/pipeline.ts'

const OUTPUT = 65_536
const MIB = 1024 * 1024

/** Checks each output as it comes, and settles it in a later turn; notes the most that was in flight. */
class Watcher implements Destination<Uint8Array> {
  readonly ids: (string | undefined)[] = []
  wrong = 0
  mostBytes = 0
  mostMessages = 0
  stats: () => Stats = () => {
    throw new Error('Expected a processor.')
  }

  async send(messages: Parameters<Destination<Uint8Array>['send']>[0], settlement: { ack(): void }): Promise<void> {
    const { inFlight, inFlightBytes } = this.stats()
    this.mostBytes = Math.max(this.mostBytes, inFlightBytes)
    this.mostMessages = Math.max(this.mostMessages, inFlight)
    await new Promise((resolve) => setTimeout(resolve, 1))
    for (const { id, value } of messages) {
      this.ids.push(id)
      const [message, output] = (id ?? '').split('#').map(Number)
      const isRight =
        value.length === OUTPUT &&
        new DataView(value.buffer, value.byteOffset).getUint32(0) === message &&
        value[OUTPUT - 1] === Number(output) % 256
      if (!isRight) this.wrong++
    }
    settlement.ack()
  }
}

async function fan(counts: readonly number[], options: object): Promise<Watcher> {
  const source = memorySource<Uint8Array>()
  counts.forEach((count, index) => source.push(Uint8Array.of(count / 4), { id: String(index) }))
  source.end()
  const destination = new Watcher()
  const handler = handlerOf<Uint8Array, Uint8Array>('bytes.mjs', 'fan')
  const processor = new Processor({ source, handler, destination, ...options })
  destination.stats = () => processor.stats()
  const summary = await processor.run()
  expect(summary).toMatchObject({ received: counts.length, acked: counts.length, emitted: destination.ids.length })
  expect(processor.stats()).toMatchObject({ inFlight: 0, inFlightBytes: 0 })
  return destination
}

const expected = (counts: readonly number[]): string[] =>
  counts.flatMap((count, index) => ids(count).map((output) => `${index}#${output}`))

describe.each([0, 1, 2])('outputs that are large, with %i threads', (threads) => {
  test('300 outputs of 64 KiB of one message arrive whole, in order (G3, G10)', async () => {
    const seen = await fan([300], { threads })
    expect(seen.ids).toEqual(expected([300]))
    expect(seen.wrong).toBe(0)
  })

  test('those of many messages too, and the window holds (G4)', async () => {
    const counts = ids(60).map((_, index) => (index % 3) * 12 + 4)
    const seen = await fan(counts, { threads, maxInFlight: 8, maxInFlightBytes: 2 * MIB })
    expect(seen.ids).toEqual(expected(counts))
    expect(seen.wrong).toBe(0)
    expect(seen.mostMessages).toBeLessThanOrEqual(8)
    // The bound, and what the chunks that were in workers then made: 8 messages of 28 outputs at the very most.
    expect(seen.mostBytes).toBeLessThan(2 * MIB + 8 * 28 * OUTPUT)
  })

  test('a filter between large outputs keeps everything in its place', async () => {
    const counts = ids(90).map((_, index) => (index % 4 === 1 ? 0 : (index % 5) * 4))
    const seen = await fan(counts, { threads, maxInFlightBytes: 4 * MIB })
    expect(seen.ids).toEqual(expected(counts))
    expect(seen.wrong).toBe(0)
  })
})

test('filtered messages cost no payload: a number each', async () => {
  const count = 1_000
  const writer = new RequestWriter()
  writer.begin(new ArrayBuffer(MIB))
  for (const id of ids(count)) writer.add({ id, key: '', topic: 't', value: new Uint8Array(500) }, 1)
  const request = writer.finish()
  const limits = { maxOutputs: 10, handlerConcurrency: 1, handlerTimeoutMs: 1_000, pieceBytes: MIB }
  const runner = new TaskRunner({ handle: () => [] }, undefined, limits, new ProgressMark(1))
  const reply = await runner.run(1, request.buffer, request.length)
  expect(reply.length).toBeLessThan(count * 4 + 200)
})

test('many small outputs of many messages arrive in order (G3)', async () => {
  const { outputs, summary } = await runOver<string, unknown>(fixture('failures.mjs'), ids(5_000), { threads: 2 })
  expect(outputs.map(({ id }) => id)).toEqual(ids(5_000).map((id) => `${id}#0`))
  expect(summary.emitted).toBe(5_000)
})
