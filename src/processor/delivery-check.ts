import { describe, MillraceError } from '../errors.ts'
import type { Delivery } from '../source.ts'

/** Checks what a source yielded; throws `MR_SOURCE_DELIVERY`, and nothing of it is taken in. */
export function checkDelivery(delivery: unknown): Delivery<unknown> {
  if (typeof delivery !== 'object' || delivery === null) throw wrong('a delivery { message, ack }', delivery)
  const { message, ack, nack, lane, redelivered } = delivery as Partial<Delivery<unknown>>
  if (typeof ack !== 'function') throw wrong('a delivery to have an `ack` function', ack)
  if (nack !== undefined && typeof nack !== 'function') throw wrong('`nack` to be a function', nack)
  if (typeof message !== 'object' || message === null) throw wrong('a delivery to have a `message` object', message)
  if (!('value' in message)) throw wrong('a message to have a `value`', message)
  if (typeof message.key !== 'string') throw wrong("a message's `key` to be a string, '' for none", message.key)
  if (typeof message.topic !== 'string') throw wrong("a message's `topic` to be a string", message.topic)
  if (message.id !== undefined && typeof message.id !== 'string')
    throw wrong("a message's `id` to be a string", message.id)
  if (message.headers !== undefined) checkHeaders(message.headers)
  if (redelivered !== undefined && !(typeof redelivered === 'number' && redelivered >= 0)) {
    throw wrong("a delivery's `redelivered` to be a number, 0 or more", redelivered)
  }
  if (lane !== undefined) checkLane(lane)
  return delivery as Delivery<unknown>
}

function checkLane(lane: unknown): void {
  if (typeof lane !== 'object' || lane === null) throw wrong("a delivery's `lane` to be an object", lane)
  const { ackMode } = lane as { ackMode?: unknown }
  if (ackMode === 'cumulative' || ackMode === 'individual') return
  throw wrong("a lane's `ackMode` to be 'cumulative' or 'individual'", ackMode)
}

function checkHeaders(headers: unknown): void {
  if (typeof headers !== 'object' || headers === null) throw wrong("a message's `headers` to be an object", headers)
  for (const value of Object.values(headers)) {
    if (typeof value !== 'string') throw wrong('every header of a message to be a string', value)
  }
}

function wrong(expected: string, got: unknown): MillraceError {
  return new MillraceError(
    'MR_SOURCE_DELIVERY',
    `Expected ${expected}, got ${describe(got)}. Mend the source, or the mapSource() around it.`,
  )
}
