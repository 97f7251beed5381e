import { MillraceError, toMillraceError } from '../errors.ts'
import { isAbort } from '../util/is-abort.ts'
import { type DestinationEvent, type Observable, observe } from '../util/observe.ts'
import type { RunHub } from './run-hub.ts'

/** What a source and a destination have in common. */
interface End {
  run?(signal: AbortSignal): Promise<void>
  close?(): Promise<void>
}

/** An end of a processor, under the name that errors give it. */
export interface NamedEnd {
  readonly name: string
  readonly end: End
}

const owned = new WeakSet<object>()

/** Takes the ends for one processor: it runs and closes them, so nobody else may. Throws `MR_END_IN_USE`. */
export function claimEnds(ends: readonly NamedEnd[]): void {
  const seen = new Set<object>()
  for (const { name, end } of ends) {
    if (owned.has(end) || seen.has(end)) {
      throw new MillraceError(
        'MR_END_IN_USE',
        `Expected a ${name} of this processor's own, got one that ${seen.has(end) ? 'has another place in it' : 'another processor has'}. Make one for each place.`,
      )
    }
    seen.add(end)
  }
  for (const end of seen) owned.add(end)
}

/** The background loops and the closing of a processor's ends; each loop runs once, each end is closed once. */
export class Ends {
  readonly #hub: RunHub
  readonly #abort = new AbortController()
  readonly #closings = new Map<NamedEnd, Promise<void>>()
  #loops: Promise<unknown> = Promise.resolve()

  constructor(hub: RunHub) {
    this.#hub = hub
  }

  start(ends: readonly NamedEnd[], listener: (event: DestinationEvent) => void): void {
    for (const { end } of ends) (end as Observable)[observe]?.(listener)
    const loops = ends.map(async ({ name, end }) => {
      try {
        await end.run?.(this.#abort.signal)
      } catch (error) {
        // A loop that waits with its signal ends so: it was told to.
        if (!isAbort(error, this.#abort.signal)) this.#failed(name, 'failed while it ran', error)
      }
    })
    this.#loops = Promise.all(loops)
  }

  /** Tells the loops that nothing comes any more; resolves when they have ended. */
  async stopLoops(): Promise<void> {
    this.#abort.abort(new MillraceError('MR_ABORTED', 'The processor has stopped.'))
    await this.#loops
  }

  /** Closes the ends that were not closed before; resolves when all of these are. */
  async close(ends: readonly NamedEnd[]): Promise<void> {
    await Promise.all(
      ends.map((named) => {
        const closing = this.#closings.get(named) ?? this.#close(named)
        this.#closings.set(named, closing)
        return closing
      }),
    )
  }

  async #close({ name, end }: NamedEnd): Promise<void> {
    try {
      await end.close?.()
    } catch (error) {
      this.#failed(name, 'could not be closed', error)
    }
  }

  #failed(name: string, what: string, error: unknown): void {
    this.#hub.fail(toMillraceError(error, 'MR_END_FAILED', `The ${name} ${what}`))
  }
}
