import { messageOf, MillraceError } from '../errors.ts'
import type { HandlerDefinition } from '../handler/define-handler.ts'
import type { Handler } from '../handler/handler.ts'
import type { Message } from '../message.ts'
import type { Stage } from '../processor/dead-letter.ts'
import { outputMessage } from '../processor/output-message.ts'
import { integer, knownKeys } from '../util/options.ts'
import { bufferSize } from '../wire/chunk-buffer.ts'
import { ReplyReader, type WireFailure } from '../wire/reply.ts'
import { RequestWriter } from '../wire/request.ts'
import { fromWireError } from '../wire/wire-error.ts'
import { HandlerSession } from '../worker/handler-session.ts'
import { ProgressMark } from '../worker/progress-mark.ts'
import { toRuntimeHandler } from '../worker/runtime-handler.ts'
import type { TaskRunner } from '../worker/task-runner.ts'

/** A message for a handler under test; what is left out is `''` or absent. */
export type HandlerInput<T> = Partial<Message<T>> & Pick<Message<T>, 'value'>

/** What became of one message. */
export type HandlerResult<R> =
  /** The handler returned outputs; what they inherit is filled in. */
  | { readonly outcome: 'emitted'; readonly outputs: readonly Message<R>[] }
  /** The handler returned `[]`. */
  | { readonly outcome: 'filtered'; readonly outputs: readonly [] }
  /** It threw, or its input or its result could not be decoded, encoded or accepted. */
  | { readonly outcome: 'failed'; readonly outputs: readonly []; readonly stage: Stage; readonly error: MillraceError }

/** How the messages are handled. */
export interface HandleMessagesOptions<Options> {
  /** For the handler's `setup`. Not copied, as it is on its way to a worker. */
  options?: Options
  /** The worker's number, for the handler's `setup`. @default 0 */
  worker?: number
  /** What `context.attempt` says. @default 1 */
  attempt?: number
}

type Rest<Options> = undefined extends Options
  ? [settings?: HandleMessagesOptions<Options>]
  : [settings: HandleMessagesOptions<Options> & { options: Options }]

/** The defaults of a processor. */
const limits = { maxOutputs: 1_000, handlerConcurrency: 1, handlerTimeoutMs: 5_000, pieceBytes: Infinity }
const setupTimeoutMs = 30_000

/**
 * Runs messages through a handler as a worker would, without one: `setup`, then each message packed, decoded, handled,
 * encoded and unpacked, one after the other, then `teardown`. For the unit tests of a handler. A message that fails costs
 * only itself, and is told in its result.
 *
 * **Gotchas.** There is no thread to end: a handler that never returns hangs the test, and one that exits ends the process.
 * `context.signal` aborts after 5 s as it does by default in a worker.
 *
 * @throws {MillraceError} `MR_HANDLER_EXPORT` for a handler that is none; `MR_HANDLER_SETUP`, `MR_HANDLER_SETUP_TIMEOUT` and
 * `MR_HANDLER_TEARDOWN` when those fail; `MR_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { defineHandler } from 'millrace/handler'
 * import { handleMessages } from 'millrace/testing'
 *
 * const shout = defineHandler({
 *   handle: (message: { readonly value: string }) => [{ value: message.value.toUpperCase() }],
 * })
 * const [result] = await handleMessages(shout, [{ value: 'hello', key: 'a' }])
 * console.log(result?.outputs) // [ { key: 'a', topic: '', value: 'HELLO' } ]
 * ```
 */
export function handleMessages<In, Out, Options>(
  handler: HandlerDefinition<In, Out, Options>,
  inputs: readonly HandlerInput<NoInfer<In>>[],
  ...[settings]: Rest<NoInfer<Options>>
): Promise<readonly HandlerResult<Out>[]>
export function handleMessages<V, R>(
  handler: Handler<V, R>,
  inputs: readonly HandlerInput<NoInfer<V>>[],
  settings?: HandleMessagesOptions<undefined>,
): Promise<readonly HandlerResult<R>[]>
export async function handleMessages(
  handler: unknown,
  inputs: readonly HandlerInput<unknown>[],
  settings?: HandleMessagesOptions<unknown>,
): Promise<readonly HandlerResult<never>[]> {
  const { options, ...known } = knownKeys('handleMessages', settings, ['options', 'worker', 'attempt'])
  const worker = integer('worker', known.worker, { min: 0, default: 0 })
  const attempt = integer('attempt', known.attempt, { min: 1, default: 1 })
  const runtime = toRuntimeHandler(handler, 'the handler under test')
  const mark = new ProgressMark(limits.handlerConcurrency)
  const session = await HandlerSession.open(runtime, { worker, options, limits, setupTimeoutMs }, mark)
  const results: HandlerResult<unknown>[] = []
  for (const input of inputs) results.push(await handleOne(session.runner, { key: '', topic: '', ...input }, attempt))
  await session.close()
  return results as readonly HandlerResult<never>[]
}

async function handleOne(
  runner: TaskRunner,
  input: Message<unknown>,
  attempt: number,
): Promise<HandlerResult<unknown>> {
  const writer = new RequestWriter()
  writer.begin(new ArrayBuffer(bufferSize(0)))
  try {
    writer.add(input, attempt)
  } catch (thrown) {
    const message = `A received value cannot cross to a worker: ${messageOf(thrown)}. docs/values.md lists what can.`
    return failed('encode', new MillraceError('MR_VALUE_UNSUPPORTED', message, { cause: thrown }))
  }
  const request = writer.finish()
  const { buffer, length } = await runner.run(1, request.buffer, request.length)
  const reply = new ReplyReader(new Uint8Array(buffer, 0, length))
  const failure = reply.failureOf(0)
  if (failure !== undefined) return failed(failure.stage, toMillraceError(failure))
  if (reply.outputs === 0) return { outcome: 'filtered', outputs: [] }
  return {
    outcome: 'emitted',
    outputs: Array.from({ length: reply.outputs }, (_, index) => outputMessage(input, reply, index, index)),
  }
}

function failed(stage: Stage, error: MillraceError): HandlerResult<never> {
  return { outcome: 'failed', outputs: [], stage, error }
}

function toMillraceError({ code, message, error }: WireFailure): MillraceError {
  return new MillraceError(code, message, error === undefined ? {} : { cause: fromWireError(error) })
}
