import type { Message } from '../message.ts'
import type { Delivery, Lane, Source } from '../source.ts'

/** A delivery that stands for another one: what is settled is the inner one, by the source that yielded it. */
export class WrappedDelivery<T> implements Delivery<T> {
  readonly source: Source<unknown>
  readonly inner: Delivery<unknown>
  readonly message: Message<T>
  declare readonly lane?: Lane
  declare readonly redelivered?: number

  constructor(source: Source<unknown>, inner: Delivery<unknown>, message: Message<T>, lane: Lane | undefined) {
    this.source = source
    this.inner = inner
    this.message = message
    if (lane !== undefined) this.lane = lane
    if (inner.redelivered !== undefined) this.redelivered = inner.redelivered
  }

  ack(): void | Promise<void> {
    return this.inner.ack()
  }
}

/** Whether a delivery has a `nack` says whether it may be given back, so only those that wrap one have it. */
class NackableDelivery<T> extends WrappedDelivery<T> {
  nack(reason: Error): void | Promise<void> {
    return this.inner.nack?.(reason)
  }
}

/** Wraps a delivery of the source; without a lane it belongs to the lane of the source that yields the result. */
export function wrapDelivery<T>(
  source: Source<unknown>,
  inner: Delivery<unknown>,
  message: Message<T>,
  lane: Lane | undefined,
): WrappedDelivery<T> {
  const Wrapped = inner.nack === undefined ? WrappedDelivery : NackableDelivery
  return new Wrapped(source, inner, message, lane)
}

/** Acks a run of wrapped deliveries of one lane, which come from one source: as a run where it takes one. */
export function ackWrapped(deliveries: readonly Delivery<unknown>[]): void | Promise<void> {
  const wrapped = deliveries.filter((delivery) => delivery instanceof WrappedDelivery)
  const source = wrapped[0]?.source
  if (source?.ackBatch === undefined) return ackEach(deliveries)
  return source.ackBatch(wrapped.map((delivery) => delivery.inner))
}

/** A throw keeps the rest of the lane unacked; a rejection is known too late for that. */
function ackEach(deliveries: readonly Delivery<unknown>[]): void | Promise<void> {
  const pending: Promise<void>[] = []
  try {
    for (const delivery of deliveries) {
      const result = delivery.ack()
      if (result !== undefined) pending.push(result)
    }
  } catch (thrown) {
    for (const promise of pending) promise.catch(() => {})
    throw thrown
  }
  return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined)
}
