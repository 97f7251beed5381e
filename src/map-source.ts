import { describe, messageOf, MillraceError } from './errors.ts'
import type { Message } from './message.ts'
import type { Delivery, Source } from './source.ts'
import { fn } from './util/options.ts'
import { checkDelivery, checkSource } from './util/source-shape.ts'
import { ackWrapped, wrapDelivery } from './util/wrapped-delivery.ts'

/**
 * A source whose messages are those of another one, mapped: the form of middleware at the source end. Acks, nacks, lanes,
 * redelivery counts and batches are those of the inner source, which the result owns: close the result alone.
 *
 * **Gotchas.** The function runs on the main thread, for every message: leave decoding to the handler's codec. Spread the
 * message to keep its `id`, `headers` and `attributes`. A throw is fatal (`MR_SOURCE_FAILED`), and so is a result that is no
 * message (`MR_SOURCE_DELIVERY`): the messages of that batch stay unacked. To leave a message out, return `[]` from the
 * handler.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` when `source` is no source or `map` no function.
 *
 * @example Take the key from the value
 * ```ts
 * import { iterable, mapSource } from 'millrace'
 *
 * const users = iterable([{ user: 'ada', action: 'login' }])
 * const keyed = mapSource(users, (message) => ({ ...message, key: message.value.user }))
 * const delivery = await keyed.recv(new AbortController().signal)
 * console.log(delivery?.message.key) // 'ada'
 * ```
 */
export function mapSource<A, B>(source: Source<A>, map: (message: Message<A>) => Message<B>): Source<B> {
  checkSource('source', source)
  fn('map', map)
  const wrap = (inner: Delivery<A>): Delivery<B> => {
    const { message, lane } = checkDelivery(inner, 'the source given to mapSource')
    return wrapDelivery(source, inner, apply(map, message), lane)
  }
  return {
    ...(source.ackMode === undefined ? undefined : { ackMode: source.ackMode }),
    async recv(signal) {
      const delivery = await source.recv(signal)
      return delivery === undefined ? undefined : wrap(delivery)
    },
    ...(source.recvBatch && {
      async recvBatch(max: number, maxBytes: number, signal: AbortSignal) {
        const deliveries = (await source.recvBatch?.(max, maxBytes, signal)) ?? []
        return deliveries.map(wrap)
      },
    }),
    ...(source.ackBatch && { ackBatch: ackWrapped }),
    ...(source.run && { run: async (signal: AbortSignal) => source.run?.(signal) }),
    ...(source.close && { close: async () => source.close?.() }),
  }
}

function apply<A, B>(map: (message: Message<A>) => Message<B>, input: Message<A>): Message<B> {
  let message: Message<B>
  try {
    message = map(input)
  } catch (thrown) {
    throw new MillraceError(
      'MR_SOURCE_FAILED',
      `Expected the function given to mapSource to return a message, and it threw for ${name(input)}: ` +
        `${messageOf(thrown)}. Let it return the message unchanged where it cannot map it.`,
      { cause: thrown },
    )
  }
  if (typeof message === 'object' && message !== null && 'value' in message) return message
  throw new MillraceError(
    'MR_SOURCE_DELIVERY',
    `Expected the function given to mapSource to return a message, got ${describe(message)} for ` +
      `${name(input)}. Return an object with key, topic and value; the function cannot be async.`,
  )
}

function name(message: Message<unknown>): string {
  return message.id === undefined ? 'a message without id' : `message ${describe(message.id)}`
}
