import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { messageOf, MillraceError } from '../../errors.ts'
import { formatCheckpoint, parseCheckpoint, type CheckpointRecord } from './checkpoint-record.ts'

/** The record in the file; `undefined` where there is no file. */
export async function readCheckpoint(path: string): Promise<CheckpointRecord | undefined> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw failed('read', path, thrown)
  }
  return parseCheckpoint(text, path)
}

/** Replaces the file as a whole: whatever happens, it holds the old record or the new one, never a part. */
export async function writeCheckpoint(path: string, record: CheckpointRecord, input: string): Promise<void> {
  // One fixed name, so that what a crash left behind is overwritten and does not pile up.
  const temporary = `${path}.tmp`
  try {
    const file = await open(temporary, 'w')
    try {
      await file.writeFile(formatCheckpoint(record, input))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncDirectory(dirname(path))
  } catch (thrown) {
    throw failed('write', path, thrown)
  }
}

/** The rename is durable only with its directory. Windows has no such call, and needs none. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

function failed(verb: 'read' | 'write', path: string, thrown: unknown): MillraceError {
  return new MillraceError(
    'MR_CHECKPOINT_FAILED',
    `Expected to ${verb} the checkpoint ${path}, got ${messageOf(thrown)}. Check that its directory exists, that ` +
      'this user may write there, and that the disk has room.',
    { cause: thrown },
  )
}
