import { mfaAuthenticated, type SessionContext, type UserIdentity } from './actor.ts'
import { epochMs, fields, text, type CloudTrailRecord } from './cloudtrail-record.ts'
import type { TlsDetails } from './endpoints.ts'
import { areMapped } from './resources.ts'

type Fields = Record<string, unknown>

/** Mapped wherever they hold text. The others of a record are looked at one by one. */
const textFields: ReadonlySet<string> = new Set<keyof CloudTrailRecord>([
  'apiVersion',
  'awsRegion',
  'errorCode',
  'errorMessage',
  'eventCategory',
  'eventID',
  'eventName',
  'eventSource',
  'eventTime',
  'eventType',
  'eventVersion',
  'recipientAccountId',
  'requestID',
  'sharedEventID',
  'sourceIPAddress',
  'userAgent',
  'vpcEndpointId',
])

const identityText: ReadonlySet<string> = new Set<keyof UserIdentity>([
  'type',
  'principalId',
  'arn',
  'accountId',
  'accessKeyId',
  'userName',
  'invokedBy',
  'identityProvider',
])

/**
 * All that the event does not say elsewhere, where it was in the record. A null or an object without fields says nothing;
 * everything else is either mapped or here.
 */
export function unmappedOf(record: CloudTrailRecord, classUid: number): object | undefined {
  return rest(record, (key, value) => {
    if (textFields.has(key)) return text(value) === undefined ? value : undefined
    switch (key) {
      case 'requestParameters':
      case 'responseElements':
        return undefined
      case 'userIdentity':
        return isFields(value) ? restOfIdentity(value) : value
      case 'resources':
        return classUid === 6003 && areMapped(value) ? undefined : value
      case 'tlsDetails':
        return classUid !== 3001 && isFields(value) ? restOfTls(value) : value
      default:
        return value
    }
  })
}

function restOfIdentity(identity: UserIdentity): object | undefined {
  const named = text(identity.userName) !== undefined
  const provided = text(identity.identityProvider) !== undefined
  return rest(identity, (key, value) => {
    if (identityText.has(key)) return text(value) === undefined ? value : undefined
    return key === 'sessionContext' && isFields(value) ? restOfContext(value, named, provided) : value
  })
}

/** A session's issuer gives its name, and its federation its provider, only to a user that has none of its own. */
function restOfContext(context: SessionContext, named: boolean, provided: boolean): object | undefined {
  return rest(context, (key, value) => {
    if (!isFields(value)) return value
    switch (key) {
      case 'sessionIssuer':
        return rest(value, (name, field) =>
          (name === 'arn' || (name === 'userName' && !named)) && text(field) !== undefined ? undefined : field,
        )
      case 'webIdFederationData':
        return rest(value, (name, field) =>
          name === 'federatedProvider' && !provided && text(field) !== undefined ? undefined : field,
        )
      case 'attributes':
        return rest(value, (name, field) => {
          if (name === 'creationDate') return epochMs(field) === undefined ? field : undefined
          return name === 'mfaAuthenticated' && mfaAuthenticated(field) !== undefined ? undefined : field
        })
      default:
        return value
    }
  })
}

function restOfTls(details: TlsDetails): object | undefined {
  return rest(details, (key, value) =>
    key === 'clientProvidedHostHeader' && text(value) !== undefined ? undefined : value,
  )
}

function isFields(value: unknown): value is object {
  return fields(value) === value
}

/** What `left` leaves of each field; undefined where nothing is left at all. */
function rest(source: object, left: (key: string, value: unknown) => unknown): object | undefined {
  let remaining: Fields | undefined
  for (const [key, value] of Object.entries(source)) {
    const field = value === null ? undefined : left(key, value)
    if (field === undefined || isEmpty(field)) continue
    remaining ??= {}
    // An assignment would set the prototype.
    if (key === '__proto__') Object.defineProperty(remaining, key, { value: field, enumerable: true })
    else remaining[key] = field
  }
  return remaining
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return Object.keys(value).length === 0
}
