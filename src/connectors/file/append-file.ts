import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { MillraceError, toError } from '../../errors.ts'
import { endOfLastLine } from './torn-line.ts'

/** How the file is written; see the options of `file`. */
export interface AppendFileOptions {
  readonly path: string
  readonly delimiter: Uint8Array
  readonly fsync: boolean
  readonly replace: boolean
}

/** What is used of a file handle. */
export type AppendHandle = Pick<FileHandle, 'read' | 'write' | 'truncate' | 'stat' | 'sync' | 'datasync' | 'close'>

/** Opens a file for reading and writing, creating it where it is missing. */
export type OpenFile = (path: string) => Promise<AppendHandle>

const openOrCreate: OpenFile = (path) => open(path, constants.O_RDWR | constants.O_CREAT, 0o666)

/** Device and inode of the files that are open here: two writers of one file would overwrite each other. */
const openFiles = new Set<string>()

/**
 * A file that grows by whole appends. Of an append that fails nothing is left: the file is cut back to the length that is
 * known to be good before anything else is written, so that a retry leaves no torn or doubled bytes.
 *
 * Rewriting all of a failed append also is what makes a retry after a failed fsync safe: the kernel drops such pages, and a
 * second fsync alone would report success without them.
 */
export class AppendFile {
  readonly #options: AppendFileOptions
  readonly #openFile: OpenFile
  #opening: Promise<AppendHandle> | undefined
  #identity: string | undefined
  #closed = false
  /** The length up to which every byte belongs to an append that succeeded. */
  #length = 0
  /** Whether there may be bytes behind `#length`. */
  #dirty = false

  constructor(options: AppendFileOptions, openFile: OpenFile = openOrCreate) {
    this.#options = options
    this.#openFile = openFile
  }

  /** Opens and repairs the file, once; rejects with an error that is not to be retried. */
  async open(): Promise<void> {
    await this.#handle()
  }

  /** Resolves when the bytes are in the file and, with `fsync`, on the disk. Never called twice at once. */
  async append(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const handle = await this.#handle()
    try {
      if (this.#dirty) await this.#cutBack(handle)
      const { size } = await handle.stat()
      if (size !== this.#length) throw this.#changed(size)
      this.#dirty = true
      for (let written = 0; written < bytes.byteLength;) {
        signal.throwIfAborted()
        const left = bytes.byteLength - written
        written += (await handle.write(bytes, written, left, this.#length + written)).bytesWritten
      }
      if (this.#options.fsync) await handle.datasync()
    } catch (thrown) {
      if (this.#dirty) await this.#cutBack(handle).catch(() => {})
      throw this.#failed(`append ${bytes.byteLength} bytes to`, thrown)
    }
    this.#length += bytes.byteLength
    this.#dirty = false
  }

  async close(): Promise<void> {
    this.#closed = true
    const handle = await this.#opening?.catch(() => undefined)
    if (handle === undefined) return
    await this.#release(handle).catch((thrown: unknown) => {
      throw this.#failed('close', thrown)
    })
  }

  #handle(): Promise<AppendHandle> {
    if (this.#closed) return Promise.reject(notRetryable(this.#failed('write to', new Error('it is closed'))))
    this.#opening ??= this.#open()
    return this.#opening
  }

  async #open(): Promise<AppendHandle> {
    try {
      const handle = await this.#openFile(this.#options.path)
      try {
        await this.#prepare(handle)
      } catch (thrown) {
        await this.#release(handle).catch(() => {})
        throw thrown
      }
      return handle
    } catch (thrown) {
      throw notRetryable(this.#failed('open', thrown))
    }
  }

  async #prepare(handle: AppendHandle): Promise<void> {
    const { path, delimiter, fsync, replace } = this.#options
    const stats = await handle.stat({ bigint: true })
    const size = Number(stats.size)
    if (!stats.isFile()) throw new Error('it is not a regular file; give a pipe or a device to `printer` as a stream')
    const identity = `${stats.dev}:${stats.ino}`
    if (openFiles.has(identity)) throw new Error('another file destination of this process is writing to it')
    openFiles.add(identity)
    this.#identity = identity
    this.#length = replace ? 0 : await endOfLastLine(handle, size, delimiter)
    if (this.#length !== size) await handle.truncate(this.#length)
    if (fsync) {
      await handle.sync()
      await syncDirectory(dirname(path))
    }
  }

  async #cutBack(handle: AppendHandle): Promise<void> {
    await handle.truncate(this.#length)
    this.#dirty = false
  }

  async #release(handle: AppendHandle): Promise<void> {
    if (this.#identity !== undefined) openFiles.delete(this.#identity)
    this.#identity = undefined
    await handle.close()
  }

  #changed(size: number): Error {
    const expected = `it has ${size} bytes where this destination left ${this.#length}`
    return notRetryable(new Error(`${expected}: the file must have no other writer`))
  }

  #failed(action: string, thrown: unknown): MillraceError {
    const cause: Error & { code?: unknown; retryable?: unknown } = toError(thrown)
    const remedy = cause.code === 'ENOENT' ? ' Its directory does not exist: create it first.' : ''
    const message = `Could not ${action} ${this.#options.path}: ${cause.message}.${remedy}`
    const error = new MillraceError('MR_FILE_FAILED', message, { cause })
    return cause.retryable === false ? notRetryable(error) : error
  }
}

/** Makes the entry of a new file durable, where the platform lets a directory be opened and synced. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  try {
    const directory = await open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  } catch (thrown) {
    if (!unsupported.has((thrown as NodeJS.ErrnoException).code)) throw thrown
  }
}

const unsupported: ReadonlySet<unknown> = new Set(['EACCES', 'EBADF', 'EINVAL', 'EISDIR'])

/** Tells the batcher that another attempt makes no sense. */
export function notRetryable<E extends Error>(error: E): E {
  return Object.assign(error, { retryable: false })
}
