import { describe, MillraceError } from '../errors.ts'
import type { Codec, Handler, SetupContext } from '../handler/handler.ts'

/** A handler as it is run: whatever form the user gave it in, without its types. */
export interface RuntimeHandler {
  readonly input?: Codec<unknown>
  readonly output?: Codec<unknown>
  readonly setup?: (options: unknown, context: SetupContext) => unknown
  readonly handle: Handler<unknown, unknown, unknown>
  readonly teardown?: (state: unknown) => void | Promise<void>
}

const functions = ['setup', 'teardown'] as const
const codecs = ['input', 'output'] as const

/** Checks a handler or a definition of one. Throws `MR_HANDLER_EXPORT`, naming `where` it came from. */
export function toRuntimeHandler(candidate: unknown, where: string): RuntimeHandler {
  if (typeof candidate === 'function') return { handle: candidate as RuntimeHandler['handle'] }
  if (typeof candidate !== 'object' || candidate === null) throw wrong(where, candidate)
  const definition = candidate as Record<string, unknown>
  if (typeof definition['handle'] !== 'function') throw wrong(where, candidate)
  for (const name of functions) {
    if (definition[name] !== undefined && typeof definition[name] !== 'function')
      throw wrong(`\`${name}\` of ${where}`, definition[name])
  }
  for (const name of codecs) {
    const codec = definition[name] as Partial<Codec<unknown>> | undefined
    if (codec !== undefined && (typeof codec?.decode !== 'function' || typeof codec.encode !== 'function'))
      throw new MillraceError(
        'MR_HANDLER_EXPORT',
        `Expected \`${name}\` of ${where} to be a codec with \`decode\` and \`encode\`, got ${describe(codec)}.`,
      )
  }
  return candidate as RuntimeHandler
}

function wrong(what: string, got: unknown): MillraceError {
  return new MillraceError(
    'MR_HANDLER_EXPORT',
    `Expected ${what} to be a function or what defineHandler() returns, got ${describe(got)}. Export the handler as the module's default, or name its export.`,
  )
}
