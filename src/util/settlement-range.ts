import { describe, MillraceError } from '../errors.ts'

/** Refuses a range `[from, to)` that does not lie within a send of `length` messages. */
export function checkSettlementRange(from: number, to: number, length: number): void {
  if (Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= length) return
  throw new MillraceError(
    'MR_SETTLEMENT_RANGE',
    `Expected a range [from, to) within the ${length} messages of this send, got [${describe(from)}, ${describe(to)}). ` +
      'Settle the indexes of the messages that were given to this call of send.',
  )
}
