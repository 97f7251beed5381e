import type { Destination } from '../destination.ts'
import { fn } from '../util/options.ts'
import { resolveBatchPolicy, type BatchPolicy } from './batch-policy.ts'
import { Batcher } from './batcher.ts'
import type { Flush } from './flush.ts'

/**
 * A destination that collects messages and flushes them together: on count, bytes or period, or at once where the window or
 * a drain waits for it (G4, G6). A message is acked when a flush that had it has succeeded (G1).
 *
 * A failed flush is tried again by `policy.retry`. What fails for good as a whole is fatal (`MR_FLUSH_FAILED`): the
 * destination is down, nothing more is flushed, the messages stay unacked. With a `BatchError` only what it names is tried
 * again, and what is left of that gets the processor's error policy, message by message. With `concurrency: 1` a retry holds
 * back what comes after it (G3).
 *
 * **Gotchas.** `close` flushes nothing: what is still held then stays unacked. A flush function must settle once its signal
 * has aborted: one that is still pending `timeoutMs` later is fatal (`MR_FLUSH_STUCK`), since its messages can neither be
 * tried again nor let go of (G10). A wrong option throws `MR_OPTION_INVALID`.
 *
 * @example
 * ```ts
 * import { writeFile } from 'node:fs/promises'
 * import { batch } from 'millrace'
 *
 * const destination = batch<string>(
 *   async (messages, signal) => {
 *     const lines = messages.map((message) => `${message.value}\n`).join('')
 *     await writeFile('greetings.txt', lines, { flag: 'a', signal })
 *   },
 *   { count: 500, periodMs: 200, retry: { attempts: Infinity } },
 * )
 * ```
 */
export function batch<T>(flush: Flush<T>, policy?: BatchPolicy): Destination<T> {
  return new Batcher(fn('flush', flush), resolveBatchPolicy(policy))
}
