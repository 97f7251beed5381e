import type { Destination, Settlement } from '../../destination.ts'
import { describe, MillraceError, toError } from '../../errors.ts'
import type { Message } from '../../message.ts'
import { allSent, Branches } from '../../util/branches.ts'
import { mappedSettlement } from '../../util/mapped-settlement.ts'
import { type DestinationEvent, observe, type Observable } from '../../util/observe.ts'

/**
 * Sends each message to the branch that `choose` names. Within a branch, messages keep their order; branches do not wait
 * for each other's flushes.
 *
 * What no branch takes is given up with `MR_ROUTE_UNMATCHED` and gets the processor's error policy: where `choose` returned
 * `undefined`, the name of no branch, or threw.
 *
 * **Gotchas.** A fatal error of one branch is fatal; it names the branch. To discard on purpose, return `[]` in the handler
 * or route to a destination that acks at once.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` without a function or a branch, `MR_END_IN_USE` for a destination that is
 * given twice.
 *
 * @example
 * ```ts
 * import { memoryDestination, route } from 'millrace'
 *
 * const errors = memoryDestination<string>()
 * const rest = memoryDestination<string>()
 * const byLevel = route((message) => (message.value.startsWith('ERROR') ? 'errors' : 'rest'), { errors, rest })
 * await byLevel.close?.()
 * ```
 */
export function route<T, Name extends string>(
  choose: (message: Message<T>) => NoInfer<Name> | undefined,
  branches: Readonly<Record<Name, Destination<T>>>,
): Destination<T> {
  if (typeof choose !== 'function') {
    throw new MillraceError(
      'MR_OPTION_INVALID',
      `Expected \`choose\` to be a function from a message to the name of a branch, got ${describe(choose)}.`,
    )
  }
  const entries = new Map<string, Destination<T>>(
    typeof branches === 'object' && branches !== null ? Object.entries<Destination<T>>(branches) : [],
  )
  if (entries.size === 0) {
    throw new MillraceError(
      'MR_OPTION_INVALID',
      `Expected \`branches\` to be an object of destinations by name, at least one, got ${describe(branches)}.`,
    )
  }
  return new Route(choose, entries)
}

class Route<T> implements Destination<T>, Observable {
  readonly #choose: (message: Message<T>) => string | undefined
  readonly #names: readonly string[]
  readonly #indexes: ReadonlyMap<unknown, number>
  readonly #branches: Branches<T>

  constructor(choose: (message: Message<T>) => string | undefined, entries: ReadonlyMap<string, Destination<T>>) {
    this.#choose = choose
    this.#names = [...entries.keys()]
    this.#indexes = new Map(this.#names.map((name, index) => [name, index]))
    this.#branches = new Branches(
      this.#names.map((name) => `branch '${name}' of \`route\``),
      [...entries.values()],
    )
  }

  send(messages: readonly Message<T>[], settlement: Settlement, signal: AbortSignal): void | Promise<void> {
    const parts = this.#names.map((): Part<T> => ({ messages: [], positions: [] }))
    messages.forEach((message, position) => {
      const branch = this.#branchOf(message)
      const part = typeof branch === 'number' ? parts[branch] : undefined
      if (part === undefined) {
        settlement.nack(toError(branch), position, position + 1)
      } else {
        part.messages.push(message)
        part.positions.push(position)
      }
    })
    return allSent(
      parts.map((part, index) => {
        if (part.messages.length === 0) return
        return this.#branches.send(index, part.messages, mappedSettlement(settlement, part.positions), signal)
      }),
    )
  }

  flush(): unknown {
    return this.#branches.flush()
  }

  run(signal: AbortSignal): Promise<void> {
    return this.#branches.run(signal)
  }

  close(): Promise<void> {
    return this.#branches.close()
  }

  [observe](listener: (event: DestinationEvent) => void): void {
    this.#branches.observe(listener)
  }

  /** The index of the branch, or why there is none. */
  #branchOf(message: Message<T>): number | MillraceError {
    let chosen: unknown
    try {
      chosen = this.#choose(message)
    } catch (thrown) {
      const cause = toError(thrown)
      return new MillraceError('MR_ROUTE_UNMATCHED', `No branch was chosen: \`choose\` threw: ${cause.message}`, {
        cause,
      })
    }
    return this.#indexes.get(chosen) ?? this.#unmatched(chosen)
  }

  #unmatched(chosen: unknown): MillraceError {
    const names = this.#names.map((name) => `'${name}'`).join(', ')
    return new MillraceError(
      'MR_ROUTE_UNMATCHED',
      `Expected \`choose\` to return the name of a branch (${names}), got ${describe(chosen)}. Add a branch for the rest, or ` +
        'filter such messages in the handler.',
    )
  }
}

interface Part<T> {
  readonly messages: Message<T>[]
  readonly positions: number[]
}
