import { mapAccountChange } from './account-change.ts'
import { mapActor, type UserIdentity } from './actor.ts'
import { mapApi } from './api-call.ts'
import { mapAuthentication } from './authentication.ts'
import { classify } from './classification.ts'
import { epochMs, fields, text, type CloudTrailRecord } from './cloudtrail-record.ts'
import { destinationEndpoint, sourceEndpoint } from './endpoints.ts'
import { observablesOf } from './observables.ts'
import { awsAccount, ocsfVersion, type Metadata, type OcsfEvent } from './ocsf-event.ts'
import { mapResources } from './resources.ts'
import { severityOf } from './severity.ts'
import { statusOf } from './status.ts'
import { unmappedOf } from './unmapped.ts'

const profiles = Object.freeze(['cloud', 'datetime'])

/** One CloudTrail record as one OCSF event. The same record always gives the same event. */
export function toOcsf(record: CloudTrailRecord): OcsfEvent {
  const classification = classify(record)
  const classUid = classification.class_uid
  const actor = mapActor(fields<UserIdentity>(record.userIdentity), record.eventSource)
  const status = statusOf(record)
  const severity = severityOf(record, classification, status, actor.user?.type)
  const authentication = classUid === 3002 ? mapAuthentication(record, classification, actor) : undefined
  const change = classUid === 3001 ? mapAccountChange(record, actor) : undefined
  const user = authentication?.user ?? change?.user
  const resources = classUid === 6003 ? mapResources(record.resources) : undefined
  const source = sourceEndpoint(record)
  const userAgent = text(record.userAgent)
  // One literal, so that every event has the same shape: it is built and written faster than one put together from parts.
  return {
    class_uid: classUid,
    class_name: classification.class_name,
    category_uid: classification.category_uid,
    category_name: classification.category_name,
    activity_id: classification.activity_id,
    // Where the schema has no name for it, the source's own stands.
    activity_name: classification.activity_id === 99 ? record.eventName : classification.activity_name,
    type_uid: classification.type_uid,
    type_name: classification.type_name,
    severity_id: severity.severity_id,
    severity: severity.severity,
    status_id: status.status_id,
    status: status.status,
    status_code: status.status_code,
    status_detail: status.status_detail,
    time: epochMs(record.eventTime) ?? 0,
    time_dt: record.eventTime,
    metadata: metadataOf(record),
    cloud: {
      provider: 'AWS',
      region: text(record.awsRegion),
      account: awsAccount(text(record.recipientAccountId)),
    },
    actor,
    api: mapApi(record),
    src_endpoint: source,
    http_request: userAgent === undefined ? undefined : { user_agent: userAgent },
    dst_endpoint: classUid === 3001 ? undefined : destinationEndpoint(record),
    resources,
    user,
    user_result: change?.user_result,
    policies: change?.policies,
    service: classUid === 3002 ? { name: record.eventSource } : undefined,
    session: authentication?.session,
    is_mfa: authentication?.is_mfa,
    is_remote: authentication?.is_remote,
    logon_type_id: authentication?.logon_type_id,
    logon_type: authentication?.logon_type,
    auth_protocol_id: authentication?.auth_protocol_id,
    auth_protocol: authentication?.auth_protocol,
    auth_factors: authentication?.auth_factors,
    account_switch_type_id: authentication?.account_switch_type_id,
    account_switch_type: authentication?.account_switch_type,
    observables: observablesOf(source, actor, user, resources),
    unmapped: unmappedOf(record, classUid),
  }
}

function metadataOf(record: CloudTrailRecord): Metadata {
  const feature = text(record.eventCategory)
  return {
    version: ocsfVersion,
    profiles,
    product: { name: 'CloudTrail', vendor_name: 'AWS', feature: feature === undefined ? undefined : { name: feature } },
    uid: text(record.eventID),
    event_code: text(record.eventType),
    correlation_uid: text(record.sharedEventID),
    log_provider: 'CloudTrail',
    log_version: text(record.eventVersion),
  }
}
