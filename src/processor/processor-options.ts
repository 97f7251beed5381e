import type { ResourceLimits } from 'node:worker_threads'
import type { Destination } from '../destination.ts'
import type { HandlerDefinition } from '../handler/define-handler.ts'
import type { HandlerRef } from '../handler/handler-ref.ts'
import type { Handler } from '../handler/handler.ts'
import type { Source } from '../source.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { ErrorPolicy } from './error-policy.ts'
import type { ProcessorEvent } from './processor-event.ts'

/** The options of a `Processor`. They are checked in its constructor: `MR_OPTION_INVALID` says which one and why. */
export interface ProcessorOptions<In, Out> {
  /** Owned by the processor from its constructor on: it is run and closed by it. */
  source: Source<In>
  /**
   * A module for the workers: `handlerModule(...)`, or its bare URL, which is not typed. A function or a definition runs
   * on the main thread, and needs `threads: 0`; `pipe` works with threads too.
   */
  handler: HandlerRef<In, Out> | URL | Handler<In, Out> | HandlerDefinition<In, Out>
  /** Owned by the processor, as the source is. */
  destination: Destination<Out>
  /** Worker threads; 0 handles on the main thread, packed the same way, and contains less (G5). @default availableParallelism() */
  threads?: number
  /**
   * `'source'`: outputs are sent in source order, per lane. `'none'`: as they are finished. `'key'` is refused for now, with
   * `MR_NOT_SUPPORTED`.
   * @default 'source'
   */
  ordering?: 'source' | 'key' | 'none'
  /** Messages received and not yet settled, at most. @default 16_384 */
  maxInFlight?: number
  /** Received bytes and unsettled output bytes, at most (G4 says what may pass it). @default 67_108_864 (64 MiB) */
  maxInFlightBytes?: number
  /** The bytes of one message's value, key and headers; a larger one gets the error policy, unhandled. @default 1_048_576 (1 MiB) */
  maxMessageBytes?: number
  /** Outputs of one message; more are an error (`MR_OUTPUT_LIMIT`). @default 1_000 */
  maxOutputs?: number
  /** Async handlers running at once in one worker. @default 1 */
  handlerConcurrency?: number
  /** Per message, in milliseconds, from when its handler starts. @default 5_000 */
  handlerTimeoutMs?: number
  /** How long a drain may take after an abort or a fatal error, in milliseconds. @default 20_000 */
  drainTimeoutMs?: number
  /** What a message gets that cannot be handled or delivered. */
  onError?: ErrorPolicy
  /** Where messages go that were given up. Owned by the processor. @default none */
  deadLetter?: Destination<DeadLetter>
  /** How worker threads are started. */
  worker?: {
    /** Heap limits of each worker; best-effort in V8, and external memory is not counted. @default Node's own */
    resourceLimits?: ResourceLimits
    /** Node options of each worker, e.g. `['--enable-source-maps']`. @default the process's own */
    execArgv?: string[]
    /** The whole environment of each worker. @default a copy of the process's */
    env?: Record<string, string>
    /** For loading the module and its `setup`, and for the `teardown`, in milliseconds. @default 30_000 */
    setupTimeoutMs?: number
  }
  /** Told what happens, synchronously. A listener that throws is fatal (`MR_LISTENER_FAILED`). */
  onEvent?(event: ProcessorEvent): void
}
