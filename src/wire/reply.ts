import type { Stage } from '../processor/dead-letter.ts'
import type { ErrorCode } from '../errors.ts'
import { type PayloadMark, PayloadReader, PayloadWriter } from './payload.ts'
import { flatten, unflatten } from './request.ts'
import type { WireError } from './wire-error.ts'

/** Why a message failed in the worker. */
export interface WireFailure {
  readonly stage: Extract<Stage, 'decode' | 'handle' | 'encode'>
  readonly code: ErrorCode
  readonly message: string
  /** What the user's code threw, where it did. */
  readonly error?: WireError
}

type Sparse<V> = readonly (readonly [output: number, value: V])[]

/**
 * The columns of a reply: one entry a message that is done, in the order in which they were done. A filtered message is
 * one number. A reply may be a piece: `more` says that the chunk has others to come.
 */
interface ReplyColumns {
  /** The messages' indexes in the request; absent where they are `first`, `first + 1` and so on. */
  readonly indexes?: Uint32Array
  readonly first: number
  readonly entries: number
  /** Outputs of each; absent where each has one. */
  readonly outputs?: Uint32Array
  readonly keys?: Sparse<string>
  readonly topics?: Sparse<string>
  readonly headers?: Sparse<readonly string[]>
  /** JSON of [entry, failure][]: objects have no place in columns, and failures are few. */
  readonly failures?: string
  readonly more: boolean
  readonly elapsedMs: number
}

/** What an output sets beside its value. */
export interface OutputFields {
  readonly key?: string | undefined
  readonly topic?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** Writes the results of a chunk, in the worker. */
export class ReplyWriter {
  readonly #payload = new PayloadWriter()
  #indexes: number[] = []
  #outputs: number[] = []
  #keys: [number, string][] = []
  #topics: [number, string][] = []
  #headers: [number, string[]][] = []
  #failures: [number, WireFailure][] = []
  #mark: PayloadMark | undefined

  begin(buffer: ArrayBuffer): void {
    this.#payload.begin(buffer)
    this.#indexes = []
    this.#outputs = []
    this.#keys = []
    this.#topics = []
    this.#headers = []
    this.#failures = []
  }

  get byteLength(): number {
    return this.#payload.byteLength
  }

  /** The outputs of one message follow. */
  open(): void {
    this.#mark = this.#payload.mark()
  }

  /** Throws where the value cannot cross. */
  add(value: unknown, fields: OutputFields): void {
    const output = this.#payload.count
    this.#payload.add(value)
    if (fields.key !== undefined) this.#keys.push([output, fields.key])
    if (fields.topic !== undefined) this.#topics.push([output, fields.topic])
    if (fields.headers !== undefined) this.#headers.push([output, flatten(fields.headers)])
  }

  /** The message is done with what was added since `open`. */
  done(index: number): void {
    this.#outputs.push(this.#payload.count - (this.#mark as PayloadMark).count)
    this.#indexes.push(index)
  }

  /** The message failed: what was added since `open` is taken back. */
  failed(index: number, failure: WireFailure): void {
    const mark = this.#mark as PayloadMark
    this.#payload.rollback(mark)
    for (const column of [this.#keys, this.#topics, this.#headers]) {
      while (column.length > 0 && (column[column.length - 1] as [number, unknown])[0] >= mark.count) column.pop()
    }
    this.#failures.push([this.#indexes.length, failure])
    this.#outputs.push(0)
    this.#indexes.push(index)
  }

  finish(more: boolean, elapsedMs: number): { readonly buffer: ArrayBuffer; readonly length: number } {
    const first = this.#indexes[0] ?? 0
    const inOrder = this.#indexes.every((index, entry) => index === first + entry)
    const columns: ReplyColumns = {
      first,
      entries: this.#indexes.length,
      more,
      elapsedMs,
      ...(inOrder ? {} : { indexes: Uint32Array.from(this.#indexes) }),
      ...(this.#outputs.every((count) => count === 1) ? {} : { outputs: Uint32Array.from(this.#outputs) }),
      ...(this.#keys.length === 0 ? {} : { keys: this.#keys }),
      ...(this.#topics.length === 0 ? {} : { topics: this.#topics }),
      ...(this.#headers.length === 0 ? {} : { headers: this.#headers }),
      ...(this.#failures.length === 0 ? {} : { failures: JSON.stringify(this.#failures) }),
    }
    return this.#payload.finish(columns)
  }
}

/**
 * One reply, on the main thread. The outputs' bytes are views of its buffer, so that the buffer is kept until the last
 * output is settled (G10).
 */
export class ReplyReader {
  readonly entries: number
  readonly more: boolean
  readonly elapsedMs: number
  readonly byteLength: number
  /** Outputs in all. */
  readonly outputs: number
  readonly #payload: PayloadReader<ReplyColumns>
  readonly #firstOutput: Uint32Array | undefined
  readonly #failures: ReadonlyMap<number, WireFailure> | undefined
  readonly #keys: ReadonlyMap<number, string> | undefined
  readonly #topics: ReadonlyMap<number, string> | undefined
  readonly #headers: ReadonlyMap<number, readonly string[]> | undefined

  constructor(document: Uint8Array) {
    this.#payload = new PayloadReader(document)
    const { entries, more, elapsedMs, outputs, failures, keys, topics, headers } = this.#payload.columns
    this.entries = entries
    this.more = more
    this.elapsedMs = elapsedMs
    this.outputs = this.#payload.count
    this.byteLength = this.#payload.byteLength
    this.#firstOutput = outputs === undefined ? undefined : startsOf(outputs)
    this.#failures = failures === undefined ? undefined : new Map(JSON.parse(failures) as [number, WireFailure][])
    this.#keys = keys === undefined ? undefined : new Map(keys)
    this.#topics = topics === undefined ? undefined : new Map(topics)
    this.#headers = headers === undefined ? undefined : new Map(headers)
  }

  /** The index in the request of the message of this entry. */
  indexOf(entry: number): number {
    const { indexes, first } = this.#payload.columns
    return indexes === undefined ? first + entry : (indexes[entry] as number)
  }

  failureOf(entry: number): WireFailure | undefined {
    return this.#failures?.get(entry)
  }

  /** The entry's outputs are [firstOutput, firstOutput + outputsOf). */
  firstOutput(entry: number): number {
    return this.#firstOutput === undefined ? entry : (this.#firstOutput[entry] as number)
  }

  outputsOf(entry: number): number {
    return this.#firstOutput === undefined ? 1 : (this.#payload.columns.outputs?.[entry] as number)
  }

  value(output: number): unknown {
    return this.#payload.value(output)
  }

  key(output: number): string | undefined {
    return this.#keys?.get(output)
  }

  topic(output: number): string | undefined {
    return this.#topics?.get(output)
  }

  headers(output: number): Record<string, string> | undefined {
    const flat = this.#headers?.get(output)
    return flat === undefined ? undefined : unflatten(flat)
  }
}

function startsOf(counts: Uint32Array): Uint32Array {
  const starts = new Uint32Array(counts.length)
  let start = 0
  for (let entry = 0; entry < counts.length; entry++) {
    starts[entry] = start
    start += counts[entry] as number
  }
  return starts
}
