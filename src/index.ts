/**
 * `millrace`: an embeddable, multi-threaded, at-least-once event processor. Handler modules import `millrace/handler`.
 *
 * @module
 */
export { BatchError } from './batch/batch-error.ts'
export type { BatchPolicy, RetryPolicy } from './batch/batch-policy.ts'
export { destinationFrom, type Destination, type Settlement } from './destination.ts'
export { errorCodes, MillraceError, type ErrorCode } from './errors.ts'
export type { HandlerDefinition } from './handler/define-handler.ts'
export { handlerModule, type HandlerRef } from './handler/handler-ref.ts'
export type { Codec, Handler, HandlerContext, Output, SetupContext } from './handler/handler.ts'
export { Attributes, findAttribute, type Message } from './message.ts'
export type { DeadLetter, Stage } from './processor/dead-letter.ts'
export type { ErrorPolicy } from './processor/error-policy.ts'
export type { ProcessorEvent } from './processor/processor-event.ts'
export type { ProcessorOptions } from './processor/processor-options.ts'
export type { Stats, Summary } from './processor/summary.ts'
export { sourceFrom, type Delivery, type Lane, type Source } from './source.ts'
