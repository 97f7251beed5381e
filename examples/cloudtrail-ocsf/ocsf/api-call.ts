import { text, type CloudTrailRecord } from './cloudtrail-record.ts'
import type { Api } from './ocsf-event.ts'

/**
 * The call as such. Parameters and result stay whole and as they are. OCSF wants an identifier with a request: where AWS
 * gave the call none, the event's stands for it.
 */
export function mapApi(record: CloudTrailRecord): Api {
  const requestId = text(record.requestID)
  const parameters = record.requestParameters ?? undefined
  const error = text(record.errorCode)
  const message = text(record.errorMessage)
  const result = record.responseElements ?? undefined
  return {
    operation: record.eventName,
    service: { name: record.eventSource },
    version: text(record.apiVersion),
    request:
      requestId === undefined && parameters === undefined
        ? undefined
        : { uid: requestId ?? text(record.eventID), data: parameters },
    response:
      error === undefined && message === undefined && result === undefined
        ? undefined
        : { error, error_message: message, data: result },
  }
}
