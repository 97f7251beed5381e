import type { FileHandle } from 'node:fs/promises'

const blockBytes = 64 * 1024

/**
 * Where the last complete line of a file ends: behind its last delimiter, or at 0 where there is none. What follows is a
 * line that was torn by a crash in the middle of a write.
 */
export async function endOfLastLine(
  file: Pick<FileHandle, 'read'>,
  size: number,
  delimiter: Uint8Array,
): Promise<number> {
  for (let start = size; start > 0;) {
    const end = start
    start = Math.max(0, end - blockBytes)
    // A delimiter may straddle two blocks.
    const block = await readRange(file, start, Math.min(size, end + delimiter.byteLength - 1))
    const at = block.lastIndexOf(delimiter)
    if (at !== -1) return start + at + delimiter.byteLength
  }
  return 0
}

async function readRange(file: Pick<FileHandle, 'read'>, start: number, end: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(end - start)
  let filled = 0
  while (filled < block.length) {
    const { bytesRead } = await file.read(block, filled, block.length - filled, start + filled)
    if (bytesRead === 0) throw new Error('the file became shorter while it was read')
    filled += bytesRead
  }
  return block
}
