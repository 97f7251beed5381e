import { outcome } from '../ack/outcome.ts'
import { type ErrorCode, MillraceError } from '../errors.ts'
import type { Message } from '../message.ts'
import type { DeadLetter, Stage } from './dead-letter.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { LaneState } from './lane-state.ts'
import type { ResolvedErrorPolicy } from './resolve-options.ts'
import type { RunHub } from './run-hub.ts'
import type { Trouble } from './trouble.ts'

/** What the error policy may ask of the rest of the run. */
export interface FailureListener {
  /** Try the message again, now. */
  onRetry(lane: LaneState, sequence: number): void
  /** The message's life has ended. */
  onConcluded(lane: LaneState, sequence: number): void
  /** The message has no outputs to send: those behind it need not wait. */
  onNoOutputs(lane: LaneState, sequence: number): void
}

/** A crash or a time-out may have hit an innocent: such a message gets at least this many attempts. */
const MIN_ATTEMPTS_AFTER_END = 3
const MAX_BACKOFF_MS = 5_000

/** Applies the error policy to messages that failed: another attempt, or an end that is explicit and counted (G1). */
export class Failures {
  readonly #policy: ResolvedErrorPolicy
  readonly #deadLetters: DeadLetters | undefined
  readonly #hub: RunHub
  readonly #listener: FailureListener
  readonly #timers = new Set<NodeJS.Timeout>()

  constructor(
    policy: ResolvedErrorPolicy,
    deadLetters: DeadLetters | undefined,
    hub: RunHub,
    listener: FailureListener,
  ) {
    this.#policy = policy
    this.#deadLetters = deadLetters
    this.#hub = hub
    this.#listener = listener
  }

