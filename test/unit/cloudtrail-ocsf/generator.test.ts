import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { generateFile } from '../../../examples/cloudtrail-ocsf/generate.ts'
import { cloudTrailRecords } from '../../../examples/cloudtrail-ocsf/generator/records.ts'
import { cloudTrailRecord } from '../../../examples/cloudtrail-ocsf/ocsf/cloudtrail-record.ts'
import { toOcsf } from '../../../examples/cloudtrail-ocsf/ocsf/to-ocsf.ts'

const generate = (records: number, seed: number): string[] =>
  [...cloudTrailRecords({ records, seed })].map((record) => JSON.stringify(record))

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'cloudtrail-'))
  onTestFinished(() => rm(path, { recursive: true }))
  return path
}

describe('cloudTrailRecords', () => {
  const lines = generate(5_000, 1)
  const events = lines.map((line) => toOcsf(cloudTrailRecord(JSON.parse(line))))

  it('makes the same records from the same seed, and others from another', () => {
    expect(generate(500, 1)).toEqual(lines.slice(0, 500))
    expect(generate(500, 2)).not.toEqual(lines.slice(0, 500))
  })

  it('makes records of the size of real ones', () => {
    const mean = lines.reduce((sum, line) => sum + line.length, 0) / lines.length
    expect(mean).toBeGreaterThan(1_100)
    expect(mean).toBeLessThan(1_450)
  })

  it('covers every class, kind of caller and outcome', () => {
    const distinct = (pick: (event: (typeof events)[number]) => unknown): Set<unknown> => new Set(events.map(pick))
    expect(distinct((event) => event.class_uid)).toEqual(new Set([6003, 3002, 3001]))
    expect(distinct((event) => event.api.service.name).size).toBeGreaterThan(15)
    expect(distinct((event) => event.type_name).size).toBeGreaterThan(15)
    expect(distinct((event) => event.severity)).toEqual(new Set(['Informational', 'Low', 'Medium', 'High']))
    expect(distinct((event) => event.actor.user?.type)).toEqual(
      new Set(['IAMUser', 'AssumedRole', 'Root', 'AWSService', 'AWSAccount', 'FederatedUser', undefined]),
    )
    expect(distinct((event) => event.status_code).size).toBeGreaterThan(5)
    expect(distinct((event) => event.metadata.uid).size).toBe(events.length)
  })
})

describe('generateFile', () => {
  it('writes the records, and tells how far it is', async () => {
    const path = join(await folder(), 'records.ndjson')
    const told: number[] = []
    await generateFile(path, { records: 2_500, seed: 1 }, new AbortController().signal, (written) => told.push(written))
    expect(await readFile(path, 'utf8')).toBe(`${generate(2_500, 1).join('\n')}\n`)
    expect(told).toEqual([1_000, 2_000, 2_500])
  })

  it('leaves no file behind when it is aborted', async () => {
    const path = await folder()
    const abort = new AbortController()
    const options = { records: 5_000, seed: 1 }
    await expect(
      generateFile(join(path, 'records.ndjson'), options, abort.signal, () => abort.abort(new Error('enough'))),
    ).rejects.toThrow('enough')
    expect(await readdir(path)).toEqual([])
  })
})
