import type { Destination } from '../../destination.ts'
import { deadLetterToJson } from '../../dead-letter-json.ts'
import type { DeadLetter } from '../../processor/dead-letter.ts'
import { knownKeys } from '../../util/options.ts'
import { file, type FileOptions } from './file.ts'

/** Options of {@link deadLetterFile}. */
export type DeadLetterFileOptions = Pick<FileOptions, 'policy' | 'fsync' | 'mode'>

/**
 * A file of dead letters, one per line in the form of `deadLetterToJson`. It is written as `file` writes: appended, fsynced
 * before the ack, repaired at the start. `deadLetterMessage` feeds its lines in again.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID`
 *
 * @example
 * ```ts
 * import { deadLetterFile } from 'millrace'
 *
 * const deadLetter = deadLetterFile('dead.ndjson')
 * await deadLetter.close?.()
 * ```
 */
export function deadLetterFile(path: string | URL, options?: DeadLetterFileOptions): Destination<DeadLetter> {
  return file<DeadLetter>(path, {
    ...knownKeys('deadLetterFile', options, ['policy', 'fsync', 'mode']),
    format: (message) => deadLetterToJson(message.value),
  })
}
