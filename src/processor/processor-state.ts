import { MillraceError } from '../errors.ts'

/**
 * Where a run stands. PURE.
 *
 * ```
 *   idle ─▶ running ─▶ draining ─▶ closing ─▶ stopped
 *              └──────────┴──▶ failing ─────────▲
 * ```
 *
 * `draining`: no more is received, what was received is handled. `closing`: all is settled. `failing`: nothing new is
 * started, what is being flushed may end.
 */
export type ProcessorState = 'idle' | 'running' | 'draining' | 'closing' | 'failing' | 'stopped'

const next: Readonly<Record<ProcessorState, readonly ProcessorState[]>> = {
  idle: ['running'],
  running: ['draining', 'failing'],
  draining: ['closing', 'failing'],
  closing: ['failing', 'stopped'],
  failing: ['stopped'],
  stopped: [],
}

/** The state that follows, where it may. */
export function transition(from: ProcessorState, to: ProcessorState): ProcessorState {
  if (next[from].includes(to)) return to
  throw new MillraceError('MR_INTERNAL', `A processor cannot go from ${from} to ${to}. Please report it.`)
}

/** Whether anything new may be started: received, dispatched, sent. */
export function isHalted(state: ProcessorState): boolean {
  return state === 'closing' || state === 'failing' || state === 'stopped'
}
