import { describe, MillraceError } from '../errors.ts'
import { type RuntimeHandler, toRuntimeHandler } from './runtime-handler.ts'

/** Imports a handler's module. Throws `MR_HANDLER_LOAD` or `MR_HANDLER_EXPORT`. */
export async function loadHandler(url: string, name: string): Promise<RuntimeHandler> {
  let module: Record<string, unknown>
  try {
    module = (await import(url)) as Record<string, unknown>
  } catch (error) {
    throw new MillraceError('MR_HANDLER_LOAD', `The handler module ${url} could not be loaded; see the cause.`, {
      cause: error,
    })
  }
  if (!Object.hasOwn(module, name)) {
    throw new MillraceError(
      'MR_HANDLER_EXPORT',
      `Expected the handler module ${url} to have the export "${name}", got ${describe(Object.keys(module))}.`,
    )
  }
  return toRuntimeHandler(module[name], `the export "${name}" of ${url}`)
}
