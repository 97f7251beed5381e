import { workerData } from 'node:worker_threads'
import { MillraceError } from '../src/errors.ts'
import { transferred } from '../src/pool/piscina.ts'
import type { WorkerConfig, WorkerFailure, WorkerTask } from '../src/pool/worker-task.ts'
import { toWireError } from '../src/wire/wire-error.ts'
import { HandlerSession } from '../src/worker/handler-session.ts'
import { loadHandler } from '../src/worker/load-handler.ts'
import type { ReplyDocument } from '../src/worker/open-chunk.ts'
import { ProgressMark } from '../src/worker/progress-mark.ts'

/** The entry of a worker thread: what piscina calls with each task of ours. */

const config = workerData as WorkerConfig
const mark = new ProgressMark(config.limits.handlerConcurrency, config.mark)
let session: HandlerSession | undefined

/** Causes that are told of an error, where they fit. */
const MAX_CAUSES = 4

/** An error that nobody caught: what runs now cannot be trusted, so the worker ends, and says why in the mark. */
function die(error: unknown): void {
  let causes = MAX_CAUSES
  while (!mark.lastWords(JSON.stringify(toWireError(error, causes))) && causes > 0) causes--
  process.exit(1)
}
process.on('uncaughtException', die)
process.on('unhandledRejection', die)

export default async function work(task: WorkerTask): Promise<unknown> {
  switch (task.type) {
    case 'start':
      return failureOf(async () => {
        session = await HandlerSession.open(await loadHandler(config.module, config.export), config, mark)
      })
    case 'stop':
      return failureOf(async () => opened().close())
    case 'abort':
      opened().runner.abort(new MillraceError(task.code, task.message))
      return undefined
    case 'run':
      return handedOver(await opened().runner.run(task.id, task.buffer, task.length))
    case 'more':
      return handedOver(await opened().runner.more(task.id))
  }
}

/** Throws in a thread that piscina started by itself after ours had ended; the main thread then replaces it. */
function opened(): HandlerSession {
  if (session === undefined) throw new Error('this worker was not started')
  return session
}

function handedOver(reply: ReplyDocument): unknown {
  return transferred(reply, [reply.buffer])
}

async function failureOf(step: () => Promise<void>): Promise<WorkerFailure | undefined> {
  try {
    await step()
    return undefined
  } catch (error) {
    const failure =
      error instanceof MillraceError
        ? error
        : new MillraceError('MR_HANDLER_SETUP', 'The worker could not start.', { cause: error })
    return {
      code: failure.code,
      message: failure.message,
      ...(failure.cause === undefined ? {} : { cause: toWireError(failure.cause) }),
    }
  }
}
