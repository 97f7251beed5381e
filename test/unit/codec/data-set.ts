import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

const root = process.env['MILLRACE_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url))

/** Whether the data set is there: tests must not need it, and say by name where they ran without it. */
export function hasDataSet(path: string): boolean {
  return existsSync(join(root, path))
}

export function readDataSet(path: string): Buffer {
  return readFileSync(join(root, path))
}

export function filesOfDataSet(path: string): string[] {
  return readdirSync(join(root, path)).sort()
}
