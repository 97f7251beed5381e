import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cloudTrailRecords } from '../../../examples/cloudtrail-ocsf/generator/records.ts'
import { cloudTrailRecord } from '../../../examples/cloudtrail-ocsf/ocsf/cloudtrail-record.ts'
import { toOcsf } from '../../../examples/cloudtrail-ocsf/ocsf/to-ocsf.ts'
import { lost } from './leaves.ts'

type Fields = Record<string, unknown>

/** As it comes from a file: the record's own keys, `__proto__` too. */
function roundTrip(text: string): { input: unknown; output: unknown } {
  const input: unknown = JSON.parse(text)
  return { input, output: JSON.parse(JSON.stringify(toOcsf(cloudTrailRecord(JSON.parse(text))))) }
}

const records = [...cloudTrailRecords({ records: 400, seed: 7 })].map((record) => JSON.stringify(record))

const identityFields = [
  'type',
  'principalId',
  'arn',
  'accountId',
  'accessKeyId',
  'userName',
  'invokedBy',
  'identityProvider',
]
const recordFields = [
  'additionalEventData',
  'apiVersion',
  'awsRegion',
  'errorCode',
  'errorMessage',
  'eventCategory',
  'eventID',
  'eventType',
  'eventVersion',
  'readOnly',
  'recipientAccountId',
  'requestID',
  'requestParameters',
  'resources',
  'responseElements',
  'serviceEventDetails',
  'sharedEventID',
  'sourceIPAddress',
  'tlsDetails',
  'userAgent',
  'userIdentity',
  'vpcEndpointId',
]

/** Anything, but often what is nearly right. */
const anything = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('', 'true', '2026-01-12T00:00:00Z', '192.0.2.1', 'arn:aws:iam::111122223333:role/r', true, 0, null),
)
const object = (keys: readonly string[]): fc.Arbitrary<unknown> =>
  fc.dictionary(fc.constantFrom(...keys, 'other'), anything)
const context = fc.record({
  sessionIssuer: fc.oneof(anything, object(['arn', 'userName', 'type'])),
  webIdFederationData: fc.oneof(anything, object(['federatedProvider', 'attributes'])),
  attributes: fc.oneof(anything, object(['creationDate', 'mfaAuthenticated'])),
  sourceIdentity: anything,
})

describe('toOcsf', () => {
  it('keeps every field of a usual record, mapped or unmapped', () => {
    for (const text of records) {
      const { input, output } = roundTrip(text)
      expect(lost(input, output), text).toEqual([])
    }
  })

  it('keeps every field of any record, whatever its optional fields hold', () => {
    const identity = fc
      .tuple(object(identityFields), fc.option(context))
      .map(([fields, sessionContext]) => Object.assign({}, fields, sessionContext && { sessionContext }))
    const changes = fc.record(
      {
        ...Object.fromEntries(recordFields.map((field) => [field, anything])),
        userIdentity: fc.oneof(anything, identity),
        tlsDetails: fc.oneof(anything, object(['clientProvidedHostHeader', 'tlsVersion'])),
        resources: fc.oneof(anything, fc.array(object(['ARN', 'accountId', 'type']))),
        anythingElse: anything,
      },
      { requiredKeys: [] },
    )
    const eventNames = ['AssumeRole', 'CreateUser', 'ConsoleLogin', 'DescribeVpcs', '__proto__']
    const sources = ['sts.amazonaws.com', 'iam.amazonaws.com', 'signin.amazonaws.com', 'ec2.amazonaws.com']
    fc.assert(
      fc.property(
        fc.constantFrom(...records),
        fc.constantFrom(...eventNames),
        fc.constantFrom(...sources),
        changes,
        (text, eventName, eventSource, changed) => {
          const record = JSON.stringify({ ...(JSON.parse(text) as Fields), ...changed, eventName, eventSource })
          const { input, output } = roundTrip(record)
          expect(lost(input, output), record).toEqual([])
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('takes a field named __proto__ for a field', () => {
    const record =
      '{"eventTime":"2026-01-12T00:00:00Z","eventName":"GetObject","eventSource":"s3.amazonaws.com",' +
      '"__proto__":{"polluted":"yes"},"userIdentity":{"__proto__":{"type":"Root"}}}'
    const text = JSON.stringify(toOcsf(cloudTrailRecord(JSON.parse(record))))
    expect(text).toContain('"unmapped":{"__proto__":{"polluted":"yes"},"userIdentity":{"__proto__":{"type":"Root"}}}')
    expect(({} as Fields)['polluted']).toBeUndefined()
  })

  it('gives the same bytes for the same record', () => {
    for (const text of records) {
      expect(JSON.stringify(roundTrip(text).output)).toBe(JSON.stringify(roundTrip(text).output))
    }
  })
})
