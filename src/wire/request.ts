import type { Message } from '../message.ts'
import { PayloadReader, PayloadWriter } from './payload.ts'

/** The columns of a request: one entry a message. What is the same for all is written once, what is absent not at all. */
interface RequestColumns {
  readonly ids?: readonly (string | null)[]
  readonly keys?: readonly string[]
  readonly topics: string | readonly string[]
  readonly headers?: readonly (readonly string[] | null)[]
  readonly attempts?: readonly number[]
}

/** Writes the messages of a chunk for a worker. */
export class RequestWriter {
  readonly #payload = new PayloadWriter()
  #ids: (string | null)[] = []
  #keys: string[] = []
  #topics: string[] = []
  #headers: (readonly string[] | null)[] = []
  #attempts: number[] = []
  #sparse = { ids: false, keys: false, topics: false, headers: false, attempts: false }

  begin(buffer: ArrayBuffer): void {
    this.#payload.begin(buffer)
    this.#ids = []
    this.#keys = []
    this.#topics = []
    this.#headers = []
    this.#attempts = []
    this.#sparse = { ids: false, keys: false, topics: false, headers: false, attempts: false }
  }

  get byteLength(): number {
    return this.#payload.byteLength
  }

  /** Throws where the value cannot cross; the message is not part of the chunk then. */
  add(message: Message<unknown>, attempt: number): void {
    // All that may throw comes before anything is added: a getter of the user's, too.
    const { id, key, topic, headers, value } = message
    const flat = headers === undefined ? null : flatten(headers)
    this.#payload.add(value)
    if (id !== undefined) this.#sparse.ids = true
    if (key !== '') this.#sparse.keys = true
    if (headers !== undefined) this.#sparse.headers = true
    if (attempt !== 1) this.#sparse.attempts = true
    if (this.#topics.length > 0 && topic !== this.#topics[0]) this.#sparse.topics = true
    this.#ids.push(id ?? null)
    this.#keys.push(key)
    this.#topics.push(topic)
    this.#headers.push(flat)
    this.#attempts.push(attempt)
  }

  finish(): { readonly buffer: ArrayBuffer; readonly length: number } {
    const columns: RequestColumns = {
      topics: this.#sparse.topics ? this.#topics : (this.#topics[0] ?? ''),
      ...(this.#sparse.ids ? { ids: this.#ids } : {}),
      ...(this.#sparse.keys ? { keys: this.#keys } : {}),
      ...(this.#sparse.headers ? { headers: this.#headers } : {}),
      ...(this.#sparse.attempts ? { attempts: this.#attempts } : {}),
    }
    return this.#payload.finish(columns)
  }
}

/** Reads the messages of a chunk, in the worker. */
export class RequestReader {
  readonly #payload: PayloadReader<RequestColumns>

  constructor(document: Uint8Array) {
    this.#payload = new PayloadReader(document)
  }

  get count(): number {
    return this.#payload.count
  }

  attempt(index: number): number {
    return this.#payload.columns.attempts?.[index] ?? 1
  }

  value(index: number): unknown {
    return this.#payload.value(index)
  }

  /** The message at this index, with the given value, which a codec may have made. */
  message(index: number, value: unknown): Message<unknown> {
    const { ids, keys, topics, headers } = this.#payload.columns
    const id = ids?.[index]
    const flat = headers?.[index]
    const message: { -readonly [K in keyof Message<unknown>]: Message<unknown>[K] } = {
      key: keys === undefined ? '' : (keys[index] as string),
      value,
      topic: typeof topics === 'string' ? topics : (topics[index] as string),
    }
    if (id !== undefined && id !== null) message.id = id
    if (flat !== undefined && flat !== null) message.headers = unflatten(flat)
    return message
  }
}

/** Headers as name, value, name, value: a name such as `__proto__` must never be a key of a decoded object. */
export function flatten(headers: Readonly<Record<string, string>>): string[] {
  const flat: string[] = []
  for (const name of Object.keys(headers)) flat.push(name, headers[name] as string)
  return flat
}

export function unflatten(flat: readonly string[]): Record<string, string> {
  const headers = Object.create(null) as Record<string, string>
  for (let index = 0; index < flat.length; index += 2) headers[flat[index] as string] = flat[index + 1] as string
  return headers
}
