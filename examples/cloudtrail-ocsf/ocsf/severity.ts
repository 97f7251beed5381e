import type { CloudTrailRecord } from './cloudtrail-record.ts'
import type { Classification } from './classification.ts'
import type { Status } from './status.ts'

export interface Severity {
  readonly severity_id: 1 | 2 | 3 | 4
  readonly severity: 'Informational' | 'Low' | 'Medium' | 'High'
}

const informational: Severity = { severity_id: 1, severity: 'Informational' }
const low: Severity = { severity_id: 2, severity: 'Low' }
const medium: Severity = { severity_id: 3, severity: 'Medium' }
const high: Severity = { severity_id: 4, severity: 'High' }

/** Calls that blind or disarm the account's own defences. */
const tampering = new Set(
  (
    'StopLogging DeleteTrail UpdateTrail PutEventSelectors DeleteEventDataStore DeleteFlowLogs DeleteDetector ' +
    'UpdateDetector DisassociateFromMasterAccount DisassociateFromAdministratorAccount DisableSecurityHub ' +
    'StopConfigurationRecorder DeleteConfigurationRecorder DeleteDeliveryChannel DeleteBucketPublicAccessBlock ' +
    'DeleteAccountPublicAccessBlock LeaveOrganization ScheduleKeyDeletion DisableKey'
  ).split(' '),
)

/** Calls that give somebody a way in, or more rights. */
const granting = new Set(
  (
    'CreateUser CreateAccessKey CreateLoginProfile UpdateLoginProfile DeactivateMFADevice AttachUserPolicy AttachRolePolicy ' +
    'AttachGroupPolicy PutUserPolicy PutRolePolicy PutGroupPolicy AddUserToGroup UpdateAssumeRolePolicy ' +
    'CreatePolicyVersion SetDefaultPolicyVersion PutBucketPolicy PutKeyPolicy CreateTrustAnchor CreateSAMLProvider ' +
    'CreateOpenIDConnectProvider ModifySnapshotAttribute ModifyDBSnapshotAttribute ModifyImageAttribute ' +
    'AuthorizeSecurityGroupIngress GetPasswordData'
  ).split(' '),
)

const denied = /AccessDenied|Unauthorized|NotAuthorized|Forbidden|InvalidClientTokenId/

/**
 * CloudTrail rates nothing, so this does, by what it would cost to look into the event: tampering is high (medium where it
 * failed), a grant that succeeded and what root does beyond reading are medium, a refusal is low, the rest is informational.
 */
export function severityOf(
  record: CloudTrailRecord,
  classification: Classification,
  status: Status,
  userType: string | undefined,
): Severity {
  const failed = status.status_id === 2
  if (tampering.has(record.eventName)) return failed ? medium : high
  if (!failed && granting.has(record.eventName)) return medium
  if (userType === 'Root' && classification.type_uid !== 600302) return medium
  if (!failed) return informational
  return classification.class_uid === 3002 || denied.test(status.status_code ?? '') ? low : informational
}
