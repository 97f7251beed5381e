import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { destinationFrom, handlerModule, Processor } from 'millrace'
import { EndlessSource } from './endless-source.ts'
import { samples } from './samples.ts'
import { warmUpMs } from './warm-up.ts'

/** Events per second of both ways to use the cores, in one round. */
export interface Round {
  readonly processes: number
  readonly millrace: number
}

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

/** One round: independent processes with a bare loop, then one processor with as many threads, on the same records. */
export async function efficiencyRound(path: string | undefined, threads: number, seconds: number): Promise<Round> {
  return { processes: await bareProcesses(path, threads, seconds), millrace: await pipeline(path, threads, seconds) }
}

async function bareProcesses(path: string | undefined, count: number, seconds: number): Promise<number> {
  const entry = new URL(`./bare-loop.${extension}`, import.meta.url)
  const children = Array.from({ length: count }, () => fork(entry, [path ?? '', String(seconds)]))
  await Promise.all(children.map((child) => once(child, 'message')))
  const rates = await Promise.all(
    children.map(async (child) => {
      child.send('start')
      const [{ rate }] = (await once(child, 'message')) as [{ rate: number }]
      return rate
    }),
  )
  return rates.reduce((sum, rate) => sum + rate, 0)
}

async function pipeline(path: string | undefined, threads: number, seconds: number): Promise<number> {
  const source = new EndlessSource(await samples(path))
  let flushed = 0
  const processor = new Processor({
    source,
    handler: handlerModule<typeof import('../examples/cloudtrail-ocsf/normalize.ts')>(
      new URL(`../examples/cloudtrail-ocsf/normalize.${extension}`, import.meta.url),
    ),
    destination: destinationFrom<Uint8Array>((messages, settlement) => {
      flushed += messages.length
      settlement.ack()
    }),
    threads,
  })
  const running = processor.run()
  await sleep(warmUpMs)
  const [from, since] = [flushed, performance.now()]
  await sleep(seconds * 1_000)
  const rate = ((flushed - from) * 1_000) / (performance.now() - since)
  source.stop()
  await running
  return rate
}
