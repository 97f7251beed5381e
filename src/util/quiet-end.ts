/**
 * Marks a fatal error that is an orderly end: the reader at the far end has gone, as `head` does when it has enough. What
 * is unsettled stays unacked, but there is nothing to report. Only millrace's own ends set it: an EPIPE elsewhere is a fault.
 */
const quietEnd: unique symbol = Symbol.for('millrace.quietEnd') as never

/** Marks the error, and returns it. */
export function markQuietEnd<E extends Error>(error: E): E {
  return Object.defineProperty(error, quietEnd, { value: true })
}

/** Whether the error, or one beneath it, is an orderly end. */
export function isQuietEnd(error: unknown): boolean {
  const seen = new Set<unknown>()
  for (let link = error; typeof link === 'object' && link !== null && !seen.has(link); link = causeOf(link)) {
    if ((link as Record<symbol, unknown>)[quietEnd] === true) return true
    seen.add(link)
  }
  return false
}

function causeOf(error: object): unknown {
  return (error as { cause?: unknown }).cause
}
