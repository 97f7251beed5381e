import type { ErrorCode } from '../errors.ts'
import type { WireFailure } from '../wire/reply.ts'
import { toWireError } from '../wire/wire-error.ts'

/** A message failed in the worker: where, with which code, and what the user's code threw. */
export class Failure extends Error {
  readonly stage: WireFailure['stage']
  readonly code: ErrorCode
  readonly thrown: { readonly value: unknown } | undefined

  constructor(stage: WireFailure['stage'], code: ErrorCode, message: string, thrown?: { readonly value: unknown }) {
    super(message)
    this.stage = stage
    this.code = code
    this.thrown = thrown
  }

  toWire(): WireFailure {
    return {
      stage: this.stage,
      code: this.code,
      message: this.message,
      ...(this.thrown === undefined ? {} : { error: toWireError(this.thrown.value) }),
    }
  }
}
