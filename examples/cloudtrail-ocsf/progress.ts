/** How far a job is. */
export interface Progress {
  readonly events: number
  /** The part of the input that is read, from 0 to 1, where it is known. */
  readonly fraction: number | undefined
  readonly inFlight?: number
  /** How busy each worker is, from 0 to 1. */
  readonly loads?: readonly number[]
}

/** Where progress is shown: a terminal, or any other stream. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const redrawMs = 200
const lineMs = 3_000
const rateMs = 3_000

/**
 * Shows progress while a job runs: a bar on a terminal, which is redrawn in place, and a plain line every few seconds on
 * anything else or a terminal that cannot redraw (`TERM=dumb`). `NO_COLOR` leaves the bar without colour.
 */
export class ProgressReporter {
  readonly #label: string
  readonly #stream: ProgressStream
  readonly #read: () => Progress
  readonly #redraws: boolean
  readonly #colour: boolean
  readonly #timer: NodeJS.Timeout
  readonly #samples: { readonly ms: number; readonly events: number }[] = []

  constructor(label: string, read: () => Progress, stream: ProgressStream = process.stderr, env = process.env) {
    this.#label = label
    this.#stream = stream
    this.#read = read
    this.#redraws = stream.isTTY === true && env['TERM'] !== 'dumb'
    this.#colour = this.#redraws && (env['NO_COLOR'] ?? '') === ''
    this.#rate(read().events)
    this.#timer = setInterval(() => this.#show(), this.#redraws ? redrawMs : lineMs)
  }

  /** Shows how far it came, and nothing more. */
  stop(): void {
    clearInterval(this.#timer)
    this.#show()
    if (this.#redraws) this.#stream.write('\n')
  }

  #show(): void {
    const progress = this.#read()
    const rate = this.#rate(progress.events)
    if (!this.#redraws) {
      this.#stream.write(`${plainLine(this.#label, progress, rate)}\n`)
      return
    }
    // One column stays free: some terminals wrap when the last one is written.
    const bar = barLine(this.#label, progress, rate, (this.#stream.columns ?? 80) - 1)
    this.#stream.write(`\r\u001B[K${this.#colour ? bar.replace(/█+/u, '\u001B[32m$&\u001B[39m') : bar}`)
  }

  /** Events per second over the last few seconds. */
  #rate(events: number): number {
    const ms = performance.now()
    this.#samples.push({ ms, events })
    while (this.#samples.length > 2 && ms - (this.#samples[1]?.ms ?? ms) > rateMs) this.#samples.shift()
    const first = this.#samples[0]
    return first === undefined || ms <= first.ms ? 0 : ((events - first.events) * 1_000) / (ms - first.ms)
  }
}

/** As a bar, cut to the width. The numbers keep their places from one drawing to the next. */
export function barLine(label: string, progress: Progress, rate: number, width: number): string {
  const { events, fraction, inFlight, loads } = progress
  const parts = [`${count(events).padStart(9)} events`, `${count(rate).padStart(7)}/s`]
  if (inFlight !== undefined) parts.push(`${count(inFlight).padStart(6)} in flight`)
  if (loads !== undefined && loads.length > 0) parts.push(`load ${loads.map(block).join('')}`)
  if (fraction === undefined) return `${label} ${parts.join(' ')}`.slice(0, width)
  const tail = ` ${percent(fraction).padStart(4)} ${parts.join(' ')}`
  const cells = Math.max(4, Math.min(30, width - label.length - 1 - tail.length))
  const full = Math.round(Math.min(1, fraction) * cells)
  return `${label} ${'█'.repeat(full)}${'░'.repeat(cells - full)}${tail}`.slice(0, width)
}

/** As a line of a log. */
export function plainLine(label: string, progress: Progress, rate: number): string {
  const { events, fraction, inFlight, loads } = progress
  const parts = [`${label}: ${count(events)} events`, `${count(rate)}/s`]
  if (fraction !== undefined) parts.push(percent(fraction))
  if (inFlight !== undefined) parts.push(`${count(inFlight)} in flight`)
  if (loads !== undefined && loads.length > 0) parts.push(`worker load ${loads.map((load) => percent(load)).join(' ')}`)
  return parts.join(', ')
}

/** With a comma between thousands, whatever the machine's language. */
export function count(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}

function percent(fraction: number): string {
  return `${Math.floor(Math.min(1, fraction) * 100)}%`
}

/** One character a worker, so that many fit. */
function block(load: number): string {
  return '▁▂▃▄▅▆▇█'.charAt(Math.min(7, Math.floor(load * 8)))
}
