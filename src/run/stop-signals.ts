import { constants } from 'node:os'
import { isatty } from 'node:tty'

/** When a signal came. */
export interface SignalArrival {
  readonly signal: NodeJS.Signals
  readonly atMs: number
}

/** Shorter than two deliberate key presses, longer than npm takes to pass a signal on. */
const echoMs = 150

/**
 * Calls `onFirst` for the first of the signals; the second one, of whichever kind, ends the process at once with 128 and
 * its number. Returns what takes the listeners off again.
 */
export function onStopSignals(
  signals: readonly NodeJS.Signals[],
  onFirst: (signal: NodeJS.Signals) => void,
): () => void {
  const forwarded = process.env['npm_lifecycle_event'] !== undefined && isatty(0)
  let first: SignalArrival | undefined
  const listener = (signal: NodeJS.Signals): void => {
    const arrival = { signal, atMs: performance.now() }
    if (first === undefined) {
      first = arrival
      onFirst(signal)
    } else if (!(forwarded && isEcho(first, arrival))) {
      process.exit(128 + constants.signals[signal])
    }
  }
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}

/**
 * Whether the second arrival is the first one over again. Under npm one Ctrl-C comes twice: the terminal sends it to the
 * whole process group, and npm passes on what it got.
 */
export function isEcho(first: SignalArrival, second: SignalArrival): boolean {
  return first.signal === 'SIGINT' && second.signal === 'SIGINT' && second.atMs - first.atMs < echoMs
}
