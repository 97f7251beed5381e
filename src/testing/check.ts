import { MillraceError, toError } from '../errors.ts'

/**
 * One check of a conformance kit, for any test runner: `for (const check of checks) test(check.name, check.run)`.
 */
export interface Check {
  /** What holds, in words; unique within its kit. */
  readonly name: string
  /** Resolves when it holds; rejects with `MR_CONFORMANCE` when it does not. */
  readonly run: () => Promise<void>
}

/** Checks of one kit that belong together, by name. */
export type CheckBodies = Readonly<Record<string, () => Promise<unknown>>>

/** A check whose failures all carry `MR_CONFORMANCE` and its name. */
export function check(name: string, body: () => Promise<unknown>): Check {
  return {
    name,
    run: async () => {
      try {
        await body()
      } catch (thrown) {
        const { message } = toError(thrown)
        throw new MillraceError('MR_CONFORMANCE', `${name}: ${message}`, { cause: thrown })
      }
    },
  }
}

/** Throws unless it holds. */
export function expect(holds: boolean, expected: string, got: string, remedy: string): void {
  if (!holds) throw new Error(`Expected ${expected}, got ${got}. ${remedy}`)
}

/** The promise's result; a rejection, and one that is still pending after `ms`, is said to be `what`'s. */
export async function within<R>(promise: Promise<R>, ms: number, what: string): Promise<R> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected ${what} to settle within ${ms} ms, it did not.`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } catch (thrown) {
    const error = toError(thrown)
    if (error.message.startsWith(`Expected ${what} `)) throw error
    throw new Error(`Expected ${what} to resolve, it rejected: ${error.message}`, { cause: thrown })
  } finally {
    clearTimeout(timer)
  }
}
