/**
 * A CloudTrail record as it is read. Only the three fields that every event needs are checked; all others may be missing or
 * hold anything, so each mapping checks what it takes, and what it does not take goes to `unmapped`.
 */
export interface CloudTrailRecord {
  readonly eventTime: string
  readonly eventName: string
  readonly eventSource: string
  readonly additionalEventData?: unknown
  readonly apiVersion?: unknown
  readonly awsRegion?: unknown
  readonly errorCode?: unknown
  readonly errorMessage?: unknown
  readonly eventCategory?: unknown
  readonly eventID?: unknown
  readonly eventType?: unknown
  readonly eventVersion?: unknown
  readonly readOnly?: unknown
  readonly recipientAccountId?: unknown
  readonly requestID?: unknown
  readonly requestParameters?: unknown
  readonly resources?: unknown
  readonly responseElements?: unknown
  readonly serviceEventDetails?: unknown
  readonly sharedEventID?: unknown
  readonly sourceIPAddress?: unknown
  readonly tlsDetails?: unknown
  readonly userAgent?: unknown
  readonly userIdentity?: unknown
  readonly vpcEndpointId?: unknown
}

/** The record, once it is known to be one. Throws what the dead letter then says. */
export function cloudTrailRecord(value: unknown): CloudTrailRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`Expected a CloudTrail record, a JSON object; got ${kindOf(value)}`)
  }
  const record = value as CloudTrailRecord
  if (typeof record.eventName !== 'string' || record.eventName === '') throw missing('eventName', record.eventName)
  if (typeof record.eventSource !== 'string' || record.eventSource === '') {
    throw missing('eventSource', record.eventSource)
  }
  if (epochMs(record.eventTime) === undefined) throw missing('eventTime', record.eventTime)
  return record
}

function missing(field: 'eventName' | 'eventSource' | 'eventTime', value: unknown): TypeError {
  const expected = field === 'eventTime' ? 'a time such as 2026-01-31T12:00:00Z' : 'a string'
  const got = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value)
  return new TypeError(`Expected a CloudTrail record, whose ${field} is ${expected}; got ${got}`)
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'none'
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** The value where it is a string that says something. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

const nothing: object = Object.freeze({})

/** The value's fields where it is an object, else none: `T` has only optional fields of type unknown. */
export function fields<T extends object>(value: unknown): T {
  return (typeof value === 'object' && value !== null && !Array.isArray(value) ? value : nothing) as T
}

// Date.parse takes other forms too, and reads some of them in the machine's time zone.
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

/** Milliseconds since 1970 where the value is a time in ISO 8601 with its zone. */
export function epochMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || !isoTime.test(value)) return undefined
  const ms = Date.parse(value)
  return Number.isNaN(ms) ? undefined : ms
}
