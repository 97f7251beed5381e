import { run } from 'millrace'
import { NormalizeJob } from './job.ts'
import { help, parseOptions, UsageError } from './options.ts'
import { summaryText } from './summary.ts'

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') {
    process.stdout.write(help)
    return
  }
  const job = new NormalizeJob(options)
  await job.prepare()
  await run(job)
  if (job.outcome !== undefined) process.stdout.write(summaryText(job.outcome))
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}. See npm start -- --help.\n`)
  process.exitCode = 1
}
