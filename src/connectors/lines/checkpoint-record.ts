import { createHash } from 'node:crypto'
import { describe, MillraceError } from '../../errors.ts'

/** How many bytes at the start of an input tell it from another one. */
export const headBytes = 4_096

/** What a checkpoint file holds. */
export interface CheckpointRecord {
  /** Everything before this byte offset of the content is acked. */
  readonly offset: number
  /** The content's first `min(headBytes, offset)` bytes, by their hash; a copy of the file has the same. */
  readonly head: { readonly bytes: number; readonly sha256: string }
}

const version = 1

/** The record for an offset in content that starts with these bytes. */
export function checkpointRecord(offset: number, head: Uint8Array): CheckpointRecord {
  const bytes = Math.min(headBytes, offset)
  return { offset, head: { bytes, sha256: fingerprint(head.subarray(0, bytes)) } }
}

/** Whether content that starts with these bytes is what the record was made from. */
export function matchesHead(record: CheckpointRecord, head: Uint8Array): boolean {
  const { bytes, sha256 } = record.head
  return head.length >= bytes && fingerprint(head.subarray(0, bytes)) === sha256
}

/** The text of a checkpoint file; `input` is for its reader. */
export function formatCheckpoint(record: CheckpointRecord, input: string): string {
  return `${JSON.stringify({ version, input, ...record }, undefined, 2)}\n`
}

/** Reads the text of a checkpoint file. Throws `MR_CHECKPOINT_FAILED` for one that is no checkpoint. */
export function parseCheckpoint(text: string, path: string): CheckpointRecord {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (thrown) {
    throw corrupt(path, text, thrown)
  }
  if (isObject(parsed) && parsed['version'] === version && isObject(parsed['head'])) {
    const { offset } = parsed
    const { bytes, sha256 } = parsed['head']
    if (isOffset(offset) && bytes === Math.min(headBytes, offset) && typeof sha256 === 'string') {
      return { offset, head: { bytes, sha256 } }
    }
  }
  throw corrupt(path, text)
}

function corrupt(path: string, text: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'MR_CHECKPOINT_FAILED',
    `Expected ${path} to be a checkpoint of version ${version}, got ${describe(text)}. Delete it to start at the first ` +
      'byte again, or name another file as `checkpoint`.',
    cause === undefined ? undefined : { cause },
  )
}

function fingerprint(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
