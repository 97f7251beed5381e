import type { Call } from './call.ts'
import { identityCalls } from './identity-calls.ts'
import type { Random } from './random.ts'
import { resourceCalls } from './resource-calls.ts'

const calls: readonly Call[] = [...resourceCalls, ...identityCalls]
const total = calls.reduce((sum, call) => sum + call.weight, 0)

/** Draws a kind of call by its weight. */
export function drawCall(random: Random): Call {
  let left = random.next() * total
  let drawn = calls[0]
  for (const call of calls) {
    drawn = call
    left -= call.weight
    if (left < 0) break
  }
  if (drawn === undefined) throw new Error('there are no calls to draw from')
  return drawn
}
