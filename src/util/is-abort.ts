/** Whether an error is what becomes of a wait whose signal aborted: its reason, or Node's AbortError. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === 'AbortError'))
}
