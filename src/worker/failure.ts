import type { ErrorCode } from '../errors.ts'
import type { WireFailure } from '../wire/reply.ts'
import { toWireError, type WireError } from '../wire/wire-error.ts'

/** A message failed in the worker: where, with which code, and what the user's code threw. */
export class Failure extends Error {
  readonly stage: WireFailure['stage']
  readonly code: ErrorCode
  readonly thrown: WireError | undefined

  constructor(stage: WireFailure['stage'], code: ErrorCode, message: string, thrown?: WireError) {
    super(message)
    this.stage = stage
    this.code = code
    this.thrown = thrown
  }

  /** The user's code threw `thrown`, whatever that is: reading it is safe, and what is kept of it is bounded. */
  static of(stage: WireFailure['stage'], code: ErrorCode, what: string, thrown: unknown): Failure {
    const wire = toWireError(thrown)
    return new Failure(stage, code, `${what}: ${wire.message}`, wire)
  }

  toWire(): WireFailure {
    return {
      stage: this.stage,
      code: this.code,
      message: this.message,
      ...(this.thrown === undefined ? {} : { error: this.thrown }),
    }
  }
}
