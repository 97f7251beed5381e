import type { ErrorCode } from '../errors.ts'
import type { RunnerLimits } from '../worker/task-runner.ts'
import type { WireError } from '../wire/wire-error.ts'

/** What a worker is started with. */
export interface WorkerConfig {
  readonly worker: number
  readonly module: string
  readonly export: string
  readonly options: unknown
  readonly limits: RunnerLimits
  readonly setupTimeoutMs: number
  /** The buffer of its ProgressMark. */
  readonly mark: SharedArrayBuffer
}

/** What the main thread asks of a worker. Buffers are transferred, never copied. */
export type WorkerTask =
  | { readonly type: 'start' }
  | { readonly type: 'run'; readonly id: number; readonly buffer: ArrayBuffer; readonly length: number }
  | { readonly type: 'more'; readonly id: number }
  | { readonly type: 'abort'; readonly message: string; readonly code: ErrorCode }
  | { readonly type: 'stop' }

/** Why a worker could not start or stop. Never a thrown error: those lose their class and code on the way. */
export interface WorkerFailure {
  readonly code: ErrorCode
  readonly message: string
  readonly cause?: WireError
}
