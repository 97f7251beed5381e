import { createHash } from 'node:crypto'
import { serialize } from 'node:v8'
import type { HandlerDefinition } from '../handler/define-handler.ts'
import type { Handler } from '../handler/handler.ts'
import type { Message } from '../message.ts'
import { integer, knownKeys, number } from '../util/options.ts'
import { wrapHandler, type Fault } from './wrap-handler.ts'

/** Which messages a random fault hits. */
export interface RandomFault {
  /** A whole number: the same seed hits the same attempts at the same messages, in any thread and any run. */
  seed: number
  /** The share of all attempts that are hit, from 0 to 1. */
  probability: number
}

/**
 * The handler, wrapped so that its worker exits at random: half of the exits come before a message is handled, half of them
 * when its outputs are computed and not yet sent. Nothing may be lost for it, and each retry is a new draw. Export the
 * result from a handler module.
 *
 * A message is known by its id, or by its key, topic and value where it has none: equal messages without ids share their
 * fate.
 *
 * **Gotchas.** It calls `process.exit(1)`, which ends the thread; with `threads: 0` it ends the process, which is a test of
 * G1. A message is given up after three attempts, so expect `probability ** 3` of all messages in the error policy.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID`; `MR_HANDLER_EXPORT` for a handler that is none.
 *
 * @example
 * ```ts
 * import { pipe } from 'millrace/handler'
 * import { exitsAtRandom } from 'millrace/testing'
 *
 * export default exitsAtRandom(pipe, { seed: 7, probability: 0.01 })
 * ```
 */
export function exitsAtRandom<In, Out, Options>(
  handler: HandlerDefinition<In, Out, Options>,
  fault: RandomFault,
): HandlerDefinition<In, Out, Options>
export function exitsAtRandom<V, R>(handler: Handler<V, R>, fault: RandomFault): HandlerDefinition<V, R>
export function exitsAtRandom(handler: unknown, fault: RandomFault): HandlerDefinition<never, unknown, never> {
  return randomly('exitsAtRandom', handler, fault, () => process.exit(1))
}

/**
 * The handler, wrapped so that it throws at random, before a message is handled or after. Who is hit is drawn as by
 * {@link exitsAtRandom}, other ones for the same seed.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID`; `MR_HANDLER_EXPORT` for a handler that is none.
 *
 * @example
 * ```ts
 * import { pipe } from 'millrace/handler'
 * import { throwsAtRandom } from 'millrace/testing'
 *
 * export default throwsAtRandom(pipe, { seed: 7, probability: 0.01 })
 * ```
 */
export function throwsAtRandom<In, Out, Options>(
  handler: HandlerDefinition<In, Out, Options>,
  fault: RandomFault,
): HandlerDefinition<In, Out, Options>
export function throwsAtRandom<V, R>(handler: Handler<V, R>, fault: RandomFault): HandlerDefinition<V, R>
export function throwsAtRandom(handler: unknown, fault: RandomFault): HandlerDefinition<never, unknown, never> {
  return randomly('throwsAtRandom', handler, fault, () => {
    throw new Error('thrown at random, by throwsAtRandom()')
  })
}

function randomly(
  name: string,
  handler: unknown,
  fault: RandomFault,
  strike: () => void,
): HandlerDefinition<never, unknown, never> {
  const options = knownKeys(name, fault, ['seed', 'probability'])
  const seed = integer('seed', options.seed, { min: Number.MIN_SAFE_INTEGER })
  const probability = number('probability', options.probability, { min: 0, max: 1 })
  const plan = (message: Message<unknown>, attempt: number): Fault => {
    const { first, second } = draw(`${name}:${seed}:${attempt}:`, message)
    if (first >= probability) return {}
    return second < 0.5 ? { before: strike } : { after: strike }
  }
  return wrapHandler(handler, () => plan)
}

/** Two numbers from 0 to 1, the same for the same arguments. */
function draw(salt: string, message: Message<unknown>): { readonly first: number; readonly second: number } {
  const { id, key, topic, value } = message
  const digest = createHash('sha256')
    .update(salt)
    .update(id ?? serialize([key, topic, value]))
    .digest()
  return { first: digest.readUInt32LE(0) / 2 ** 32, second: digest.readUInt32LE(4) / 2 ** 32 }
}
