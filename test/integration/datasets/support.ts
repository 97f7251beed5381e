import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { destinationFrom, lines, Processor, type ProcessorOptions, type Source, type Summary } from 'millrace'

const root = process.env['MILLRACE_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url))

/** The path of a set that is not part of the project; undefined where it is not there. */
export function dataSet(path: string): string | undefined {
  const full = join(root, path)
  return existsSync(full) ? full : undefined
}

/** The lines of a set, or of what is generated in its place. */
export interface LineSet {
  /** For the test's title. */
  readonly name: string
  readonly texts: readonly string[]
  readonly source: () => Source<Uint8Array>
}

export function lineSet(path: string, generate: () => readonly string[]): LineSet {
  const full = dataSet(path)
  if (full !== undefined) {
    const texts = readFileSync(full, 'utf8').split(/\r?\n/)
    if (texts.at(-1) === '') texts.pop()
    return { name: path, texts, source: () => lines(full) }
  }
  const texts = generate()
  const source = (): Source<Uint8Array> => lines(Readable.from(texts.map((text) => Buffer.from(`${text}\n`))))
  return { name: `generated lines, since ${path} is not there`, texts, source }
}

/** Threads of the runs whose outputs must be the same. */
export const threadCounts = [1, 2, 4, 0]

/** The outputs of a run, copied, in order. */
export async function outputsOf(
  source: Source<Uint8Array>,
  handler: ProcessorOptions<Uint8Array, Uint8Array>['handler'],
  threads: number,
): Promise<{ readonly outputs: Buffer[]; readonly summary: Summary }> {
  const outputs: Buffer[] = []
  const destination = destinationFrom<Uint8Array>((messages, settlement) => {
    for (const { value } of messages) outputs.push(Buffer.from(value))
    settlement.ack()
  })
  const summary = await new Processor({ source, handler, destination, threads }).run()
  return { outputs, summary }
}
