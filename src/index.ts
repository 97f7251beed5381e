/**
 * `millrace`: an embeddable, multi-threaded, at-least-once event processor. Handler modules import `millrace/handler`.
 *
 * @module
 */
export { batch } from './batch/batch.ts'
export { BatchError } from './batch/batch-error.ts'
export type { BatchPolicy, RetryPolicy } from './batch/batch-policy.ts'
export type { Flush } from './batch/flush.ts'
export { deadLetterFile, type DeadLetterFileOptions } from './connectors/file/dead-letter-file.ts'
export { file, type FileFormatOptions, type FileOptions } from './connectors/file/file.ts'
export { iterable, type IterableOptions } from './connectors/iterable/iterable.ts'
export type { LinesOptions } from './connectors/lines/lines-options.ts'
export { lines } from './connectors/lines/lines.ts'
export {
  memoryDestination,
  type MemoryDestination,
  type MemoryDestinationOptions,
  type PendingSend,
} from './connectors/memory/memory-destination.ts'
export {
  memorySource,
  type MemorySettlement,
  type MemorySource,
  type MemorySourceOptions,
  type PushFields,
} from './connectors/memory/memory-source.ts'
export type { MemoryOutcome, Pushed } from './connectors/memory/pushed-message.ts'
export { multi, type ValueOf } from './connectors/multi/multi.ts'
export type { PollSchedule } from './connectors/poller/poll-schedule.ts'
export { poller, type Poll, type Polled, type PollerOptions } from './connectors/poller/poller.ts'
export { printer, type PrinterFormatOptions, type PrinterOptions } from './connectors/printer/printer.ts'
export { route } from './connectors/route/route.ts'
export { tee } from './connectors/tee/tee.ts'
export { deadLetterFromJson, deadLetterMessage, deadLetterToJson } from './dead-letter-json.ts'
export { destinationFrom, type Destination, type Settlement } from './destination.ts'
export { errorCodes, MillraceError, type ErrorCode } from './errors.ts'
export type { HandlerDefinition } from './handler/define-handler.ts'
export { handlerModule, type HandlerRef } from './handler/handler-ref.ts'
export type { Codec, Handler, HandlerContext, Output, SetupContext } from './handler/handler.ts'
export { mapSource } from './map-source.ts'
export { Attributes, findAttribute, type Message } from './message.ts'
export type { DeadLetter, Stage } from './processor/dead-letter.ts'
export type { ErrorPolicy } from './processor/error-policy.ts'
export type { ProcessorEvent } from './processor/processor-event.ts'
export type { ProcessorOptions } from './processor/processor-options.ts'
export { Processor } from './processor/processor.ts'
export type { Stats, Summary } from './processor/summary.ts'
export { run } from './run/run.ts'
export type { Runner, RunOptions } from './run/run-options.ts'
export { sourceFrom, type Delivery, type Lane, type Source } from './source.ts'
export type { MessageFields } from './util/message-fields.ts'
