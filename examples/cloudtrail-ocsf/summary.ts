import type { Summary } from 'millrace'
import { count } from './progress.ts'

export interface Outcome {
  readonly summary: Summary
  /** How many cores the handlers had. */
  readonly cores: number
  readonly output: string
  readonly deadLetters: string
  /** Whether a signal or an error ended it before its input did. */
  readonly interrupted: boolean
}

/** The account of a run, for people. */
export function summaryText({ summary, cores, output, deadLetters, interrupted }: Outcome): string {
  const { received, acked, nacked, delivered, filtered, dropped, deadLettered, emitted, seconds } = summary
  const rate = seconds > 0 ? acked / seconds : 0
  const counters = { received, acked, nacked, delivered, filtered, dropped, deadLettered, emitted }
  const lines = [
    `${interrupted ? 'Stopped' : 'Done'} in ${seconds.toFixed(2)} s: ${count(rate)} events/s, ${count(rate / cores)} events/s per core`,
    '',
    ...Object.entries(counters).map(([name, value]) => `  ${name.padEnd(12)} ${count(value).padStart(13)}`),
    `  ${'seconds'.padEnd(12)} ${seconds.toFixed(2).padStart(13)}`,
    '',
    `  output        ${output}`,
    ...(deadLettered > 0 ? [`  dead letters  ${deadLetters}`] : []),
    ...(interrupted ? ['', 'It stopped before its end. The same command with --resume goes on from here.'] : []),
  ]
  return `${lines.join('\n')}\n`
}
