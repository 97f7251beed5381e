import { messageOf, MillraceError } from '../../errors.ts'
import type { Delivery, Source } from '../../source.ts'
import { messageFieldNames, messageMaker, type MessageFields, type MessageMaker } from '../../util/message-fields.ts'
import { messageSize } from '../../util/message-size.ts'
import { invalidOption, knownKeys } from '../../util/options.ts'
import { untilAborted } from '../../util/until-aborted.ts'

/** How the items of an iterable become messages: without `id`, a message's is its topic, `:` and its index. */
export type IterableOptions<T> = MessageFields<T>

/** An iterator of either kind: the one method that both have, awaited where it has to be. */
interface AnyIterator<T> {
  next(): IteratorResult<T> | Promise<IteratorResult<T>>
  return?(): unknown
}

const ack = (): void => {}

class IterableSource<T> implements Source<T> {
  readonly ackMode = 'cumulative'
  readonly #items: Iterable<T> | AsyncIterable<T>
  readonly #message: MessageMaker<T>
  #iterator: AnyIterator<T> | undefined
  /** The result of a `next` that nobody has taken yet: at most one is under way. */
  #pending: Promise<IteratorResult<T>> | undefined
  #index = 0
  /** The iterator has ended by itself: it must not be told to return. */
  #done = false
  #failure: Error | undefined
  #closing: Promise<void> | undefined

  constructor(items: Iterable<T> | AsyncIterable<T>, message: MessageMaker<T>) {
    this.#items = items
    this.#message = message
  }

  async recv(signal: AbortSignal): Promise<Delivery<T> | undefined> {
    const [delivery] = await this.recvBatch(1, Infinity, signal)
    return delivery
  }

  async recvBatch(max: number, maxBytes: number, signal: AbortSignal): Promise<readonly Delivery<T>[]> {
    const deliveries: Delivery<T>[] = []
    if (signal.aborted || this.#done || this.#failure !== undefined || this.#closing !== undefined) {
      return this.#result(deliveries)
    }
    try {
      if (Symbol.asyncIterator in this.#items) {
        this.#iterator ??= this.#items[Symbol.asyncIterator]()
        await this.#takeAsync(this.#iterator, max, maxBytes, signal, deliveries)
      } else {
        const iterator = (this.#iterator ??= this.#items[Symbol.iterator]()) as Iterator<T>
        let bytes = 0
        do {
          bytes += this.#add(iterator.next(), deliveries)
        } while (deliveries.length < max && bytes < maxBytes && !this.#done)
      }
    } catch (thrown) {
      this.#pending = undefined
      this.#failure = failed(thrown)
    }
    return this.#result(deliveries)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** What came before a failure is yielded first. */
  #result(deliveries: Delivery<T>[]): readonly Delivery<T>[] {
    if (deliveries.length === 0 && this.#failure !== undefined) throw this.#failure
    return deliveries
  }

  /** Waits for one item, then adds those that arrive within the same turn of the event loop. */
  async #takeAsync(
    iterator: AnyIterator<T>,
    max: number,
    maxBytes: number,
    signal: AbortSignal,
    deliveries: Delivery<T>[],
  ): Promise<void> {
    let result = await untilAborted(this.#next(iterator), signal)
    if (result === undefined) return
    const turn = nextTurn()
    let bytes = 0
    while (result !== undefined) {
      this.#pending = undefined
      bytes += this.#add(result, deliveries)
      if (this.#done || deliveries.length >= max || bytes >= maxBytes) return
      result = await Promise.race([this.#next(iterator), turn])
    }
  }

  #next(iterator: AnyIterator<T>): Promise<IteratorResult<T>> {
    this.#pending ??= (async () => iterator.next())()
    return this.#pending
  }

  /** The bytes of the message that was added. */
  #add(result: IteratorResult<T>, deliveries: Delivery<T>[]): number {
    if (result.done === true) {
      this.#done = true
      return 0
    }
    const message = this.#message(result.value, this.#index)
    this.#index += 1
    deliveries.push({ message, ack })
    return messageSize(message)
  }

  async #close(): Promise<void> {
    const iterator = this.#iterator
    if (iterator === undefined || this.#done) return
    const returned = (async () => {
      await iterator.return?.()
    })()
    // An async generator queues `return` behind the `next` that is under way, which may never end.
    const patience = this.#pending === undefined ? [] : [nextTurn()]
    try {
      await Promise.race([returned, ...patience])
    } catch (thrown) {
      throw failed(thrown)
    }
  }
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setImmediate(resolve, undefined))
}

function failed(thrown: unknown): MillraceError {
  return new MillraceError(
    'MR_SOURCE_FAILED',
    `Expected the iterable and the options of iterable() to yield messages, and they threw: ${messageOf(thrown)}. ` +
      'Catch in the iterable what can be retried or left out.',
    { cause: thrown },
  )
}

/**
 * The items of an iterable: an array, a generator, an async generator, a stream of objects. A synchronous one yields
 * batches; of an asynchronous one, a batch is what arrives within one turn of the event loop.
 *
 * **Gotchas.** An iterable cannot be read again, so what is unacked when a run fails is lost with it, and there is no
 * `nack`. An item that arrives after the signal has aborted is not yielded. Closing calls the iterator's `return`, and does
 * not wait for it while a `next` is under way.
 *
 * @throws {MillraceError} `MR_OPTION_INVALID` at once. From `recv` and `close`: `MR_SOURCE_FAILED` when the iterable, or a
 * function among the options, throws; what came before is yielded first.
 *
 * @example
 * ```ts
 * import { iterable } from 'millrace'
 *
 * const source = iterable([{ user: 'ada' }, { user: 'bob' }], { topic: 'users', key: (value) => value.user })
 * const { signal } = new AbortController()
 * for (let next = await source.recv(signal); next !== undefined; next = await source.recv(signal)) {
 *   console.log(next.message.id, next.message.key) // 'users:0' 'ada', then 'users:1' 'bob'
 *   await next.ack()
 * }
 * await source.close?.()
 * ```
 */
export function iterable<T>(items: Iterable<T> | AsyncIterable<T>, options?: IterableOptions<T>): Source<T> {
  const fields = knownKeys('iterable', options, messageFieldNames)
  const given: unknown = items
  const isIterable =
    typeof given === 'object' && given !== null && (Symbol.iterator in given || Symbol.asyncIterator in given)
  if (!isIterable) {
    throw invalidOption(
      'items',
      'an iterable or an async iterable',
      given,
      'Call a generator function: pass its result.',
    )
  }
  return new IterableSource(
    items,
    messageMaker(fields, 'iterable', (topic, index) => `${topic}:${index}`),
  )
}
