import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { median, spread } from './statistics.ts'

/**
 * The question of docs/decisions/0002: one pool of N threads, or N pools of one thread. Chunks of 128 KiB go to and fro, three
 * outstanding a worker, with no work (the cost of handing over) and with 2 ms of it (a chunk as we size it).
 */
const threads = 2
const outstanding = 3
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
const filename = fileURLToPath(new URL(`./pool-layout-worker.${extension}`, import.meta.url))

function pool(maxThreads: number): Piscina {
  return new Piscina({
    filename,
    minThreads: maxThreads,
    maxThreads,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: outstanding,
    atomics: 'disabled',
    recordTiming: false,
  })
}

async function chunksPerSecond(pools: readonly Piscina[], work: number, durationMs: number): Promise<number> {
  let chunks = 0
  const end = performance.now() + durationMs
  const lane = async (target: Piscina): Promise<void> => {
    let buffer = new ArrayBuffer(128 * 1024)
    while (performance.now() < end) {
      buffer = (await target.run({ buffer, work }, { transferList: [buffer] })) as ArrayBuffer
      chunks++
    }
  }
  const lanes = Array.from({ length: threads * outstanding }, (_, index) =>
    lane(pools[index % pools.length] as Piscina),
  )
  await Promise.all(lanes)
  return (chunks * 1_000) / durationMs
}

const layouts: readonly (readonly [name: string, pools: readonly Piscina[]])[] = [
  ['one pool of 2 threads', [pool(2)]],
  ['two pools of 1 thread', [pool(1), pool(1)]],
]
for (const work of [0, 2]) {
  const results = layouts.map((): number[] => [])
  for (let round = 0; round < 6; round++) {
    for (const [index, [, pools]] of layouts.entries()) {
      const rate = await chunksPerSecond(pools, work, 1_000)
      if (round > 0) results[index]?.push(rate)
    }
  }
  for (const [index, [name]] of layouts.entries()) {
    const rates = results[index] ?? []
    console.log(`${work} ms of work: ${name}: ${Math.round(median(rates))} chunks/s (${spread(rates)})`)
  }
}
for (const [, pools] of layouts) await Promise.all(pools.map((target) => target.destroy()))
