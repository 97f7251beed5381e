import { type ErrorCode, MillraceError, toError } from '../errors.ts'

/** What a branch of a destination failed with, with the branch's name in front; it keeps its own code where it has one. */
export function branchFailure(branch: string, code: ErrorCode, thrown: unknown): MillraceError {
  const cause = toError(thrown)
  const own = cause instanceof MillraceError ? cause.code : code
  return new MillraceError(own, `${branch} failed: ${cause.message}`, { cause })
}
