import { MillraceError, toError } from '../../errors.ts'
import { untilAborted } from '../../util/until-aborted.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint-file.ts'
import { checkpointRecord, headBytes, matchesHead, type CheckpointRecord } from './checkpoint-record.ts'
import type { AckedOffset } from './line-delivery.ts'

/** Keeps the offset of what has been acked in a file: one write at a time, at most one each period, and one at the end. */
export class Checkpoint implements AckedOffset {
  readonly #path: string
  readonly #everyMs: number
  readonly #input: string
  readonly #failed: Promise<never>
  #fail: (error: Error) => void = () => {}
  #failure: Error | undefined
  #head: Buffer = Buffer.alloc(0)
  #acked = 0
  #written = 0
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #closed = false

  constructor(path: string, everyMs: number, input: string) {
    this.#path = path
    this.#everyMs = everyMs
    this.#input = input
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.#failed.catch(() => {})
  }

  /** Where to go on; `undefined` at the first start. */
  async load(): Promise<CheckpointRecord | undefined> {
    const record = await readCheckpoint(this.#path)
    this.#acked = this.#written = record?.offset ?? 0
    return record
  }

  /** Shows the content, in order; only its first bytes are kept, which the next record is made from. */
  observe(chunk: Uint8Array, offset: number): void {
    if (this.#head.length < headBytes && offset === this.#head.length) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, headBytes - this.#head.length)])
    }
  }

  /** Refuses to go on in content that is shorter than the record's offset, or that starts differently. */
  verify(record: CheckpointRecord, length: number): void {
    if (length >= record.offset && matchesHead(record, this.#head)) return
    const got = length < record.offset ? `one of ${length} bytes` : 'one that starts with other bytes'
    throw new MillraceError(
      'MR_CHECKPOINT_MISMATCH',
      `Expected ${this.#input} to be the file of which ${record.offset} bytes were acked according to ${this.#path}, got ` +
        `${got}. Delete the checkpoint to read this file from its first byte.`,
    )
  }

  acked(offset: number): void {
    if (this.#failure !== undefined) throw this.#failure
    if (offset <= this.#acked) return
    this.#acked = offset
    this.#schedule()
  }

  /** Rejects when the checkpoint cannot be written. */
  async run(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#failed, signal)
  }

  /** Resolves when all that was acked is in the file. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#writing
    if (this.#acked > this.#written) await this.#write(this.#acked)
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#writing !== undefined || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#writing = this.#writeInBackground()
    }, this.#everyMs)
    this.#timer.unref()
  }

  async #writeInBackground(): Promise<void> {
    try {
      await this.#write(this.#acked)
    } catch (thrown) {
      this.#failure = toError(thrown)
      this.#fail(this.#failure)
    }
    this.#writing = undefined
    if (this.#failure === undefined && this.#acked > this.#written) this.#schedule()
  }

  async #write(offset: number): Promise<void> {
    await writeCheckpoint(this.#path, checkpointRecord(offset, this.#head), this.#input)
    this.#written = offset
  }
}
