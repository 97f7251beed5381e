import type { HandlerDefinition } from './define-handler.ts'
import type { Output } from './handler.ts'
import type { Message } from '../message.ts'

declare const types: unique symbol

/** Where a handler lives: the URL of its module, the export's name, and the options for its `setup`. */
export interface HandlerRef<in In, out Out> {
  readonly module: URL
  /** @default 'default' */
  readonly export?: string
  /** Copied to each worker by structured clone. @default undefined */
  readonly options?: unknown
  readonly [types]?: (input: In) => Out
}

type AnyHandler = (
  message: Message<never>,
  ...rest: never[]
) => readonly Output<unknown>[] | Promise<readonly Output<unknown>[]>

/** What the main thread hands to the handler `H`. */
export type InOf<H> =
  H extends HandlerDefinition<infer In, infer _Out, infer _Options>
    ? In
    : H extends (message: Message<infer V>, ...rest: never[]) => unknown
      ? V
      : never

/** What the main thread gets from the handler `H`. */
export type OutOf<H> =
  H extends HandlerDefinition<infer _In, infer Out, infer _Options>
    ? Out
    : H extends (...args: never[]) => infer Result
      ? Awaited<Result> extends readonly Output<infer R>[]
        ? R
        : never
      : never

/** What the `setup` of the handler `H` takes. */
export type OptionsOf<H> = H extends HandlerDefinition<infer _In, infer _Out, infer Options> ? Options : undefined

type HandlerNames<M> = {
  [K in keyof M]: M[K] extends HandlerDefinition<never, unknown, never> | AnyHandler ? K : never
}[keyof M]

type Arguments<Options, Name> = [Name] extends ['default']
  ? undefined extends Options
    ? [options?: Options]
    : [options: Options]
  : [options: Options, name: Name]

/**
 * Names a handler by its module, typed by it: the processor then checks at compile time that the source yields what the
 * handler takes, that the destination takes what it returns, and that the options are those of its `setup`. Nothing is
 * loaded here; the workers import the module.
 *
 * **Gotchas.** Options are copied by structured clone: no functions. For a named export give its name twice, as second type
 * argument and as last argument.
 *
 * @example
 * ```ts
 * import { handlerModule } from 'millrace'
 *
 * const handler = handlerModule<typeof import('./greet.js')>(new URL('./greet.js', import.meta.url))
 * ```
 */
export function handlerModule<M, Name extends HandlerNames<M> = 'default' & HandlerNames<M>>(
  module: URL,
  ...[options, name]: Arguments<OptionsOf<M[Name]>, Name>
): HandlerRef<InOf<M[Name]>, OutOf<M[Name]>> {
  return {
    module,
    ...(options === undefined ? {} : { options }),
    ...(name === undefined ? {} : { export: String(name) }),
  }
}