  /** An attempt in a worker failed. */
  attemptFailed(lane: LaneState, sequence: number, stage: Stage, error: MillraceError, workerEnded: boolean): void {
    const trouble = this.#trouble(lane, sequence, stage, error)
    trouble.attempts++
    const allowed = workerEnded ? Math.max(MIN_ATTEMPTS_AFTER_END, this.#policy.attempts) : this.#policy.attempts
    if (trouble.attempts >= allowed) {
      this.giveUp(lane, sequence)
      return
    }
    const delayMs = Math.min(MAX_BACKOFF_MS, this.#policy.backoffMs * 2 ** (trouble.attempts - 1))
    const { id } = lane.ledger.delivery(sequence).message
    this.#hub.event({ type: 'retry', ...idOf(id), stage, attempt: trouble.attempts + 1, delayMs, error })
    this.#later(delayMs, () => this.#listener.onRetry(lane, sequence))
  }

  /** The message is not handled at all: its size, its redeliveries, or its value. */
  refused(lane: LaneState, sequence: number, stage: Stage, error: MillraceError): void {
    this.#trouble(lane, sequence, stage, error)
    this.giveUp(lane, sequence)
  }

  /** An output was given up behind the handler. The policy applies once all outputs are settled, `'stop'` at once. */
  outputFailed(lane: LaneState, sequence: number, output: number, error: MillraceError): void {
    const stage = error.code === 'MR_ROUTE_UNMATCHED' ? 'route' : 'flush'
    const trouble = this.#trouble(lane, sequence, stage, error)
    // The attempt that made the outputs counts, beside those that failed before it.
    if (trouble.outputs.length === 0) trouble.attempts++
    trouble.outputs.push(output)
    if (this.#policy.then === 'stop') this.#stop(lane, sequence, trouble)
  }

  /** The message has used up its attempts. */
  giveUp(lane: LaneState, sequence: number): void {
    const trouble = lane.troubles.get(sequence) as Trouble
    const { message } = lane.ledger.delivery(sequence)
    const told = { ...idOf(message.id), stage: trouble.stage, error: trouble.error }
    const hasOutputs = trouble.stage === 'flush' || trouble.stage === 'route'
    switch (this.#policy.then) {
      case 'stop':
        this.#stop(lane, sequence, trouble)
        return
      case 'drop':
        this.#hub.event({ type: 'drop', ...told })
        lane.ledger.settle(sequence, outcome.dropped)
        lane.troubles.delete(sequence)
        break
      case 'nack':
        if (!this.#mayNack(lane, sequence, trouble)) return
        this.#hub.event({ type: 'nack', ...told })
        lane.ledger.settle(sequence, outcome.nacked)
        break
      case 'deadLetter':
        this.#hub.event({ type: 'deadLetter', ...told })
        if (!hasOutputs) this.#listener.onNoOutputs(lane, sequence)
        this.#deadLetters?.write(lane, sequence, letterOf(message, trouble))
        return
    }
    if (!hasOutputs) this.#listener.onNoOutputs(lane, sequence)
    this.#listener.onConcluded(lane, sequence)
  }

  /** Forgets the attempts that were to come. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #trouble(lane: LaneState, sequence: number, stage: Stage, error: MillraceError): Trouble {
    const known = lane.troubles.get(sequence)
    if (known !== undefined) {
      known.stage = stage
      known.error = error
      return known
    }
    const trouble: Trouble = { attempts: 0, stage, error, outputs: [] }
    lane.troubles.set(sequence, trouble)
    return trouble
  }

  #stop(lane: LaneState, sequence: number, { stage, error }: Trouble): void {
    const { id } = lane.ledger.delivery(sequence).message
    this.#hub.fail(
      new MillraceError(
        'MR_MESSAGE_FAILED',
        `Message ${id ?? '(no id)'} failed at the stage '${stage}' and stays unacked. ` +
          `Set a deadLetter destination, or onError.then, to go on without it. It failed with: ${error.message}`,
        { cause: error },
      ),
    )
  }

  #mayNack(lane: LaneState, sequence: number, { error }: Trouble): boolean {
    const hasNack = lane.ledger.delivery(sequence).nack !== undefined
    if (lane.lane.ackMode === 'individual' && hasNack) return true
    this.#hub.fail(
      new MillraceError(
        'MR_NACK_REFUSED',
        `The error policy says 'nack', but lane "${lane.lane.name}" is ${lane.lane.ackMode}${hasNack ? '' : ' and its delivery has no nack()'}. ` +
          `Use 'deadLetter', 'drop' or 'stop' with this source.`,
        { cause: error },
      ),
    )
    return false
  }

  #later(delayMs: number, step: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#hub.isHalted) step()
    }, delayMs)
    this.#timers.add(timer)
  }
}

/** Errors of ours whose cause, an error of Node's or of a library's, says less than they do. */
const tellMore: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'MR_HANDLER_TIMEOUT',
  'MR_WORKER_EXIT',
  'MR_WORKER_OUT_OF_MEMORY',
  'MR_VALUE_UNSUPPORTED',
])

function idOf(id: string | undefined): { id?: string } {
  return id === undefined ? {} : { id }
}

function letterOf(message: Message<unknown>, trouble: Trouble): Message<DeadLetter> {
  const { stage, attempts, error, outputs } = trouble
  // What user code threw says more than our envelope around it; what a worker ended of is ours to name.
  const told = error.cause instanceof Error && !tellMore.has(error.code) ? error.cause : error
  const { code } = told as { code?: unknown }
  const { id, key, topic, headers, attributes, value } = message
  const optional = { ...idOf(id), ...(headers === undefined ? {} : { headers }) }
  const letter: DeadLetter = {
    value,
    key,
    topic,
    ...optional,
    stage,
    attempts,
    time: new Date().toISOString(),
    ...(outputs.length === 0 ? {} : { outputs: outputs.toSorted((a, b) => a - b) }),
    error: {
      name: told.name,
      message: told.message,
      code: typeof code === 'string' ? code : error.code,
      ...(told.stack === undefined ? {} : { stack: told.stack }),
    },
  }
  return { key, topic, value: letter, ...optional, ...(attributes === undefined ? {} : { attributes }) }
}
