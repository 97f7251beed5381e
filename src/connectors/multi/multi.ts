import { setMaxListeners } from 'node:events'
import { messageOf, MillraceError } from '../../errors.ts'
import type { Delivery, Source } from '../../source.ts'
import { invalidOption } from '../../util/options.ts'
import { closeAll } from '../../util/run-all.ts'
import { checkSource } from '../../util/source-shape.ts'
import { untilAborted } from '../../util/until-aborted.ts'
import { ackWrapped } from '../../util/wrapped-delivery.ts'
import { childFailed, MultiChild } from './multi-child.ts'

/** What the sources of a fan-in yield: the union of their values. */
export type ValueOf<Sources> = Sources[keyof Sources] extends Source<infer T> ? T : never

/** A source that never waits would keep those that wait for a socket or a timer from ever being ready. */
const turnMs = 5

class MultiSource<T> implements Source<T> {
  /** `'individual'` only where that holds for all; each delivery names the lane that it is in. */
  readonly ackMode: 'cumulative' | 'individual'
  readonly #children: readonly MultiChild[]
  /** Aborts with the `recv` that was aborted, which is the end: a child's `recv` outlives the call that began it. */
  readonly #stopped = new AbortController()
  readonly #closed = new AbortController()
  /** The child that is served first. */
  #first = 0
  #turnStartMs = 0
  #wake: () => void = () => {}
  #runs: readonly Promise<void>[] = []
  #closing: Promise<void> | undefined

  constructor(sources: readonly (readonly [string, Source<unknown>])[]) {
    this.#children = sources.map(([name, source]) => new MultiChild(name, source, () => this.#wake()))
    // Every source listens to them, however many there are.
    setMaxListeners(0, this.#stopped.signal, this.#closed.signal)
    this.ackMode = sources.every(([, source]) => source.ackMode === 'individual') ? 'individual' : 'cumulative'
  }

  async recv(signal: AbortSignal): Promise<Delivery<T> | undefined> {
    const [delivery] = await this.recvBatch(1, Infinity, signal)
    return delivery
  }

  async recvBatch(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<T>[]> {
    const stopped = this.#stopped.signal
    for (;;) {
      if (signal.aborted) this.#stopped.abort()
      if (!stopped.aborted) await this.#ask(Math.max(max, 1), Math.max(maxBytes, 1))
      for (const { failure } of this.#children) if (failure !== undefined) throw failure
      const deliveries = this.#take(Math.max(max, 1), Math.max(maxBytes, 1))
      if (deliveries.length > 0 || stopped.aborted || this.#children.every((child) => child.ended)) return deliveries
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await untilAborted(woken, signal)
    }
  }

  ackBatch(deliveries: readonly Delivery<T>[]): void | Promise<void> {
    return ackWrapped(deliveries)
  }

  async run(signal: AbortSignal): Promise<void> {
    const ending = AbortSignal.any([signal, this.#closed.signal])
    this.#runs = this.#children.map(async ({ name, source }) => {
      try {
        await source.run?.(ending)
      } catch (thrown) {
        throw childFailed(name, thrown)
      }
    })
    await Promise.all(this.#runs)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Asks each idle child for its share, so that what waits in all of them together is no more than one batch. */
  async #ask(max: number, maxBytes: number): Promise<void> {
    const active = this.#children.filter((child) => !child.ended)
    const share = Math.max(1, Math.floor(max / active.length))
    for (const child of active) child.ask(share, maxBytes / active.length, this.#stopped.signal)
    if (performance.now() - this.#turnStartMs > turnMs) {
      await new Promise((resolve) => setImmediate(resolve))
      this.#turnStartMs = performance.now()
    }
  }

  /** Every child that is ready gives its share; the one that was first is last in the next batch. */
  #take(max: number, maxBytes: number): readonly Delivery<T>[] {
    const count = this.#children.length
    const inTurn = this.#children.map((_, index) => (this.#first + index) % count)
    const ready = inTurn.flatMap((index) => this.#children[index] ?? []).filter((child) => child.ready)
    const share = Math.ceil(max / ready.length)
    const deliveries: Delivery<unknown>[] = []
    const bytes = { left: maxBytes }
    for (const child of ready) child.take(Math.min(share, max - deliveries.length), bytes, deliveries)
    if (ready[0] !== undefined) this.#first = (this.#children.indexOf(ready[0]) + 1) % count
    return deliveries as Delivery<T>[]
  }

  async #close(): Promise<void> {
    this.#stopped.abort()
    this.#closed.abort()
    const sources = this.#children.map((child) => child.source)
    try {
      await closeAll(sources, (thrown, index) => closeFailed(this.#children[index]?.name, thrown))
    } finally {
      await Promise.allSettled(this.#runs)
    }
  }
}

function closeFailed(name: string | undefined, thrown: unknown): MillraceError {
  return new MillraceError(
    'MR_END_FAILED',
    `Expected source '${name}' of multi to close, and it failed: ${messageOf(thrown)}. The cause says why.`,
    { cause: thrown },
  )
}

/**
 * Fan-in: one source that yields what several yield, typed as their union. The result owns them: it runs and closes each.
 *
 * - **Fair.** Each source is asked for its share of a batch, and every one that is ready is in it: a busy source cannot
 *   starve another.
 * - **Lanes kept.** Settlements go to the source that yielded the delivery, in its order. A source's own lanes stay as they
 *   are; its other deliveries are in a lane that has the source's name and its `ackMode`. A lane that holds too much of the
 *   window is paused: that source alone is not asked.
 * - **Errors and end.** The first source that fails fails the whole, at once, with its name; it ends when all have ended.
 *
 * **Gotchas.** One share of each source is received ahead; after an abort it stays unacked, unless it was still yielded.
 *
 * @throws {MillraceError} At once, `MR_OPTION_INVALID` when there is no source, or something else than a source, and
 * `MR_END_IN_USE` when one is given twice. `MR_SOURCE_FAILED` from `recv` and `run`, and `MR_END_FAILED` from `close`, name
 * the source, with its error as `cause`.
 *
 * @example
 * ```ts
 * import { iterable, multi } from 'millrace'
 *
 * const source = multi({ words: iterable(['a', 'b']), numbers: iterable([1, 2]) }) // Source<string | number>
 * const { signal } = new AbortController()
 * for (let next = await source.recv(signal); next !== undefined; next = await source.recv(signal)) {
 *   console.log(next.lane?.name, next.message.value)
 *   await next.ack()
 * }
 * await source.close?.()
 * ```
 */
export function multi<const Sources extends Readonly<Record<string, Source<unknown>>>>(
  sources: Sources,
): Source<ValueOf<Sources>> {
  const given: unknown = sources
  const entries = typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(sources) : []
  if (entries.length === 0) {
    throw invalidOption('sources', 'an object of one or more sources by name', given, 'Name each: `multi({ a, b })`.')
  }
  const seen = new Map<unknown, string>()
  for (const [name, source] of entries) {
    checkSource(`sources.${name}`, source)
    const other = seen.get(source)
    if (other !== undefined) {
      throw new MillraceError(
        'MR_END_IN_USE',
        `Expected each source of multi to be another one, got the same as '${other}' and '${name}'. Make one for each.`,
      )
    }
    seen.set(source, name)
  }
  return new MultiSource<ValueOf<Sources>>(entries)
}
