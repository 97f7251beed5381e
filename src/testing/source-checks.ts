import { check, type Check } from './check.ts'
import { sourceAckChecks } from './source-ack-checks.ts'
import { resolveSourceChecks, type SourceChecksOptions } from './source-check-options.ts'
import { sourceDeliveryChecks } from './source-delivery-checks.ts'
import { sourceEndChecks } from './source-end-checks.ts'

/**
 * What every source owes its processor, as checks for any test runner. Each creates a source of its own, runs it as a
 * processor would, and closes it. What a source does not have (`recvBatch`, `nack`, `reopen`) is not checked.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` here; a check's `run` rejects with `MR_CONFORMANCE`.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { iterable } from 'millrace'
 * import { sourceChecks } from 'millrace/testing'
 *
 * for (const check of sourceChecks({ create: (values) => iterable(values) })) test(check.name, check.run)
 * ```
 */
export function sourceChecks<T>(options: SourceChecksOptions<T>): readonly Check[] {
  const resolved = resolveSourceChecks(options)
  const groups = [sourceDeliveryChecks(resolved), sourceEndChecks(resolved), sourceAckChecks(resolved)]
  return groups.flatMap((group) => Object.entries(group).map(([name, body]) => check(name, body)))
}
