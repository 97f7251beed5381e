import { constants } from 'node:os'
import { fn, invalidOption, knownKeys } from '../util/options.ts'

/** Anything that runs until it has ended or its signal aborts: a `Processor`, a server, a loop of your own. */
export interface Runner {
  /** Resolves when it has ended or, after an abort, has drained. A rejection aborts the other runners. */
  run(signal?: AbortSignal): Promise<unknown>
}

/** The options of `run`. */
export interface RunOptions {
  /** The signals that drain, and of which a second one stops at once. @default ['SIGINT', 'SIGTERM'] */
  signals?: readonly NodeJS.Signals[]
  /** Drains as well when it aborts. @default none */
  signal?: AbortSignal
  /** Told each error of a runner, at once. @default prints its code, its message and its causes to stderr */
  onError?(error: unknown): void
}

export interface ResolvedRunOptions {
  readonly signals: readonly NodeJS.Signals[]
  readonly signal: AbortSignal | undefined
  readonly onError: (error: unknown) => void
}

/** No process can handle these. */
const uncatchable: ReadonlySet<string> = new Set(['SIGKILL', 'SIGSTOP'])

/** Checks the options of `run` and fills in the defaults. */
export function resolveRunOptions(
  options: RunOptions | undefined,
  print: (error: unknown) => void,
): ResolvedRunOptions {
  const {
    signals = ['SIGINT', 'SIGTERM'],
    signal,
    onError,
  } = knownKeys('run', options, ['signals', 'signal', 'onError'])
  if (!Array.isArray(signals) || !signals.every(isCatchable)) {
    throw invalidOption('signals', 'an array of signal names that a process can handle', signals, "Try ['SIGTERM'].")
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalidOption('signal', 'an AbortSignal', signal, 'Pass the `signal` of an AbortController.')
  }
  return Object.freeze({ signals: [...new Set(signals)], signal, onError: fn('onError', onError, print) })
}

/** Checks what `run` is given to run. */
export function resolveRunners(runners: Runner | readonly Runner[]): readonly Runner[] {
  const list = (Array.isArray(runners) ? runners : [runners]) as readonly Runner[]
  if (list.length === 0) throw invalidOption('runners', 'at least one runner', list, 'Pass a Processor, for example.')
  for (const runner of list) {
    if (typeof runner !== 'object' || runner === null || typeof runner.run !== 'function') {
      throw invalidOption('runners', 'objects with a method `run(signal)`', runner, 'Pass a Processor, for example.')
    }
  }
  return list
}

function isCatchable(signal: unknown): boolean {
  return typeof signal === 'string' && Object.hasOwn(constants.signals, signal) && !uncatchable.has(signal)
}
