import { MillraceError } from '../errors.ts'
import { isAbort } from '../util/is-abort.ts'
import { isQuietEnd } from '../util/quiet-end.ts'
import { errorReport } from './error-report.ts'
import { resolveRunners, resolveRunOptions, type Runner, type RunOptions } from './run-options.ts'
import { onStopSignals } from './stop-signals.ts'

/** Longer than any run; Node's longest timer is a little over it. */
const foreverMs = 2 ** 30

/**
 * Runs processors, and anything else that has a `run(signal)`, as the main program of a process: one line at the end of a
 * main file. The first SIGINT or SIGTERM aborts the signal that all of them share, so that they drain; a second one ends
 * the process at once with 130 or 143. The first runner that rejects aborts the others, and all are waited for.
 *
 * It resolves in any case once all runners have ended: an error is reported as it comes, and makes the process's exit code
 * 1, as a drain that ran out of time does; otherwise the exit code stays as it is. After an abort, a runner that rejects
 * with the signal's reason or with an `AbortError` has ended well.
 *
 * **Gotchas.** It sets `process.exitCode` and does not exit, so that stdout is written to its end: what is still open
 * afterwards keeps the process alive (`await run(processor); process.exit()` ends it). Until then it keeps the process
 * alive itself. A printer whose reader has gone, as under `head`, drains as a signal does, and is not reported.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` for a runner or an option that is none; `MR_LISTENER_FAILED` when `onError`
 * throws, once all runners have ended.
 *
 * @example
 * ```ts
 * import { iterable, printer, Processor, run } from 'millrace'
 * import { pipe } from 'millrace/handler'
 *
 * await run(new Processor({ source: iterable(['one', 'two']), handler: pipe, destination: printer(), threads: 1 }))
 * ```
 */
export async function run(runners: Runner | readonly Runner[], options?: RunOptions): Promise<void> {
  const list = resolveRunners(runners)
  const { signals, signal, onError } = resolveRunOptions(options, print)
  const stop = new AbortController()
  const listenerErrors: unknown[] = []

  const report = async (error: unknown): Promise<void> => {
    process.exitCode = 1
    try {
      const reported: unknown = onError(error)
      await reported
    } catch (thrown) {
      listenerErrors.push(thrown)
    }
  }
  const supervise = async (runner: Runner): Promise<void> => {
    try {
      await runner.run(stop.signal)
    } catch (error) {
      if (isAbort(error, stop.signal)) return
      const reported = isQuietEnd(error) ? undefined : report(error)
      stop.abort(new MillraceError('MR_ABORTED', 'Aborted, since another runner has failed.', { cause: error }))
      await reported
    }
  }

  const keepAlive = setInterval(() => {}, foreverMs)
  const offSignals = onStopSignals(signals, (name) => {
    stop.abort(new MillraceError('MR_ABORTED', `Aborted, since the process received ${name}.`))
  })
  const abort = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    await Promise.all(list.map(supervise))
  } finally {
    clearInterval(keepAlive)
    offSignals()
    signal?.removeEventListener('abort', abort)
  }
  if (listenerErrors.length > 0) {
    throw new MillraceError('MR_LISTENER_FAILED', 'Expected `onError` to return, it threw. Let it only report.', {
      cause: listenerErrors[0],
    })
  }
}

function print(error: unknown): void {
  process.stderr.write(errorReport(error))
}
