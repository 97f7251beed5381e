import { availableParallelism } from 'node:os'
import type { ResourceLimits } from 'node:worker_threads'
import type { Destination } from '../destination.ts'
import { MillraceError } from '../errors.ts'
import type { Source } from '../source.ts'
import { fn, integer, invalidOption, knownKeys, milliseconds, number, oneOf } from '../util/options.ts'
import type { DeadLetter } from './dead-letter.ts'
import type { ErrorPolicy } from './error-policy.ts'
import type { ProcessorEvent } from './processor-event.ts'
import type { ProcessorOptions } from './processor-options.ts'
import { type ResolvedHandler, resolveHandler } from './resolve-handler.ts'

/** An error policy that is complete. */
export type ResolvedErrorPolicy = Readonly<Required<ErrorPolicy>>

/** Options that are complete: the inside never sees `undefined` where there is a default. */
export interface ResolvedOptions {
  readonly source: Source<unknown>
  readonly handler: ResolvedHandler
  readonly destination: Destination<never>
  readonly deadLetter: Destination<DeadLetter> | undefined
  readonly threads: number
  readonly ordering: 'source' | 'none'
  readonly maxInFlight: number
  readonly maxInFlightBytes: number
  readonly maxMessageBytes: number
  readonly maxOutputs: number
  readonly handlerConcurrency: number
  readonly handlerTimeoutMs: number
  readonly drainTimeoutMs: number
  readonly setupTimeoutMs: number
  readonly onError: ResolvedErrorPolicy
  readonly resourceLimits: ResourceLimits | undefined
  readonly execArgv: readonly string[] | undefined
  readonly env: Readonly<Record<string, string>> | undefined
  readonly onEvent: (event: ProcessorEvent) => void
}

const names = [
  'source',
  'handler',
  'destination',
  'threads',
  'ordering',
  'maxInFlight',
  'maxInFlightBytes',
  'maxMessageBytes',
  'maxOutputs',
  'handlerConcurrency',
  'handlerTimeoutMs',
  'drainTimeoutMs',
  'onError',
  'deadLetter',
  'worker',
  'onEvent',
] as const

/** Checks the options of a processor and fills in the defaults; throws `MR_OPTION_INVALID` and what `resolveHandler` throws. */
export function resolveOptions<In, Out>(options: ProcessorOptions<In, Out>): ResolvedOptions {
  const given = knownKeys('new Processor', options, names)
  const worker = knownKeys('worker', given.worker, ['resourceLimits', 'execArgv', 'env', 'setupTimeoutMs'])
  const execArgv = strings('worker.execArgv', worker.execArgv)
  const threads = integer('threads', given.threads, { min: 0, max: 1024, default: availableParallelism() })
  const source = end<Source<unknown>>('source', given.source, 'recv')
  const destination = end<Destination<never>>('destination', given.destination, 'send')
  const deadLetter =
    given.deadLetter === undefined ? undefined : end<Destination<DeadLetter>>('deadLetter', given.deadLetter, 'send')
  return Object.freeze({
    source,
    handler: resolveHandler(given.handler, threads, execArgv ?? []),
    destination,
    deadLetter,
    threads,
    ordering: ordering(given.ordering),
    maxInFlight: integer('maxInFlight', given.maxInFlight, { min: 1, max: 2 ** 26, default: 16_384 }),
    maxInFlightBytes: integer('maxInFlightBytes', given.maxInFlightBytes, { min: 1, default: 64 * 1024 * 1024 }),
    maxMessageBytes: integer('maxMessageBytes', given.maxMessageBytes, { min: 1, max: 2 ** 31, default: 1024 * 1024 }),
    maxOutputs: integer('maxOutputs', given.maxOutputs, { min: 1, default: 1_000 }),
    handlerConcurrency: integer('handlerConcurrency', given.handlerConcurrency, { min: 1, max: 1_000, default: 1 }),
    handlerTimeoutMs: milliseconds('handlerTimeoutMs', given.handlerTimeoutMs, { min: 1, default: 5_000 }),
    drainTimeoutMs: milliseconds('drainTimeoutMs', given.drainTimeoutMs, { min: 0, default: 20_000 }),
    setupTimeoutMs: milliseconds('worker.setupTimeoutMs', worker.setupTimeoutMs, { min: 1, default: 30_000 }),
    onError: errorPolicy(given.onError, source, deadLetter !== undefined),
    resourceLimits: resourceLimits(worker.resourceLimits),
    execArgv,
    env: env(worker.env),
    onEvent: fn('onEvent', given.onEvent, () => {}),
  })
}

function end<E extends object>(name: string, value: unknown, method: string): E {
  if (typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[method] === 'function') {
    return value as E
  }
  throw invalidOption(
    name,
    `an object with a \`${method}\` function`,
    value,
    `docs/${name === 'source' ? 'sources' : 'destinations'}.md lists those that are built in.`,
  )
}

function strings(name: string, value: unknown): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return [...value]
  throw invalidOption(name, 'an array of strings', value, "Leave it out for the process's own.")
}

function env(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined) return undefined
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isRecord && Object.values(value).every((item) => typeof item === 'string')) return { ...value }
  throw invalidOption('worker.env', 'an object of strings', value, "Leave it out for a copy of the process's.")
}

function resourceLimits(value: ResourceLimits | undefined): ResourceLimits | undefined {
  if (value === undefined) return undefined
  const given = knownKeys('worker.resourceLimits', value, [
    'maxOldGenerationSizeMb',
    'maxYoungGenerationSizeMb',
    'codeRangeSizeMb',
    'stackSizeMb',
  ])
  for (const [name, limit] of Object.entries(given)) number(`worker.resourceLimits.${name}`, limit, { min: 0 })
  return { ...given }
}

function ordering(value: unknown): 'source' | 'none' {
  const known = oneOf('ordering', value, ['source', 'key', 'none'], 'source')
  if (known !== 'key') return known
  throw new MillraceError(
    'MR_NOT_SUPPORTED',
    "ordering: 'key' is not there yet. Use 'source', which is stricter, or 'none'.",
  )
}

function errorPolicy(
  policy: ErrorPolicy | undefined,
  source: Source<unknown>,
  hasDeadLetter: boolean,
): ResolvedErrorPolicy {
  const given = knownKeys('onError', policy, ['attempts', 'backoffMs', 'maxDeliveries', 'then'])
  const then = oneOf(
    'onError.then',
    given.then,
    ['stop', 'deadLetter', 'nack', 'drop'],
    hasDeadLetter ? 'deadLetter' : 'stop',
  )
  if (then === 'deadLetter' && !hasDeadLetter) {
    throw invalidOption(
      'onError.then',
      "something else than 'deadLetter'",
      then,
      'Set the option deadLetter to a destination.',
    )
  }
  if (then === 'nack' && source.ackMode === 'cumulative') {
    throw new MillraceError(
      'MR_NACK_REFUSED',
      "Expected a source with ackMode 'individual' for onError.then: 'nack', got 'cumulative': acks of later messages would cover the nacked one.",
    )
  }
  return Object.freeze({
    attempts: integer('onError.attempts', given.attempts, { min: 1, default: 1 }),
    backoffMs: milliseconds('onError.backoffMs', given.backoffMs, { min: 0, default: 100 }),
    maxDeliveries: integer('onError.maxDeliveries', given.maxDeliveries, {
      min: 1,
      default: Infinity,
      allowInfinity: true,
    }),
    then,
  })
}
