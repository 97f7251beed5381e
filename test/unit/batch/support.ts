import type { BatchPolicy } from '../../../src/batch/batch-policy.ts'
import { resolveBatchPolicy } from '../../../src/batch/batch-policy.ts'
import { Batcher } from '../../../src/batch/batcher.ts'
import type { Settlement } from '../../../src/destination.ts'
import type { Message } from '../../../src/message.ts'

export function message(value: string): Message<string> {
  return { key: '', topic: 'test', value }
}

export function messages(...values: string[]): Message<string>[] {
  return values.map(message)
}

/** A signal that never aborts. */
export const calm = new AbortController().signal

/** Records what became of the messages of one send, and refuses a second settlement. */
export class Receipt implements Settlement {
  readonly acked: number[] = []
  readonly nacked = new Map<number, Error>()
  readonly #length: number

  constructor(length: number) {
    this.#length = length
  }

  ack(from = 0, to = this.#length): void {
    for (const index of this.#unsettled(from, to)) this.acked.push(index)
  }

  nack(reason: Error, from = 0, to = this.#length): void {
    for (const index of this.#unsettled(from, to)) this.nacked.set(index, reason)
  }

  #unsettled(from: number, to: number): number[] {
    if (from < 0 || to > this.#length || from > to) throw new RangeError(`[${from}, ${to}) of ${this.#length}`)
    const indexes = Array.from({ length: to - from }, (_, offset) => from + offset)
    for (const index of indexes) {
      if (this.acked.includes(index) || this.nacked.has(index)) throw new Error(`${index} was settled twice`)
    }
    return indexes
  }
}

/** One call of a flush function, which ends when the test says so. */
export interface Call {
  readonly values: string[]
  readonly signal: AbortSignal
  readonly done: () => void
  readonly fail: (reason: Error) => void
}

/** A flush function by hand. */
export class FarEnd {
  readonly calls: Call[] = []
  /** Calls that have not ended. */
  open = 0
  readonly flush = (batch: readonly Message<string>[], signal: AbortSignal): Promise<void> => {
    this.open += 1
    return new Promise<void>((resolve, reject) => {
      const end = (act: () => void): void => {
        this.open -= 1
        act()
      }
      this.calls.push({
        values: batch.map(({ value }) => value),
        signal,
        done: () => end(resolve),
        fail: (reason) => end(() => reject(reason)),
      })
    })
  }

  /** The values of every call, in the order of the calls. */
  get values(): string[][] {
    return this.calls.map((call) => call.values)
  }

  call(index: number): Call {
    const call = this.calls[index]
    if (call === undefined) throw new Error(`flush was called ${this.calls.length} times, no call ${index}`)
    return call
  }
}

/** A batcher over a far end; retries wait for nothing and its period is long, so that few tests need a clock. */
export function rig(policy: BatchPolicy = {}): { far: FarEnd; batcher: Batcher<string>; send: Send } {
  const far = new FarEnd()
  const resolved = resolveBatchPolicy({ periodMs: 60_000, ...policy, retry: { backoffMs: 0, ...policy.retry } })
  const batcher = new Batcher(far.flush, resolved, () => 1)
  const { signal } = new AbortController()
  const send: Send = (...values) => {
    const receipt = new Receipt(values.length)
    const room = batcher.send(messages(...values), receipt, signal)
    return { receipt, room }
  }
  return { far, batcher, send }
}

export type Send = (...values: string[]) => { receipt: Receipt; room: Promise<void> | undefined }

/** Lets everything that is ready happen. */
export function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

/** How a promise stands once everything that is ready has happened. */
export async function state(promise: Promise<unknown> | undefined): Promise<unknown> {
  const pending = Symbol('pending')
  const outcome = await Promise.race([
    Promise.resolve(promise).then(
      () => 'resolved',
      (reason: unknown) => reason,
    ),
    settle().then(() => pending),
  ])
  return outcome === pending ? 'pending' : outcome
}
