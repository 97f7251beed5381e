import { destinationFrom, Processor } from 'millrace'
import { pipe } from 'millrace/handler'
import { EndlessSource } from './endless-source.ts'

/** What moving messages costs when handling them costs nothing. */
export interface RawRun {
  readonly eventsPerSecond: number
  readonly cpuMicrosPerEvent: number
  /** Resident memory, sampled while it ran, in bytes: at a quarter of the run, and at its end. */
  readonly rss: readonly [quarter: number, end: number]
  readonly arrayBuffers: readonly [quarter: number, end: number]
}

/** Sends `count` messages of `bytes` through a no-op handler, each one acked. */
export async function rawRun(count: number, bytes: number, threads: number): Promise<RawRun> {
  let flushed = 0
  let quarter: NodeJS.MemoryUsage | undefined
  const processor = new Processor({
    source: new EndlessSource([new Uint8Array(bytes).fill(65)], count),
    handler: pipe,
    destination: destinationFrom<Uint8Array>((messages, settlement) => {
      flushed += messages.length
      if (quarter === undefined && flushed * 4 >= count) quarter = process.memoryUsage()
      settlement.ack()
    }),
    threads,
  })
  const before = process.cpuUsage()
  const { seconds, acked } = await processor.run()
  const { user, system } = process.cpuUsage(before)
  if (acked !== count) throw new Error(`Expected ${count} acks, got ${acked}.`)
  const end = process.memoryUsage()
  const first = quarter ?? end
  return {
    eventsPerSecond: count / seconds,
    cpuMicrosPerEvent: (user + system) / count,
    rss: [first.rss, end.rss],
    arrayBuffers: [first.arrayBuffers, end.arrayBuffers],
  }
}
