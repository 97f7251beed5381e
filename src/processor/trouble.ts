import type { MillraceError } from '../errors.ts'
import type { Stage } from './dead-letter.ts'

/** What went wrong with one message so far. */
export interface Trouble {
  /** Attempts that failed in the worker. */
  attempts: number
  stage: Stage
  error: MillraceError
  /** Indexes of the outputs that were given up behind the handler. */
  outputs: number[]
}
