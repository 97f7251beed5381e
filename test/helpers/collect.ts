import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { MillraceError, type ErrorCode } from '../../src/errors.ts'
import type { Delivery, Source } from '../../src/source.ts'

/** A signal that never aborts. */
export const never: AbortSignal = new AbortController().signal

/** All that a source yields until it ends, in batches. */
export async function collect<T>(source: Source<T>, max = 100, maxBytes = Infinity): Promise<Delivery<T>[]> {
  const deliveries: Delivery<T>[] = []
  for (;;) {
    const batch = await batchOf(source, max, maxBytes)
    if (batch.length === 0) return deliveries
    deliveries.push(...batch)
  }
}

/** One batch, of a source with or without `recvBatch`. */
export async function batchOf<T>(
  source: Source<T>,
  max = 100,
  maxBytes = Infinity,
  signal: AbortSignal = never,
): Promise<readonly Delivery<T>[]> {
  if (source.recvBatch !== undefined) return source.recvBatch(max, maxBytes, signal)
  const delivery = await source.recv(signal)
  return delivery === undefined ? [] : [delivery]
}

/** The next delivery, which must be there. */
export async function next<T>(source: Source<T>): Promise<Delivery<T>> {
  const delivery = await source.recv(never)
  if (delivery === undefined) throw new Error('Expected a delivery, got the end.')
  return delivery
}

/** The values, as text where they are bytes. */
export function values(deliveries: readonly Delivery<unknown>[]): unknown[] {
  return deliveries.map(({ message: { value } }) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
  )
}

/** A fresh directory, removed with the test. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** The promise rejects, or the function throws, with a MillraceError of this code, whose message matches. */
export async function expectCode(
  action: Promise<unknown> | (() => unknown),
  code: ErrorCode,
  message: RegExp,
): Promise<MillraceError> {
  let thrown: unknown
  try {
    await (typeof action === 'function' ? action() : action)
  } catch (error) {
    thrown = error
  }
  if (!(thrown instanceof MillraceError)) throw new Error(`Expected ${code}, got ${String(thrown)}`)
  expect(thrown.code).toBe(code)
  expect(thrown.message).toMatch(message)
  return thrown
}

/** The source, closed with the test where the test does not. */
export function closing<T>(source: Source<T>): Source<T> {
  onTestFinished(async () => {
    await source.close?.().catch(() => {})
  })
  return source
}
