import { createReadStream } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { invalidOption } from '../../util/options.ts'
import type { ByteInput } from './byte-input.ts'
import type { CheckpointRecord } from './checkpoint-record.ts'
import type { Checkpoint } from './checkpoint.ts'
import { FileInput } from './file-input.ts'
import { StreamInput } from './stream-input.ts'

const gunzipChunkBytes = 256 * 1024

/** An input, and the offset of the first byte that it will yield. */
export interface OpenInput {
  readonly input: ByteInput
  readonly offset: number
}

/** An input over a stream. What a broken stream does to the decompression arrives as its error. */
export function streamInput(stream: Readable, gzip: boolean): StreamInput {
  if (!gzip) return new StreamInput(stream)
  const gunzip = createGunzip({ chunkSize: gunzipChunkBytes })
  const input = new StreamInput(gunzip)
  pipeline(stream, gunzip, () => {})
  return input
}

/**
 * Opens the file where the checkpoint says to go on, after checking that it is the file that was meant. Once `closed`
 * aborts, what is opened is good for nothing but to be closed.
 */
export async function openFile(
  path: string,
  gzip: boolean,
  checkpoint: Checkpoint | undefined,
  closed: AbortSignal,
): Promise<OpenInput> {
  const { size, regular } = await stat(path).then((stats) => ({ size: stats.size, regular: stats.isFile() }))
  if (checkpoint !== undefined && !regular) {
    throw invalidOption('checkpoint', 'left out for what is no regular file', path, 'It cannot be read again.')
  }
  const record = await checkpoint?.load()
  if (!regular || gzip) {
    const input = streamInput(createReadStream(path), gzip)
    if (checkpoint === undefined || record === undefined) return { input, offset: 0 }
    return closingOnFailure(input, async () => skip(input, checkpoint, record, closed))
  }
  const handle = await open(path, 'r')
  return closingOnFailure(handle, async () => {
    if (checkpoint === undefined || record === undefined) return { input: new FileInput(handle, size, 0), offset: 0 }
    checkpoint.observe(await readStart(handle, record.head.bytes), 0)
    checkpoint.verify(record, size)
    return { input: new FileInput(handle, size, record.offset), offset: record.offset }
  })
}

async function closingOnFailure<T>(resource: { close(): Promise<void> }, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (thrown) {
    await resource.close()
    throw thrown
  }
}

async function readStart(handle: FileHandle, length: number): Promise<Uint8Array> {
  const start = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(start, filled, length - filled, filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return start.subarray(0, filled)
}

/** Reads on to the record's offset, which counts decompressed bytes; what is left of the last chunk comes first again. */
async function skip(
  input: ByteInput,
  checkpoint: Checkpoint,
  record: CheckpointRecord,
  closed: AbortSignal,
): Promise<OpenInput> {
  let offset = 0
  let rest: Uint8Array | undefined
  while (offset < record.offset) {
    const chunk = await input.read()
    if (closed.aborted) return { input, offset }
    if (chunk === undefined) break
    checkpoint.observe(chunk, offset)
    offset += chunk.length
    if (offset > record.offset) rest = chunk.subarray(chunk.length - (offset - record.offset))
  }
  checkpoint.verify(record, offset)
  const read = async (): Promise<Uint8Array | undefined> => {
    const first = rest
    rest = undefined
    return first ?? input.read()
  }
  return { input: { read, close: () => input.close() }, offset: record.offset }
}
