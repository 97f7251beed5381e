import { parseArgs } from 'node:util'

export interface MainOptions {
  /** The file to normalize; undefined generates one. */
  readonly file: string | undefined
  /** The folder for all that is written. */
  readonly out: string
  /** Worker threads; undefined leaves it to millrace, which takes one per core. */
  readonly threads: number | undefined
  readonly records: number
  readonly seed: number
  readonly resume: boolean
}

/** What the user asked for cannot be done. Its message is all that they need to know. */
export class UsageError extends Error {}

export const help = `Normalizes AWS CloudTrail records to OCSF events, on all cores.

  npm start -- [FILE] [options]

FILE is NDJSON, one CloudTrail record a line, or gzip of it where its name ends
in .gz. Without FILE the input is generated.

  --out DIR      where to write ocsf.ndjson, dead-letter.ndjson and
                 checkpoint.json (default: out)
  --threads N    worker threads; 0 works on the main thread
                 (default: one per core)
  --resume       go on where the last run with this DIR was; without it the
                 output is replaced
  --records N    how many records to generate (default: 200000)
  --seed N       what they are generated from; the same seed gives the same
                 records (default: 1)
  --help         print this
`

/** Reads the command line. Throws a {@link UsageError} for what is not in {@link help}. */
export function parseOptions(args: readonly string[]): MainOptions | 'help' {
  const { values, positionals } = parse(args)
  if (values.help === true) return 'help'
  const [file, ...others] = positionals
  if (others.length > 0) throw new UsageError(`Expected one FILE, got ${positionals.length}: ${positionals.join(', ')}`)
  if (file === '') throw new UsageError('Expected FILE to be a path, got an empty one')
  if (file !== undefined && (values.records ?? values.seed) !== undefined) {
    throw new UsageError('Expected no FILE beside --records and --seed: they say what to generate')
  }
  if (values.out === '') throw new UsageError('Expected --out to be a path, got an empty one')
  return Object.freeze({
    file,
    out: values.out ?? 'out',
    threads: values.threads === undefined ? undefined : whole('--threads', values.threads, 0, 1_024),
    records: whole('--records', values.records ?? '200000', 1, 1_000_000_000),
    seed: whole('--seed', values.seed ?? '1', 0, 2 ** 32 - 1),
    resume: values.resume === true,
  })
}

type Parsed = ReturnType<typeof parseKnown>

function parse(args: readonly string[]): Parsed {
  try {
    return parseKnown(args)
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

const parseKnown = (args: readonly string[]) =>
  parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      out: { type: 'string' },
      threads: { type: 'string' },
      records: { type: 'string' },
      seed: { type: 'string' },
      resume: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  })

function whole(name: string, value: string, min: number, max: number): number {
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= min && number <= max) return number
  throw new UsageError(`Expected ${name} to be a whole number from ${min} to ${max}, got ${value}`)
}
