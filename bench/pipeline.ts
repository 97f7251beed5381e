import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { efficiencyRound, type Round } from './cloudtrail-efficiency.ts'
import { idleLatencies } from './idle-latency.ts'
import { rawRun } from './raw-throughput.ts'
import { median, spread } from './statistics.ts'

const help = `Measures the pipeline: npm run bench:pipeline -- [options]

  --input FILE     NDJSON of CloudTrail records; generated ones by default
  --threads N      worker threads, and bare processes (default: 2)
  --rounds N       interleaved rounds of the efficiency (default: 5)
  --seconds N      of each part of a round (default: 3)
  --messages N     of the memory run (default: 5000000)
  --only NAMES     of efficiency, raw, idle, memory; comma-separated (default: all)`

const { values } = parseArgs({
  options: {
    input: { type: 'string' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    messages: { type: 'string', default: '5000000' },
    only: { type: 'string', default: 'efficiency,raw,idle,memory' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(help)
  process.exit(0)
}

const threads = Number(values.threads)
const only = new Set(values.only.split(','))
const mebi = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
console.log(`node ${process.version}, ${cpus().length} x ${cpus()[0]?.model.trim() ?? 'unknown'}, ${threads} threads`)

if (only.has('efficiency')) {
  const rounds: Round[] = []
  for (let round = 1; round <= Number(values.rounds); round++) {
    const result = await efficiencyRound(values.input, threads, Number(values.seconds))
    rounds.push(result)
    console.log(
      `  round ${round}: ${Math.round(result.processes)}/s in ${threads} bare processes, ${Math.round(result.millrace)}/s in millrace`,
    )
  }
  const ratios = rounds.map(({ millrace, processes }) => millrace / processes)
  console.log(
    `efficiency: CloudTrail handler, ${Math.round(median(rounds.map(({ millrace }) => millrace)))} events/s; ` +
      `${median(ratios).toFixed(3)} of the bare processes (${spread(ratios)})`,
  )
}
if (only.has('raw')) {
  await rawRun(300_000, 256, threads)
  const runs = []
  for (let round = 0; round < 5; round++) runs.push(await rawRun(1_000_000, 256, threads))
  const rates = runs.map(({ eventsPerSecond }) => eventsPerSecond)
  const cost = median(runs.map(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent))
  console.log(
    `raw: 256 bytes, no-op handler, ${Math.round(median(rates))} events/s (${spread(rates)}), ${cost.toFixed(2)} us of CPU an event`,
  )
}
if (only.has('idle')) {
  const latencies = (await idleLatencies(220, threads)).slice(20)
  console.log(
    `idle: source to flush in ${median(latencies).toFixed(2)} ms, median of ${latencies.length} (${spread(latencies)})`,
  )
}
if (only.has('memory')) {
  const { rss, arrayBuffers } = await rawRun(Number(values.messages), 256, threads)
  console.log(
    `memory: over ${values.messages} messages, a quarter in and at the end: ` +
      `rss ${mebi(rss[0])} and ${mebi(rss[1])}, arrayBuffers ${mebi(arrayBuffers[0])} and ${mebi(arrayBuffers[1])}`,
  )
}
