import type { ExecutorFactory } from '../pool/executor.ts'
import { InlineExecutor } from '../pool/inline-executor.ts'
import { PiscinaExecutor } from '../pool/piscina-executor.ts'
import { loadHandler } from '../worker/load-handler.ts'
import type { ResolvedHandler } from './resolve-handler.ts'
import type { ResolvedOptions } from './resolve-options.ts'

/** Outputs of one reply, at most, before it is sent in pieces. */
const PIECE_BYTES = 1024 * 1024

/** How the pool of this processor makes a worker: a thread, or the main thread for `threads: 0`. */
export function executorFactory(options: ResolvedOptions): ExecutorFactory {
  const { handler, threads, setupTimeoutMs, maxOutputs, handlerConcurrency, handlerTimeoutMs } = options
  const limits = { maxOutputs, handlerConcurrency, handlerTimeoutMs, pieceBytes: PIECE_BYTES }
  if (threads === 0 || !('module' in handler)) {
    return (worker) =>
      new InlineExecutor(() => load(handler), { worker, options: optionsOf(handler), limits, setupTimeoutMs })
  }
  const { resourceLimits, execArgv, env } = options
  return (worker) =>
    new PiscinaExecutor({ worker, ...handler, limits, setupTimeoutMs }, { resourceLimits, execArgv, env })
}

async function load(handler: ResolvedHandler): ReturnType<typeof loadHandler> {
  return 'module' in handler ? loadHandler(handler.module, handler.export) : handler.handler
}

function optionsOf(handler: ResolvedHandler): unknown {
  return 'module' in handler ? handler.options : undefined
}
