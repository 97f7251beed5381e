import { statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, MillraceError } from '../errors.ts'
import { pipe } from '../handler/handler.ts'
import { invalidOption, text } from '../util/options.ts'
import { type RuntimeHandler, toRuntimeHandler } from '../worker/runtime-handler.ts'

/** A handler's module, for workers or for the main thread. */
export interface HandlerModule {
  readonly module: string
  readonly export: string
  readonly options: unknown
}

/** What is to be run: a module, or a function that is here already. */
export type ResolvedHandler = HandlerModule | { readonly handler: RuntimeHandler }

const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** `pipe` is a function of ours, so its module is known. */
const pipeModule: URL = new URL(`../handler/index.${extension}`, import.meta.url)

/** Checks the handler before the first message: its form, its file, and that this Node can load it. */
export function resolveHandler(handler: unknown, threads: number, execArgv: readonly string[]): ResolvedHandler {
  if (handler === pipe && threads > 0) return { module: pipeModule.href, export: 'pipe', options: undefined }
  if (handler instanceof URL) return moduleOf(handler, 'default', undefined, execArgv)
  if (isRef(handler)) {
    // Own properties only: what a polluted `Object.prototype` holds is no export's name.
    const { module, export: name, options } = { export: undefined, options: undefined, ...handler }
    return moduleOf(module, name, options, execArgv)
  }
  if (typeof handler !== 'function' && (typeof handler !== 'object' || handler === null)) {
    throw invalidOption('handler', 'a handlerModule(), a URL, a handler or a definition', handler, 'It is required.')
  }
  if (threads > 0) {
    throw new MillraceError(
      'MR_OPTION_INVALID',
      `Expected \`handler\` to be a module, since a function cannot cross to ${threads} worker threads. ` +
        'Put it in a file of its own and pass handlerModule(new URL(...)), or pass threads: 0 to handle on the main thread.',
    )
  }
  return { handler: toRuntimeHandler(handler, '`handler`') }
}

function isRef(handler: unknown): handler is { module: URL; export?: unknown; options?: unknown } {
  return typeof handler === 'object' && handler !== null && Object.hasOwn(handler, 'module')
}

function moduleOf(url: unknown, name: unknown, options: unknown, execArgv: readonly string[]): HandlerModule {
  if (!(url instanceof URL)) throw invalidOption('handler.module', 'a URL', url, 'Use new URL(..., import.meta.url).')
  if (url.protocol !== 'file:') {
    throw invalidOption('handler.module', 'a file: URL', url.href.slice(0, 80), 'Handlers are loaded from files only.')
  }
  if (statSync(fileURLToPath(url), { throwIfNoEntry: false })?.isFile() !== true) {
    throw new MillraceError(
      'MR_HANDLER_NOT_FOUND',
      `Expected a handler module at ${url.href}, but there is no such file. Mind that the URL is resolved against import.meta.url.`,
    )
  }
  if (/\.[cm]?tsx?$/.test(url.pathname) && !canLoadTypeScript(execArgv)) {
    throw new MillraceError(
      'MR_HANDLER_TYPESCRIPT',
      `The handler module ${url.href} is TypeScript, which Node ${process.version} cannot load. ` +
        'Compile it, or use Node 22.18 or later; docs/handlers.md says how to load it with tsx.',
    )
  }
  return { module: url.href, export: text('handler.export', name, 'default'), options: cloned(options) }
}

function canLoadTypeScript(execArgv: readonly string[]): boolean {
  const { typescript } = process.features as { typescript?: string | false }
  const loaders = [...process.execArgv, ...execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ')
  return (
    Boolean(typescript) || /--(import|loader|experimental-loader|require|experimental-strip-types)\b|-r\b/.test(loaders)
  )
}

/** Options are copied to each worker; what cannot be copied is refused here, not there. */
function cloned(options: unknown): unknown {
  try {
    return structuredClone(options)
  } catch (error) {
    throw new MillraceError(
      'MR_OPTION_INVALID',
      `Expected the handler's options to be plain data that can be copied to a worker, got ${describe(options)}.`,
      { cause: error },
    )
  }
}
