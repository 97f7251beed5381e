import type { HandlerDefinition } from '../handler/define-handler.ts'
import type { Handler } from '../handler/handler.ts'
import { integer, knownKeys } from '../util/options.ts'
import { wrapHandler } from './wrap-handler.ts'

/** Which worker exits, and when. */
export interface WorkerFault {
  /** The worker's number, from 0; it keeps it when it is replaced. */
  worker: number
  /** How many messages it handles before, in each of its lives. */
  after: number
}

/**
 * The handler, wrapped so that one worker exits, in each of its lives: it handles `after` messages, and ends on the next one
 * that is handled for the first time. As a message that is tried again is spared, every message gets through.
 *
 * **Gotchas.** It calls `process.exit(1)`, which ends the thread; with `threads: 0`, where the only worker has the number 0,
 * it ends the process.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID`; `MR_HANDLER_EXPORT` for a handler that is none.
 *
 * @example
 * ```ts
 * import { pipe } from 'millrace/handler'
 * import { exitsInWorker } from 'millrace/testing'
 *
 * export default exitsInWorker(pipe, { worker: 1, after: 100 })
 * ```
 */
export function exitsInWorker<In, Out, Options>(
  handler: HandlerDefinition<In, Out, Options>,
  fault: WorkerFault,
): HandlerDefinition<In, Out, Options>
export function exitsInWorker<V, R>(handler: Handler<V, R>, fault: WorkerFault): HandlerDefinition<V, R>
export function exitsInWorker(handler: unknown, fault: WorkerFault): HandlerDefinition<never, unknown, never> {
  const options = knownKeys('exitsInWorker', fault, ['worker', 'after'])
  const worker = integer('worker', options.worker, { min: 0 })
  const after = integer('after', options.after, { min: 0 })
  return wrapHandler(handler, (context) => {
    if (context.worker !== worker) return () => ({})
    let handled = 0
    return (_message, attempt) => {
      if (handled >= after && attempt === 1) return { before: () => process.exit(1) }
      handled++
      return {}
    }
  })
}
