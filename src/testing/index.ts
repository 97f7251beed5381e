/**
 * `millrace/testing`: what tests need, for any test runner. Conformance kits for sources and destinations, handlers that
 * fail on purpose, and a way to test a handler without threads.
 *
 * @module
 */
export type { Check } from './check.ts'
export type { DestinationChecksOptions } from './destination-check-options.ts'
export { destinationChecks } from './destination-checks.ts'
export { exitsInWorker, type WorkerFault } from './exits-in-worker.ts'
export { handleMessages, type HandleMessagesOptions, type HandlerInput, type HandlerResult } from './handle-messages.ts'
export { exitsAtRandom, throwsAtRandom, type RandomFault } from './random-fault.ts'
export type { ValueKind } from './sample-values.ts'
export type { SourceChecksOptions } from './source-check-options.ts'
export { sourceChecks } from './source-checks.ts'
