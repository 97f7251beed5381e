import {
  memoryDestination,
  memorySource,
  MillraceError,
  Processor,
  type DeadLetter,
  type HandlerRef,
  type MemoryDestination,
  type MemorySource,
  type Message,
  type ProcessorEvent,
  type ProcessorOptions,
  type PushFields,
  type Summary,
} from 'millrace'
import { expect } from 'vitest'

/** Options of a pipeline: those of the processor but for its ends, which are in memory. */
export interface PipelineOptions<In, Out> extends Omit<
  ProcessorOptions<In, Out>,
  'source' | 'handler' | 'destination' | 'deadLetter' | 'onEvent'
> {
  /** What a message has beside its value; its id is its number unless this sets another. */
  readonly fields?: (value: In, index: number) => PushFields
  /** Whether there is a dead-letter destination. @default true */
  readonly hasDeadLetter?: boolean
  /** Whether the source waits for more. @default false */
  readonly isOpen?: boolean
}

/** All that can be seen of a run from outside. */
export interface Result<Out> {
  readonly summary: Summary
  readonly error: MillraceError | undefined
  readonly outputs: readonly Message<Out>[]
  readonly values: readonly Out[]
  readonly letters: readonly DeadLetter[]
  /** The ids of what was acked, in order. */
  readonly acked: readonly (string | undefined)[]
  readonly events: readonly ProcessorEvent[]
  /** Of all workers. */
  readonly restarts: number
}

/** A processor over memory ends. Every look at it checks the account (G9). */
export class Pipeline<In, Out> {
  readonly processor: Processor<In, Out>
  readonly source: MemorySource<In>
  readonly destination: MemoryDestination<Out> = memoryDestination<Out>()
  readonly deadLetters: MemoryDestination<DeadLetter> = memoryDestination<DeadLetter>()
  readonly events: ProcessorEvent[] = []
  readonly #unbalanced: Summary[] = []

  constructor(
    handler: ProcessorOptions<In, Out>['handler'],
    values: readonly In[],
    { fields, hasDeadLetter = true, isOpen = false, ...options }: PipelineOptions<In, Out> = {},
  ) {
    this.source = memorySource<In>({ log: true })
    values.forEach((value, index) => this.source.push(value, { id: String(index), ...fields?.(value, index) }))
    if (!isOpen) this.source.end()
    this.processor = new Processor<In, Out>({
      threads: 1,
      ...options,
      source: this.source,
      handler,
      destination: this.destination,
      ...(hasDeadLetter ? { deadLetter: this.deadLetters } : {}),
      onEvent: (event) => {
        this.events.push(event)
        this.#checkBalance()
      },
    })
  }

  /** Runs to the end, good or bad, and checks what holds in any case: the account, and the order of acks and outputs. */
  async run(signal?: AbortSignal): Promise<Result<Out>> {
    let summary: Summary
    let error: MillraceError | undefined
    try {
      summary = await this.processor.run(signal)
    } catch (thrown) {
      if (!(thrown instanceof MillraceError)) throw thrown
      error = thrown
      summary = thrown.summary as Summary
    }
    this.#checkBalance()
    expect(this.#unbalanced, 'G9: received = acked + nacked + inFlight').toEqual([])
    const result = this.#result(summary, error)
    expect(this.source.settlements.filter(({ repeated }) => repeated)).toEqual([])
    return result
  }

  #checkBalance(): void {
    const stats = this.processor.stats()
    const { received, acked, nacked, inFlight, delivered, filtered, dropped, deadLettered } = stats
    const balances = received === acked + nacked + inFlight && acked === delivered + filtered + dropped + deadLettered
    if (!balances) this.#unbalanced.push(stats)
  }

  #result(summary: Summary, error: MillraceError | undefined): Result<Out> {
    return {
      summary,
      error,
      outputs: this.destination.messages,
      values: this.destination.values,
      letters: this.deadLetters.values,
      acked: this.source.settlements
        .filter(({ outcome }) => outcome.status === 'acked')
        .map(({ message }) => message.id),
      events: this.events,
      restarts: this.processor.stats().workers.reduce((sum, { restarts }) => sum + restarts, 0),
    }
  }
}

/** One run, from its first message to its end. */
export async function runOver<In, Out>(
  handler: ProcessorOptions<In, Out>['handler'],
  values: readonly In[],
  options: PipelineOptions<In, Out> = {},
): Promise<Result<Out>> {
  return new Pipeline(handler, values, options).run()
}

/** The URL of a handler module among the fixtures. */
export function fixture(name: string): URL {
  return new URL(`../fixtures/handlers/${name}`, import.meta.url)
}

/** An export of a handler module among the fixtures, with the types that the test says it has. */
export function handlerOf<In, Out = unknown>(
  name: string,
  exported = 'default',
  options?: unknown,
): HandlerRef<In, Out> {
  return { module: fixture(name), export: exported, ...(options === undefined ? {} : { options }) }
}

/** Events of one type. */
export function eventsOf<T extends ProcessorEvent['type']>(
  { events }: { readonly events: readonly ProcessorEvent[] },
  type: T,
): Extract<ProcessorEvent, { type: T }>[] {
  return events.filter((event): event is Extract<ProcessorEvent, { type: T }> => event.type === type)
}

/** `'0'`, `'1'` and so on: the ids of `count` messages. */
export function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index))
}
