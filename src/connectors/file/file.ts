import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BatchPolicy } from '../../batch/batch-policy.ts'
import type { Destination } from '../../destination.ts'
import { delimiterBytes, type Format, valueOf } from '../../util/join-lines.ts'
import { boolean, fn, invalidOption, knownKeys, oneOf } from '../../util/options.ts'
import { AppendFile } from './append-file.ts'
import { FileDestination } from './file-destination.ts'

/** Options of {@link file}. */
export interface FileOptions {
  /** Written behind every message. @default '\n' */
  readonly delimiter?: string | Uint8Array
  /** When the lines held are appended, and when a failed append is tried again. @default that of `batch` */
  readonly policy?: Omit<BatchPolicy, 'concurrency'>
  /** Whether an ack waits until the disk has the bytes; else it waits until the kernel has them. @default true */
  readonly fsync?: boolean
  /** Whether to go on behind what is in the file, or to empty it first. @default 'append' */
  readonly mode?: 'append' | 'replace'
  readonly format?: never
}

/** Options of {@link file} for values that are neither bytes nor text. */
export interface FileFormatOptions<T> extends Omit<FileOptions, 'format'> {
  /** The bytes or the text of a message. One for which it throws is given up (`MR_FLUSH_FAILED`; its cause is `MR_ENCODE`). */
  readonly format: Format<T>
}

/**
 * Appends each message and a delimiter behind it to a file, in batches. A message is acked once its batch has been written
 * and fsynced (fdatasync; the entry of a new file is synced when it is created), so that neither a crash of the process nor
 * one of the machine loses it (G1). Of an append that fails nothing is left in the file, and it is tried again as the
 * policy says; `policy: { retry: { attempts: Infinity } }` waits until a full disk has room.
 *
 * The file is opened when the run starts, and created where it is missing; its directory must exist. A last line without a
 * delimiter was torn by a crash in the middle of a write: it was never acked and comes again, so it is cut off.
 *
 * **Gotchas.** The file needs this one writer alone: where its length is not what was left, the run fails before
 * anything is overwritten, and a second destination for it in one process is refused. Point it only at a file of such
 * lines: of any other, what follows the last delimiter is cut off. A message that holds the delimiter is written as it is.
 * With `fsync: false` a crash of the machine may lose what was acked.
 *
 * Failures carry `MR_FILE_FAILED`: one to open the file is fatal at once, others when the policy's attempts are used up.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID`
 *
 * @example
 * ```ts
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * import { file } from 'millrace'
 *
 * const lines = file(join(tmpdir(), 'out.ndjson'), { policy: { periodMs: 200 } })
 * const records = file<{ n: number }>(join(tmpdir(), 'records.ndjson'), {
 *   mode: 'replace',
 *   format: (message) => JSON.stringify(message.value),
 * })
 * await Promise.all([lines.close?.(), records.close?.()])
 * ```
 */
export function file(path: string | URL, options?: FileOptions): Destination<Uint8Array | string>
export function file<T>(path: string | URL, options: FileFormatOptions<T>): Destination<T>
export function file<T>(path: string | URL, options?: FileOptions | FileFormatOptions<T>): Destination<T> {
  const { delimiter, policy, fsync, mode, format } = knownKeys<Resolvable<T>>('file', options, [
    'delimiter',
    'policy',
    'fsync',
    'mode',
    'format',
  ])
  const ending = delimiterBytes(delimiter, '\n', 1)
  const appendFile = new AppendFile({
    path: absolutePath(path),
    delimiter: ending,
    fsync: boolean('fsync', fsync, true),
    replace: oneOf('mode', mode, ['append', 'replace'], 'append') === 'replace',
  })
  const batchPolicy = knownKeys('file policy', policy, ['count', 'bytes', 'periodMs', 'timeoutMs', 'retry', 'sizeOf'])
  return new FileDestination(appendFile, fn('format', format, valueOf), ending, batchPolicy)
}

type Resolvable<T> = Omit<FileOptions, 'format'> & { readonly format?: Format<T> }

function absolutePath(path: string | URL): string {
  if (typeof path === 'string' && path !== '') return resolve(path)
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path)
  throw invalidOption('path', 'a path or a file: URL', path, 'Name the file to write.')
}
