import type { MillraceError } from '../errors.ts'
import type { ProcessorEvent } from './processor-event.ts'

/** What every part of a run may ask of the whole. */
export interface RunHub {
  /** Ends the run with this error; the first one wins. */
  fail(error: MillraceError): void
  event(event: ProcessorEvent): void
  /** Nothing new is started any more: the run has failed, or is over. */
  readonly isHalted: boolean
}
