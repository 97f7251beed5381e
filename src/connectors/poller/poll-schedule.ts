import { integer, invalidOption, milliseconds, number } from '../../util/options.ts'

/** When a poller asks again. */
export interface PollSchedule {
  /**
   * From the end of one poll to the start of the next, in milliseconds, at least; 0 asks again at once after a poll that
   * had items.
   * @default 1_000
   */
  intervalMs?: number
  /** What the interval is multiplied by for each further poll in a row that is empty or fails. @default 2 */
  factor?: number
  /** The bound on the interval, in milliseconds. @default 30_000, or `intervalMs` where that is longer */
  maxIntervalMs?: number
  /** Polls in a row that may fail, the last of which is fatal; `Infinity` waits for the polled system. @default 5 */
  attempts?: number
}

/** The names of {@link PollSchedule}. */
export const pollScheduleNames = ['intervalMs', 'factor', 'maxIntervalMs', 'attempts'] as const

const defaultMaxIntervalMs = 30_000

/** With an interval of 0, a poll in vain must still be followed by a wait: it would else be a busy loop. */
const leastBackoffMs = 10

/** Checks the schedule and fills it. */
export function resolvePollSchedule(given: PollSchedule): Readonly<Required<PollSchedule>> {
  const intervalMs = milliseconds('intervalMs', given.intervalMs, { min: 0, default: 1_000 })
  const fallback = Math.max(intervalMs, defaultMaxIntervalMs)
  const maxIntervalMs = milliseconds('maxIntervalMs', given.maxIntervalMs, { min: 1, default: fallback })
  if (maxIntervalMs < intervalMs) {
    throw invalidOption(
      'maxIntervalMs',
      `at least intervalMs, ${intervalMs}`,
      maxIntervalMs,
      'Raise it or leave it out.',
    )
  }
  return Object.freeze({
    intervalMs,
    factor: number('factor', given.factor, { min: 1, default: 2 }),
    maxIntervalMs,
    attempts: integer('attempts', given.attempts, { min: 1, default: 5, allowInfinity: true }),
  })
}

/** The wait after a poll, in milliseconds; `inVain` counts the polls in a row, up to this one, that were empty or failed. */
export function pollDelayMs(schedule: Readonly<Required<PollSchedule>>, inVain: number): number {
  const { intervalMs, factor, maxIntervalMs } = schedule
  if (inVain === 0) return intervalMs
  return Math.min(Math.max(intervalMs, leastBackoffMs) * factor ** (inVain - 1), maxIntervalMs)
}
