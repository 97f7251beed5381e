import { existsSync, statSync } from 'node:fs'
import { mkdir, realpath, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import {
  deadLetterFile,
  file,
  handlerModule,
  lines,
  mapSource,
  MillraceError,
  Processor,
  type Runner,
  type Source,
  type Summary,
} from 'millrace'
import { generateFile } from './generate.ts'
import { UsageError, type MainOptions } from './options.ts'
import { ProgressReporter } from './progress.ts'
import type { Outcome } from './summary.ts'

/** How far the checkpoint may lie behind the acks: what it lacks after a crash is done again. */
const checkpointEveryMs = 50

/** The job: from an input file to the files of the output folder. */
export class NormalizeJob implements Runner {
  readonly #options: MainOptions
  readonly #output: string
  readonly #deadLetters: string
  readonly #checkpoint: string
  #outcome: Outcome | undefined

  constructor(options: MainOptions) {
    this.#options = options
    this.#output = join(options.out, 'ocsf.ndjson')
    this.#deadLetters = join(options.out, 'dead-letter.ndjson')
    this.#checkpoint = join(options.out, 'checkpoint.json')
  }

  /** What came of it, once it has ended; undefined where it did not get as far as that. */
  get outcome(): Outcome | undefined {
    return this.#outcome
  }

  /** Makes the output folder and looks at the input. Throws a {@link UsageError} before anything is changed. */
  async prepare(): Promise<void> {
    const input = this.#options.file
    if (input !== undefined) {
      const stats = statSync(input, { throwIfNoEntry: false })
      if (stats === undefined) throw new UsageError(`Expected a file to read, got ${input}, which does not exist`)
      if (!stats.isFile()) throw new UsageError(`Expected a file to read, got ${input}, which is none`)
    }
    try {
      await mkdir(this.#options.out, { recursive: true })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      throw new UsageError(`Expected --out to be a folder, got ${this.#options.out} (${reason})`, { cause: error })
    }
    if (input === undefined) return
    const read = await realpath(input)
    for (const written of [this.#output, this.#deadLetters, this.#checkpoint]) {
      if (existsSync(written) && (await realpath(written)) === read) {
        throw new UsageError(`Expected a FILE that is not written to, got ${input}: name another folder with --out`)
      }
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    const input = this.#options.file ?? (await this.#generated(signal))
    if (!signal.aborted) await this.#normalize(input, signal)
  }

  /** The path of the generated input. It depends on nothing but the seed and the number, so it is made only once. */
  async #generated(signal: AbortSignal): Promise<string> {
    const { out, records, seed } = this.#options
    const path = join(out, `cloudtrail-${records}-${seed}.ndjson`)
    if (existsSync(path)) return path
    let written = 0
    const progress = new ProgressReporter('Generating', () => ({ events: written, fraction: written / records }))
    try {
      await generateFile(path, { records, seed }, signal, (count) => {
        written = count
      })
    } finally {
      progress.stop()
    }
    return path
  }

  async #normalize(input: string, signal: AbortSignal): Promise<void> {
    const mode = this.#begun() ? 'append' : 'replace'
    if (mode === 'replace') await rm(this.#checkpoint, { force: true })
    const bytes = input.endsWith('.gz') ? undefined : statSync(input).size
    const position = new Position(lines(input, { checkpoint: this.#checkpoint, checkpointEveryMs }))
    const { threads } = this.#options
    const processor = new Processor({
      source: position.source,
      handler: handlerModule<typeof import('./normalize.js')>(new URL('./normalize.js', import.meta.url)),
      destination: file(this.#output, { mode }),
      deadLetter: deadLetterFile(this.#deadLetters, { mode }),
      ...(threads === undefined ? {} : { threads }),
    })
    const progress = new ProgressReporter('Normalizing', () => {
      const { acked, inFlight, workers } = processor.stats()
      return {
        events: acked,
        fraction: bytes === undefined || bytes === 0 ? undefined : position.offset / bytes,
        inFlight,
        loads: workers.map((worker) => worker.busy),
      }
    })
    try {
      this.#end(await processor.run(signal), signal.aborted)
    } catch (error) {
      if (error instanceof MillraceError && error.summary !== undefined) this.#end(error.summary as Summary, true)
      throw error
    } finally {
      progress.stop()
    }
  }

  /** Whether there is something to go on with. Without its output a checkpoint would leave out what it has counted. */
  #begun(): boolean {
    return this.#options.resume && existsSync(this.#checkpoint) && existsSync(this.#output)
  }

  #end(summary: Summary, interrupted: boolean): void {
    const cores = Math.max(1, Math.min(this.#options.threads ?? Infinity, availableParallelism()))
    this.#outcome = { summary, cores, output: this.#output, deadLetters: this.#deadLetters, interrupted }
  }
}

/** Notes how far into its input a source has come. */
class Position {
  readonly source: Source<Uint8Array>
  offset = 0

  constructor(source: Source<Uint8Array>) {
    let started = false
    this.source = mapSource(source, (message) => {
      // A resumed run does not begin at 0: the id of a line ends with its offset.
      if (!started) this.offset = Number(message.id?.slice(message.id.lastIndexOf(':') + 1))
      started = true
      this.offset += message.value.length + 1
      return message
    })
  }
}
