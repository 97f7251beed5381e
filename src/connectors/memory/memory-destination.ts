import { deserialize, serialize } from 'node:v8'
import type { Destination, Settlement } from '../../destination.ts'
import type { Message } from '../../message.ts'
import { knownKeys, oneOf } from '../../util/options.ts'

/** Options of {@link memoryDestination}. */
export interface MemoryDestinationOptions {
  /** `'manual'` leaves each send in `pending` until the test settles it. @default 'auto' */
  readonly settle?: 'auto' | 'manual'
}

/** One send that is not settled yet. Settling it, in whole or in ranges, is what a real destination would do. */
export interface PendingSend<T> extends Settlement {
  readonly messages: readonly Message<T>[]
}

/** A destination that keeps what it gets. */
export interface MemoryDestination<T> extends Destination<T> {
  /** Everything that was sent, in order; byte values are copies. */
  readonly messages: readonly Message<T>[]
  /** The values of `messages`. */
  readonly values: readonly T[]
  /** With `settle: 'manual'`, the sends of which a message is not settled yet, oldest first. */
  readonly pending: readonly PendingSend<T>[]
  /** How often `flush` was called. */
  readonly flushes: number
  /** Whether it was closed. */
  readonly closed: boolean
  /** The signal is not needed. */
  send(messages: readonly Message<T>[], settlement: Settlement, signal?: AbortSignal): void
  flush(): void
  close(): Promise<void>
}

/**
 * Collects what it gets, in order: for tests and for embedding. It acks at once, or leaves that to the test.
 *
 * **Gotchas.** It grows without bound. Values are copied by structured clone, since the processor reuses its buffers (G10):
 * an instance of a class arrives as a plain object.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID`
 *
 * @example
 * ```ts
 * import { memoryDestination } from 'millrace'
 *
 * const destination = memoryDestination<string>({ settle: 'manual' })
 * destination.send([{ key: '', topic: '', value: 'a' }], { ack() {}, nack() {} })
 * destination.pending[0]?.ack()
 * console.log(destination.values, destination.pending.length) // [ 'a' ] 0
 * ```
 */
export function memoryDestination<T>(options?: MemoryDestinationOptions): MemoryDestination<T> {
  const { settle } = knownKeys('memoryDestination', options, ['settle'])
  return new Collector<T>(oneOf('settle', settle, ['auto', 'manual'], 'auto') === 'manual')
}

class Collector<T> implements MemoryDestination<T> {
  readonly messages: Message<T>[] = []
  readonly values: T[] = []
  readonly pending: PendingSend<T>[] = []
  readonly #manual: boolean
  #flushes = 0
  #closed = false

  constructor(manual: boolean) {
    this.#manual = manual
  }

  get flushes(): number {
    return this.#flushes
  }

  get closed(): boolean {
    return this.#closed
  }

  send(messages: readonly Message<T>[], settlement: Settlement): void {
    const copies = messages.map(copyMessage)
    for (const message of copies) {
      this.messages.push(message)
      this.values.push(message.value)
    }
    if (this.#manual) this.#hold(copies, settlement)
    else settlement.ack()
  }

  flush(): void {
    this.#flushes++
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #hold(messages: readonly Message<T>[], settlement: Settlement): void {
    if (messages.length === 0) return
    const open = new Set(messages.keys())
    const settled = (from: number, to: number): void => {
      for (let index = from; index < to; index++) open.delete(index)
      const at = this.pending.indexOf(send)
      if (open.size === 0 && at !== -1) this.pending.splice(at, 1)
    }
    const send: PendingSend<T> = {
      messages,
      ack(from = 0, to = messages.length) {
        settlement.ack(from, to)
        settled(from, to)
      },
      nack(reason, from = 0, to = messages.length) {
        settlement.nack(reason, from, to)
        settled(from, to)
      },
    }
    this.pending.push(send)
  }
}

function copyMessage<T>({ id, key, value, topic, headers, attributes }: Message<T>): Message<T> {
  return {
    ...(id !== undefined && { id }),
    key,
    value: copyValue(value),
    topic,
    ...(headers && { headers }),
    ...(attributes && { attributes }),
  }
}

/** Shares no memory with the value: bytes inside a structured value are views of the processor's buffers as well. */
function copyValue<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return new Uint8Array(value) as T & Uint8Array
  return deserialize(serialize(value)) as T
}
