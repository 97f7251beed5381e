import { expect, test } from 'vitest'
import { cloudTrailRecords } from '../../../examples/cloudtrail-ocsf/generator/records.ts'
import { cloudTrailRecord } from '../../../examples/cloudtrail-ocsf/ocsf/cloudtrail-record.ts'
import { toOcsf } from '../../../examples/cloudtrail-ocsf/ocsf/to-ocsf.ts'
import { lineSet, outputsOf, threadCounts } from './support.ts'

const normalize = new URL('../../../dist/examples/cloudtrail-ocsf/normalize.js', import.meta.url)
const set = lineSet('cloudtrail/events.ndjson', () =>
  [...cloudTrailRecords({ records: 2_900, seed: 42 })].map((record) => JSON.stringify(record)),
)
const expected = set.texts.map((text) => Buffer.from(JSON.stringify(toOcsf(cloudTrailRecord(JSON.parse(text))))))

test.each(threadCounts)(`G3, G10: the same bytes with threads: %i (${set.name})`, async (threads) => {
  const { outputs, summary } = await outputsOf(set.source(), normalize, threads)
  expect(summary).toMatchObject({ received: set.texts.length, acked: set.texts.length, delivered: set.texts.length })
  expect(Buffer.concat(outputs).equals(Buffer.concat(expected))).toBe(true)
  expect(outputs.every((output, index) => expected[index]?.equals(output))).toBe(true)
})

test('the set is large enough to be split among workers', () => {
  expect(set.texts.length).toBeGreaterThan(2_000)
})
