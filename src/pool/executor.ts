import type { MillraceError } from '../errors.ts'
import type { ReplyDocument } from '../worker/open-chunk.ts'
import type { ProgressMark } from '../worker/progress-mark.ts'

/** One life of one worker, wherever it runs. */
export interface Executor {
  readonly mark: ProgressMark
  /** Loads the handler and runs its setup; rejects with why it cannot. */
  start(): Promise<void>
  /** Handles a chunk; the buffer is handed over. Rejects when the worker ends first: the chunk's messages are lost then. */
  run(id: number, buffer: ArrayBuffer, length: number): Promise<ReplyDocument>
  /** The next piece of a reply. */
  more(id: number): Promise<ReplyDocument>
  /** Aborts the signals of running handlers; does not wait. */
  abort(reason: MillraceError): void
  /** Runs the teardown; rejects with `MR_HANDLER_TEARDOWN`. */
  stop(): Promise<void>
  /** Ends the worker now, whatever it is doing; resolves when it has ended. */
  kill(): Promise<void>
  /** The share of the time since the last call that the worker was busy, from 0 to 1. */
  busy(): number
  /** Called when the worker ends by itself while it owes nothing. */
  onIdleEnd: (error: unknown) => void
}

/** How the pool makes the next life of a worker. */
export type ExecutorFactory = (worker: number) => Executor
