import { fields, text, type CloudTrailRecord } from './cloudtrail-record.ts'

export interface Status {
  readonly status_id: 1 | 2
  readonly status: 'Success' | 'Failure'
  readonly status_code: string | undefined
  readonly status_detail: string | undefined
}

/** An error code is a failure. A sign-in may fail without one: then it says so under its own name. */
export function statusOf(record: CloudTrailRecord): Status {
  const code = text(record.errorCode)
  const detail = text(record.errorMessage)
  const failed = code !== undefined || detail !== undefined || signInOutcome(record) === 'Failure'
  return {
    status_id: failed ? 2 : 1,
    status: failed ? 'Failure' : 'Success',
    status_code: code,
    status_detail: detail,
  }
}

/** `responseElements.ConsoleLogin` of a ConsoleLogin; IAM Identity Center says it in `serviceEventDetails`. */
function signInOutcome(record: CloudTrailRecord): unknown {
  const name = record.eventName
  return (
    fields<Record<string, unknown>>(record.responseElements)[name] ??
    fields<Record<string, unknown>>(record.serviceEventDetails)[name]
  )
}
