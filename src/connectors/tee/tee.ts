import type { Destination, Settlement } from '../../destination.ts'
import { MillraceError } from '../../errors.ts'
import type { Message } from '../../message.ts'
import { allSent, Branches } from '../../util/branches.ts'
import { CombinedSettlement } from '../../util/combined-settlement.ts'
import { type DestinationEvent, observe, type Observable } from '../../util/observe.ts'

/**
 * Sends every message to each of the destinations. A message is acked once all of them have acked it (G1), and nacked once
 * all have settled it and one gave it up; until then its value stays valid for each (G10). Retries are each destination's
 * own, so that one touches only the branch that failed.
 *
 * **Gotchas.** The slowest branch sets the pace. A fatal error of one branch is fatal; it names the branch by its index.
 * What the other branches have written by then is written again after a restart.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` for fewer than two destinations, `MR_END_IN_USE` for one that is given twice.
 *
 * @example
 * ```ts
 * import { memoryDestination, printer, tee } from 'millrace'
 *
 * const both = tee(printer(), memoryDestination<string>())
 * await both.close?.()
 * ```
 */
export function tee<T>(
  ...destinations: readonly [Destination<T>, Destination<T>, ...Destination<T>[]]
): Destination<T> {
  const count: number = destinations.length
  if (count < 2) {
    throw new MillraceError('MR_OPTION_INVALID', `Expected two destinations or more for \`tee\`, got ${count}.`)
  }
  return new Tee([...destinations])
}

class Tee<T> implements Destination<T>, Observable {
  readonly #branches: Branches<T>

  constructor(destinations: readonly Destination<T>[]) {
    const names = destinations.map((_, index) => `branch ${index} of \`tee\``)
    this.#branches = new Branches(names, destinations)
  }

  send(messages: readonly Message<T>[], settlement: Settlement, signal: AbortSignal): void | Promise<void> {
    const count = this.#branches.length
    const combined = new CombinedSettlement(settlement, messages.length, count)
    const sends: (void | Promise<void>)[] = []
    for (let index = 0; index < count; index++) {
      sends.push(this.#branches.send(index, messages, combined.branch(index), signal))
    }
    return allSent(sends)
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
}
