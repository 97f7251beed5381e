import type { Message } from '../message.ts'

/** One output of a handler. What is left out is inherited from the input: `key`, `topic`, and `headers` as a whole (G8). */
export interface Output<out R> {
  readonly value: R
  readonly key?: string
  readonly topic?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** What a handler gets beside the message. */
export interface HandlerContext<out State> {
  /** What `setup` returned in this worker; `undefined` without a setup. */
  readonly state: State
  /** Aborts when the handler's time is up, or when the drain's is. Pass it on to sockets and timers. */
  readonly signal: AbortSignal
  /** 1 for the first attempt at this message, one more for each retry. */
  readonly attempt: number
}

/**
 * User code, in a worker thread: one message in, zero or more outputs. `[]` filters the message, which is then acked;
 * `undefined` is an error (`MR_HANDLER_RESULT`), never a filter. A throw or a rejection costs this message alone (G5).
 *
 * **Gotchas.** The message's bytes are valid until the handler returns (G10): copy to keep. Outputs are encoded when it
 * returns, so an object may be reused for the next message.
 */
export type Handler<in V, out R, in State = undefined> = (
  message: Message<V>,
  context: HandlerContext<State>,
) => readonly Output<R>[] | Promise<readonly Output<R>[]>

/** What `setup` gets. */
export interface SetupContext {
  /** The number of this worker, from 0; it keeps its number when it is replaced. */
  readonly worker: number
  /** Aborts when the setup's time is up. */
  readonly signal: AbortSignal
}

/**
 * Bytes to value and back, in the worker, next to the handler. A throw in `decode` or `encode` costs that message alone;
 * its dead letter has the stage `'decode'` or `'encode'`.
 */
export interface Codec<T> {
  /** The bytes are valid until the handler returns. */
  decode(bytes: Uint8Array): T
  /** The result is copied at once: a codec may reuse its buffer. */
  encode(value: T): Uint8Array
}

/**
 * Passes every message on unchanged. It is a function for `threads: 0`, and it is known by module to the processor, so
 * that it also works with threads.
 *
 * @example
 * ```ts
 * import { iterable, memoryDestination, Processor } from 'millrace'
 * import { pipe } from 'millrace/handler'
 *
 * const destination = memoryDestination<string>()
 * await new Processor({ source: iterable(['a', 'b']), handler: pipe, destination, threads: 1 }).run()
 * ```
 */
export const pipe = <T>(message: Message<T>): readonly Output<T>[] => [{ value: message.value }]
