import { type DeadLetter, type Destination, MillraceError, Processor, type Summary, tee } from 'millrace'
import { expect, test } from 'vitest'
import { obey, type Order } from '../../helpers/order.ts'
import {
  itemsOf,
  Journal,
  randomFrom,
  ScriptedDestination,
  ScriptedLane,
  ScriptedSource,
} from '../../helpers/scripted-ends.ts'

/** A run drawn from a seed: its options, its messages, and what goes wrong. */
function draw(seed: number) {
  const random = randomFrom(seed)
  const below = (bound: number): number => Math.floor(random() * bound)
  const oneOf = <T>(...choices: readonly T[]): T => choices[below(choices.length)] as T
  const journal = new Journal()
  const then = oneOf('deadLetter', 'drop', 'nack')
  const threads = oneOf(0, 1, 2)
  const mode = then === 'nack' ? 'individual' : oneOf<'individual' | 'cumulative'>('individual', 'cumulative')
  const lanes = Array.from({ length: 1 + below(4) }, (_, index) => new ScriptedLane(`lane ${index}`, mode))
  const laneOf = new Map<string, number>()
  const items = itemsOf(250, (index) => {
    const at = below(lanes.length)
    laneOf.set(`m${index}`, at)
    const value: Order = {
      outputs: below(4),
      ...(random() < 0.5 ? { bytes: below(3_000) } : {}),
      waitMs: random() < 0.05 ? 1 + below(6) : 0,
      failures: random() < 0.1 ? 1 + below(4) : 0,
      exits: threads > 0 && random() < 0.008 ? 1 + below(4) : 0,
    }
    return { id: `m${index}`, value, lane: lanes[at] as ScriptedLane }
  })
  const source = new ScriptedSource<Order>(items, {
    journal,
    ...(random() < 0.7 ? { batch: 1 + below(60) } : {}),
    onAck: oneOf<() => void | Promise<void>>(
      () => {},
      () => new Promise((resolve) => setTimeout(resolve, below(4))),
    ),
    stayOpen: random() < 0.3,
  })
  const given = new Set(
    itemsOf(250, (index) => ({ value: index })).flatMap(({ value }) => (random() < 0.04 ? [`m${value}#0`] : [])),
  )
  const branch = (name: string): ScriptedDestination<unknown> => {
    const slow = oneOf(0, 3, 10)
    return new ScriptedDestination<unknown>({
      journal,
      name,
      settleMs: () => below(slow + 1),
      nack: ({ id }) => (name === 'A' && given.has(id ?? '') ? new Error('refused') : undefined),
      ...(random() < 0.5 ? { onSend: () => new Promise<void>((resolve) => setTimeout(resolve, below(3))) } : {}),
    })
  }
  const branches = ['A', 'B'].slice(0, 1 + below(2)).map(branch)
  const [first, second] = branches as [ScriptedDestination<unknown>, ScriptedDestination<unknown>?]
  const destination: Destination<unknown> = second === undefined ? first : tee(first, second)
  const letters = new ScriptedDestination<DeadLetter>({ journal, name: 'Letter', settleMs: () => below(5) })
  const maxInFlight = oneOf(1, 5, 40, 1_000)
  const processor = new Processor<Order, unknown>({
    source,
    handler: obey,
    destination,
    ...(then === 'deadLetter' ? { deadLetter: letters } : {}),
    threads,
    ordering: oneOf('source', 'none'),
    maxInFlight,
    maxInFlightBytes: oneOf(4_000, 64 * 1024 * 1024),
    handlerConcurrency: oneOf(1, 4),
    onError: { attempts: 3, backoffMs: below(4), then },
  })
  return { journal, source, branches, letters, laneOf, maxInFlight, processor, below }
}

test.each(itemsOf(16, (index) => ({ value: index + 1 })).map(({ value }) => value))(
  'G1, G2, G3, G4, G6, G9: all at once, drawn from the seed %i',
  async (seed) => {
    const { journal, source, branches, letters, laneOf, maxInFlight, processor, below } = draw(seed)
    const abort = new AbortController()
    const running = processor.run(abort.signal)
    setTimeout(() => abort.abort(), 100 + below(400))
    const summary: Summary = await running.catch((error: unknown) => {
      throw error instanceof MillraceError ? new Error(`${error.code}: ${error.message}`, { cause: error }) : error
    })

    // G9, G6: everything that was received is settled.
    expect(summary.received).toBe(source.yielded)
    expect(summary.received).toBe(summary.acked + summary.nacked)
    expect(summary.acked).toBe(summary.delivered + summary.filtered + summary.dropped + summary.deadLettered)
    expect(processor.stats()).toMatchObject({ inFlight: 0, inFlightBytes: 0, oldestMs: 0 })
    expect([summary.acked, summary.nacked]).toEqual([journal.ids('ack').length, journal.ids('nack').length])
    // G4
    expect(source.mostOutstanding).toBeLessThanOrEqual(maxInFlight)
    // G2: in the order of each lane; each once, and nothing after close, or it were a violation.
    for (const lane of new Set(laneOf.values())) {
      const of = (...kinds: readonly string[]): string[] =>
        journal.entries.filter(({ what, id }) => kinds.includes(what) && laneOf.get(id) === lane).map(({ id }) => id)
      expect(of('ack', 'nack')).toEqual(of('recv'))
    }
    for (const end of [source, ...branches, letters]) expect(end.violations).toEqual([])
    // G1: what was sent of an acked message has been settled in every branch when the ack comes.
    const open = new Map<string, number>()
    for (const { what, id } of journal.entries) {
      const [message = ''] = id.split('#')
      if (what === 'send') open.set(message, (open.get(message) ?? 0) + 1)
      else if (what.startsWith('flushed') || what === 'gaveUp') open.set(message, (open.get(message) ?? 0) - 1)
      else if (what === 'ack') expect(open.get(message) ?? 0, `${message} is acked with outputs unsettled`).toBe(0)
    }
    expect(summary.deadLettered).toBe(journal.ids('flushedLetter').length)
    expect(source.closes).toBe(1)
  },
)
