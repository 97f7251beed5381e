import { isIP } from 'node:net'
import { fields, text, type CloudTrailRecord } from './cloudtrail-record.ts'
import type { NetworkEndpoint } from './ocsf-event.ts'

/** An address, or the AWS service that made the call; a record that says neither was made by its own service. */
export function sourceEndpoint(record: CloudTrailRecord): NetworkEndpoint {
  const uid = text(record.vpcEndpointId)
  const from = text(record.sourceIPAddress)
  if (from === undefined) return { uid, svc_name: record.eventSource }
  if (isIP(from) !== 0) return { uid, ip: from }
  return from.includes('.') ? { uid, domain: from, svc_name: from } : { uid, svc_name: from }
}

export interface TlsDetails {
  readonly clientProvidedHostHeader?: unknown
}

/** The service's endpoint that the client called. */
export function destinationEndpoint(record: CloudTrailRecord): NetworkEndpoint {
  return {
    hostname: text(fields<TlsDetails>(record.tlsDetails).clientProvidedHostHeader),
    svc_name: record.eventSource,
  }
}
