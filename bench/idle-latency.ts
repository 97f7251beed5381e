import { setTimeout as sleep } from 'node:timers/promises'
import { batch, memorySource, Processor } from 'millrace'
import { pipe } from 'millrace/handler'

/** How long single messages take from the source to the call of flush, in milliseconds, when nothing else is going on. */
export async function idleLatencies(count: number, threads: number): Promise<number[]> {
  const source = memorySource<Uint8Array>()
  const latencies: number[] = []
  let pushedAt = 0
  const destination = batch<Uint8Array>(
    async () => {
      latencies.push(performance.now() - pushedAt)
    },
    { count: 1 },
  )
  const running = new Processor({ source, handler: pipe, destination, threads }).run()
  for (let index = 0; index < count; index++) {
    await sleep(10)
    pushedAt = performance.now()
    source.push(new Uint8Array(256))
  }
  source.end()
  await running
  return latencies
}
