import type { Settlement } from '../destination.ts'
import { checkSettlementRange } from './settlement-range.ts'

/**
 * The settlement of a send that holds only some messages of another one: `positions` are their indexes there, ascending.
 * Neighbours are settled as one range.
 */
export function mappedSettlement(settlement: Settlement, positions: readonly number[]): Settlement {
  const eachRun = (from: number, to: number, report: (from: number, to: number) => void): void => {
    checkSettlementRange(from, to, positions.length)
    let start = -1
    let end = -1
    for (let index = from; index < to; index++) {
      const position = positions[index] ?? -1
      if (position !== end) {
        if (start !== -1) report(start, end)
        start = position
      }
      end = position + 1
    }
    if (start !== -1) report(start, end)
  }
  return {
    ack: (from = 0, to = positions.length) => eachRun(from, to, (start, end) => settlement.ack(start, end)),
    nack: (reason, from = 0, to = positions.length) =>
      eachRun(from, to, (start, end) => settlement.nack(reason, start, end)),
  }
}
