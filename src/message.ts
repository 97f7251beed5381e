/**
 * Context that travels with a message inside one process: which file it came from, which request it belongs to. It stays
 * on the main thread and is found again on every output, dead letter and ack of the message (G8). Attributes form a chain,
 * as Go's errors and contexts do: a middleware wraps what is there, and {@link findAttribute} looks through the chain.
 *
 * @example
 * ```ts
 * import { Attributes, findAttribute, type Message } from 'millrace'
 *
 * class Origin extends Attributes {
 *   constructor(readonly path: string, readonly inner?: Attributes) {
 *     super()
 *   }
 *   override unwrap(): Attributes | undefined {
 *     return this.inner
 *   }
 * }
 *
 * const message: Message<string> = { key: '', topic: 'access', value: 'GET /', attributes: new Origin('access.log') }
 * console.log(findAttribute(message, Origin)?.path)
 * ```
 */
export abstract class Attributes {
  /** The attributes that these were wrapped around, if any. @default undefined */
  unwrap(): Attributes | undefined {
    return undefined
  }
}

/**
 * The data container: what a source yields, a handler takes and a destination gets. Plain data, never changed by millrace.
 *
 * A `Uint8Array` value crosses to the worker and back byte for byte (G10); any other value travels as msgpack, and
 * docs/values.md has the table of what becomes of each type.
 */
export interface Message<out T> {
  /** The source's name for it (an entry id; path and offset), equal on redelivery. An output's is its input's, `#`, index. */
  readonly id?: string
  /** Routing and ordering; `''` when there is none. */
  readonly key: string
  readonly value: T
  /** Where it came from; millrace itself never routes by it. */
  readonly topic: string
  /** Plain metadata, which crosses to the worker. Any name is a valid header, `__proto__` too. */
  readonly headers?: Readonly<Record<string, string>>
  /** In-process context, which stays on the main thread (G8). */
  readonly attributes?: Attributes
}

/**
 * The first attributes of the given class in the message's chain, outermost first; `undefined` when there are none.
 *
 * @example
 * ```ts
 * import { Attributes, findAttribute } from 'millrace'
 *
 * class Tenant extends Attributes {
 *   constructor(readonly name: string) {
 *     super()
 *   }
 * }
 *
 * findAttribute({ key: '', topic: '', value: 1, attributes: new Tenant('acme') }, Tenant)?.name // 'acme'
 * ```
 */
export function findAttribute<A extends Attributes>(
  message: Message<unknown>,
  type: new (...args: never[]) => A,
): A | undefined {
  for (let link = message.attributes; link !== undefined; link = link.unwrap()) {
    if (link instanceof type) return link
  }
  return undefined
}
