/** What the ends of a group have in common: a loop and an end. */
export interface GroupEnd {
  run?(signal: AbortSignal): Promise<void>
  close?(): Promise<void>
}

/** Says which member of a group failed. */
export type NameFailure = (thrown: unknown, index: number) => Error

/**
 * Runs the loops of all ends. Resolves when all have ended; rejects with the first failure, at once, since the others go on
 * until the signal aborts.
 */
export async function runAll(ends: readonly GroupEnd[], signal: AbortSignal, name: NameFailure): Promise<void> {
  await Promise.all(ends.map((end, index) => named(async () => end.run?.(signal), index, name)))
}

/** Closes every end, also when one fails to close; then throws the failure of the first of them. */
export async function closeAll(ends: readonly GroupEnd[], name: NameFailure): Promise<void> {
  const results = await Promise.allSettled(ends.map((end, index) => named(async () => end.close?.(), index, name)))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function named(step: () => Promise<void>, index: number, name: NameFailure): Promise<void> {
  try {
    await step()
  } catch (thrown) {
    throw name(thrown, index)
  }
}
