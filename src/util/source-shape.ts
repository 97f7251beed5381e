import { describe, MillraceError } from '../errors.ts'
import type { Delivery } from '../source.ts'
import { invalidOption } from './options.ts'

/** Refuses what is no source, where one is wrapped. */
export function checkSource(name: string, value: unknown): void {
  const recv = typeof value === 'object' && value !== null && 'recv' in value ? value.recv : undefined
  if (typeof recv !== 'function') {
    throw invalidOption(
      name,
      'a source, which has a function recv',
      value,
      'Pass what `lines` or `sourceFrom` returns.',
    )
  }
}

/** The delivery itself, after a check of its shape: a source may yield anything. `of` names the source. */
export function checkDelivery<T>(delivery: Delivery<T>, of: string): Delivery<T> {
  if (isDelivery(delivery)) return delivery
  throw new MillraceError(
    'MR_SOURCE_DELIVERY',
    `Expected ${of} to yield deliveries, each with a message and an ack, got ${describe(delivery)}. Correct its recv.`,
  )
}

function isDelivery(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { message, ack } = value as { message?: unknown; ack?: unknown }
  return typeof message === 'object' && message !== null && typeof ack === 'function'
}
