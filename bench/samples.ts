import { readFile } from 'node:fs/promises'
import { cloudTrailRecords } from '../examples/cloudtrail-ocsf/generator/records.ts'

/** The lines of an NDJSON file, or generated CloudTrail records: each one bytes of its own. */
export async function samples(path: string | undefined): Promise<Uint8Array[]> {
  if (path === undefined) {
    return [...cloudTrailRecords({ records: 5_000, seed: 1 })].map((record) => encoder.encode(JSON.stringify(record)))
  }
  const text = await readFile(path, 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => encoder.encode(line))
}

const encoder = new TextEncoder()
