import type { Stage } from './dead-letter.ts'

/** What `onEvent` is told, by `type`. */
export type ProcessorEvent =
  /** A message failed and is tried again after `delayMs`. */
  | {
      readonly type: 'retry'
      readonly id?: string
      readonly stage: Stage
      readonly attempt: number
      readonly delayMs: number
      readonly error: Error
    }
  /** A worker ended and is replaced. */
  | { readonly type: 'restart'; readonly worker: number; readonly error: Error }
  /** A message was given up and goes to the dead-letter destination. */
  | { readonly type: 'deadLetter'; readonly id?: string; readonly stage: Stage; readonly error: Error }
  /** A message was given up by the policy `'drop'`. */
  | { readonly type: 'drop'; readonly id?: string; readonly stage: Stage; readonly error: Error }
  /** A message was given up by the policy `'nack'`. */
  | { readonly type: 'nack'; readonly id?: string; readonly stage: Stage; readonly error: Error }
  /** An attempt at a flush failed; `delayMs` is the wait before the next one, or `undefined` where there is none. */
  | {
      readonly type: 'flushFailed'
      readonly messages: number
      readonly attempt: number
      readonly delayMs: number | undefined
      readonly error: Error
    }
  /** The intake stopped: by `pause()`, because the window is full, or because one lane holds half of it. */
  | { readonly type: 'paused'; readonly reason: 'requested' | 'window' | 'lane'; readonly lane?: string }
  /** The intake goes on. */
  | { readonly type: 'resumed'; readonly reason: 'requested' | 'window' | 'lane'; readonly lane?: string }
  /** The drain began. */
  | { readonly type: 'draining'; readonly reason: 'ended' | 'aborted' | 'failed' }
