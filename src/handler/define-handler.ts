import type { Codec, Handler, SetupContext } from './handler.ts'

declare const types: unique symbol

/**
 * A handler with its codecs and its per-worker state, made by {@link defineHandler}. `In` and `Out` are what crosses the
 * main thread: `Uint8Array` on a side that has a codec.
 */
export interface HandlerDefinition<in In, out Out, in Options = undefined> {
  readonly input?: Codec<never>
  readonly output?: Codec<never>
  readonly setup?: (options: never, context: SetupContext) => unknown
  readonly handle: Handler<never, unknown, never>
  readonly teardown?: (state: never) => void | Promise<void>
  readonly [types]?: (input: In, options: Options) => Out
}

interface Lifecycle<Options, State> {
  /** Once per worker, before its first message. A throw or a time-out fails the run at once. */
  setup?(options: Options, context: SetupContext): State | Promise<State>
  /** Once per worker on a clean stop, before `run` resolves. */
  teardown?(state: State): void | Promise<void>
}

/**
 * Defines a handler: the default export of a handler module, or a named one. Returns the definition as it is; the types
 * are the work.
 *
 * - `input`, `output`: with a codec the main thread sees only `Uint8Array` on that side, and decoding costs a worker's time.
 * - `setup(options, context)`: once per worker; its result is `context.state`. The options come from `handlerModule`.
 * - `handle(message, context)`: one message in, zero or more outputs.
 * - `teardown(state)`: once per worker on a clean stop.
 *
 * @example
 * ```ts
 * import { defineHandler, json } from 'millrace/handler'
 *
 * export default defineHandler({
 *   input: json<{ name: string }>(),
 *   output: json<{ greeting: string }>(),
 *   setup: (options: { word: string }) => options.word,
 *   handle: (message, { state }) => [{ value: { greeting: `${state} ${message.value.name}` } }],
 * })
 * ```
 */
export function defineHandler<V, R, State = undefined, Options = undefined>(
  definition: Lifecycle<Options, State> & { input: Codec<V>; output: Codec<R>; handle: Handler<V, R, State> },
): HandlerDefinition<Uint8Array, Uint8Array, Options>
export function defineHandler<V, R, State = undefined, Options = undefined>(
  definition: Lifecycle<Options, State> & { input: Codec<V>; output?: undefined; handle: Handler<V, R, State> },
): HandlerDefinition<Uint8Array, R, Options>
export function defineHandler<V, R, State = undefined, Options = undefined>(
  definition: Lifecycle<Options, State> & { input?: undefined; output: Codec<R>; handle: Handler<V, R, State> },
): HandlerDefinition<V, Uint8Array, Options>
export function defineHandler<V, R, State = undefined, Options = undefined>(
  definition: Lifecycle<Options, State> & { input?: undefined; output?: undefined; handle: Handler<V, R, State> },
): HandlerDefinition<V, R, Options>
export function defineHandler(definition: object): HandlerDefinition<never, unknown, never> {
  return definition as HandlerDefinition<never, unknown, never>
}
