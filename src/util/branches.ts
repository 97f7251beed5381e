import type { Destination, Settlement } from '../destination.ts'
import { describe, MillraceError, toError } from '../errors.ts'
import type { Message } from '../message.ts'
import { branchFailure } from './branch-failure.ts'
import { isThenable } from './is-thenable.ts'
import { type DestinationEvent, observe, type Observable } from './observe.ts'
import { closeAll, runAll } from './run-all.ts'

/**
 * The destinations behind one destination: they run, flush and close together, and the failure of one is fatal and says
 * which. Names are for those errors.
 */
export class Branches<T> {
  readonly #names: readonly string[]
  readonly #destinations: readonly Destination<T>[]

  constructor(names: readonly string[], destinations: readonly Destination<T>[]) {
    destinations.forEach((destination, index) => {
      const name = names[index] ?? ''
      if (typeof (destination as { send?: unknown } | null | undefined)?.send !== 'function') {
        throw new MillraceError(
          'MR_OPTION_INVALID',
          `Expected ${name} to be a destination, an object with a \`send\` function, got ${describe(destination)}.`,
        )
      }
      const first = destinations.indexOf(destination)
      if (first === index) return
      throw new MillraceError(
        'MR_END_IN_USE',
        `Expected different destinations, got the same one as ${names[first] ?? ''} and as ${name}. Make two of them.`,
      )
    })
    this.#names = names
    this.#destinations = destinations
  }

  get length(): number {
    return this.#destinations.length
  }

  /** Sends to one branch. What it throws comes as a rejection, so that the sends of its siblings are never left unobserved. */
  send(
    index: number,
    messages: readonly Message<T>[],
    settlement: Settlement,
    signal: AbortSignal,
  ): void | Promise<void> {
    const fail = (thrown: unknown): never => {
      throw branchFailure(this.#names[index] ?? '', 'MR_SEND_FAILED', thrown)
    }
    try {
      const sent = this.#destinations[index]?.send(messages, settlement, signal)
      return sent === undefined ? undefined : Promise.resolve(sent).catch(fail)
    } catch (thrown) {
      return Promise.reject(toError(thrown)).catch(fail)
    }
  }

  /** Whatever a branch's flush returns is watched, so that one that rejects is not left unobserved. */
  flush(): unknown {
    const pending: Promise<unknown>[] = []
    for (const [index, destination] of this.#destinations.entries()) {
      const flushed: unknown = destination.flush?.()
      if (!isThenable(flushed)) continue
      pending.push(Promise.resolve(flushed).catch((thrown: unknown) => this.#flushFailed(index, thrown)))
    }
    return pending.length === 0 ? undefined : Promise.all(pending).then(() => {})
  }

  #flushFailed(index: number, thrown: unknown): never {
    throw branchFailure(this.#names[index] ?? '', 'MR_SEND_FAILED', thrown)
  }

  run(signal: AbortSignal): Promise<void> {
    return runAll(this.#destinations, signal, (thrown, index) => this.#endFailure(index, thrown))
  }

  close(): Promise<void> {
    return closeAll(this.#destinations, (thrown, index) => this.#endFailure(index, thrown))
  }

  observe(listener: (event: DestinationEvent) => void): void {
    for (const destination of this.#destinations) (destination as Observable)[observe]?.(listener)
  }

  #endFailure(index: number, thrown: unknown): MillraceError {
    return branchFailure(this.#names[index] ?? '', 'MR_END_FAILED', thrown)
  }
}

/** Resolves once all of the sends have; `undefined` where none was pending. */
export function allSent(sends: readonly (void | Promise<void>)[]): void | Promise<void> {
  const pending = sends.filter((sent): sent is Promise<void> => sent !== undefined)
  if (pending.length > 0) return Promise.all(pending).then(() => undefined)
}
