import type { Message } from '../message.ts'

/**
 * Writes the messages of one batch. They are durable once its promise resolves (G1); a rejection says that none is, a
 * `BatchError` which ones are not.
 *
 * **Gotchas.** The array is the function's own, the values are not: they are valid until the promise settles (G10). The
 * signal aborts at the time-out of the attempt and at the drain's: give up then, and settle only when nothing reads the
 * values any more. Resolving after the abort still counts as flushed.
 *
 * @example
 * ```ts
 * import type { Flush } from 'millrace'
 *
 * const stored: string[] = []
 * const store: Flush<string> = async (messages) => {
 *   stored.push(...messages.map((message) => message.value))
 * }
 * ```
 */
export type Flush<T> = (messages: readonly Message<T>[], signal: AbortSignal) => Promise<void>
