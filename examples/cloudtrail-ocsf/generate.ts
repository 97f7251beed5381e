import { open, rename, rm } from 'node:fs/promises'
import { cloudTrailRecords, type RecordOptions } from './generator/records.ts'

const blockRecords = 1_000

/**
 * Writes generated records to a file, one a line. The file is there only when it is complete: it is written under another
 * name first. `onProgress` is told how many records are written. Rejects with the signal's reason when it aborts.
 */
export async function generateFile(
  path: string,
  options: RecordOptions,
  signal: AbortSignal,
  onProgress: (records: number) => void,
): Promise<void> {
  const partial = `${path}.partial`
  const file = await open(partial, 'w')
  try {
    let block = ''
    let written = 0
    for (const record of cloudTrailRecords(options)) {
      block += `${JSON.stringify(record)}\n`
      if (++written % blockRecords !== 0 && written !== options.records) continue
      signal.throwIfAborted()
      await file.appendFile(block)
      block = ''
      onProgress(written)
    }
    await file.sync()
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await rename(partial, path)
}
