import type { EventLoopUtilization } from 'node:perf_hooks'

/** The share of the time that an event loop was busy since the last look, from 0 to 1. PURE. */
export class Utilization {
  #active = 0
  #idle = 0

  /** @param now the loop's totals since it started */
  since({ active, idle }: Pick<EventLoopUtilization, 'active' | 'idle'>): number {
    const busy = active - this.#active
    const all = busy + idle - this.#idle
    this.#active = active
    this.#idle = idle
    return all > 0 ? Math.min(1, Math.max(0, busy / all)) : 0
  }
}
