import { fields, text, type CloudTrailRecord } from './cloudtrail-record.ts'
import type { Classification } from './classification.ts'
import { awsAccount, type Actor, type AuthFactor, type Session, type User } from './ocsf-event.ts'

interface Parameters {
  readonly roleArn?: unknown
  readonly roleSessionName?: unknown
  readonly serialNumber?: unknown
}

interface Result {
  readonly assumedRoleUser?: unknown
  readonly federatedUser?: unknown
  readonly credentials?: unknown
}

interface AdditionalData {
  readonly MFAUsed?: unknown
  readonly MfaType?: unknown
  readonly CredentialType?: unknown
}

/** What only Authentication has. All of it is told from fields that also stay in `api` or in `unmapped`. */
export interface Authentication {
  readonly user: User
  readonly session: Session | undefined
  readonly is_mfa: boolean | undefined
  readonly is_remote: true
  readonly logon_type_id: 3 | undefined
  readonly logon_type: 'Network' | undefined
  readonly auth_protocol_id: number | undefined
  readonly auth_protocol: string | undefined
  readonly auth_factors: readonly AuthFactor[] | undefined
  readonly account_switch_type_id: 2 | undefined
  readonly account_switch_type: 'Impersonate' | undefined
}

const protocols = new Map<string, readonly [id: number, caption: string]>([
  ['AssumeRoleWithSAML', [5, 'SAML']],
  ['AssumeRoleWithWebIdentity', [4, 'OpenID']],
  ['CreateToken', [6, 'OAUTH 2.0']],
  ['CreateTokenWithIAM', [6, 'OAUTH 2.0']],
  ['CreateOAuth2Token', [6, 'OAUTH 2.0']],
])

/** By `MfaType` of a console sign-in, or `CredentialType` of IAM Identity Center. */
const factors = new Map<string, AuthFactor>([
  ['Virtual MFA', { factor_type_id: 7, factor_type: 'OTP' }],
  ['TOTP', { factor_type_id: 7, factor_type: 'OTP' }],
  ['U2F MFA', { factor_type_id: 9, factor_type: 'U2F' }],
  ['Hardware MFA', { factor_type_id: 6, factor_type: 'Hardware Token' }],
  ['SMS MFA', { factor_type_id: 1, factor_type: 'SMS' }],
  ['EMAIL_OTP', { factor_type_id: 8, factor_type: 'Email' }],
  ['WEBAUTHN', { factor_type_id: 10, factor_type: 'WebAuthn' }],
  ['PASSWORD', { factor_type_id: 11, factor_type: 'Password' }],
])

export function mapAuthentication(
  record: CloudTrailRecord,
  classification: Classification,
  actor: Actor,
): Authentication {
  const parameters = fields<Parameters>(record.requestParameters)
  const result = fields<Result>(record.responseElements)
  const additional = fields<AdditionalData>(record.additionalEventData)
  const protocol = protocols.get(record.eventName)
  const factor = factors.get(text(additional.MfaType) ?? text(additional.CredentialType) ?? '')
  const logon = classification.activity_id === 1
  const switched = classification.activity_id === 7
  return {
    user: subject(parameters, result) ?? actor.user ?? { name: actor.app_name },
    session: session(parameters, result),
    is_mfa: usedMfa(parameters, additional),
    is_remote: true,
    logon_type_id: logon ? 3 : undefined,
    logon_type: logon ? 'Network' : undefined,
    auth_protocol_id: protocol?.[0],
    auth_protocol: protocol?.[1],
    auth_factors: factor === undefined ? undefined : [factor],
    account_switch_type_id: switched ? 2 : undefined,
    account_switch_type: switched ? 'Impersonate' : undefined,
  }
}

/** The role that is assumed, or the user that is federated; else it is the actor who signs in. */
function subject(parameters: Parameters, result: Result): User | undefined {
  const role = text(parameters.roleArn)
  if (role !== undefined) {
    return {
      type: 'Role',
      type_id: 99,
      name: role.slice(role.lastIndexOf('/') + 1),
      uid: role,
      uid_alt: text(fields<{ assumedRoleId?: unknown }>(result.assumedRoleUser).assumedRoleId),
      account: awsAccount(text(role.split(':', 5)[4])),
    }
  }
  const federated = fields<{ arn?: unknown; federatedUserId?: unknown }>(result.federatedUser)
  const uid = text(federated.arn)
  if (uid === undefined) return undefined
  return {
    type: 'FederatedUser',
    type_id: 1,
    name: uid.slice(uid.lastIndexOf('/') + 1),
    uid,
    uid_alt: text(federated.federatedUserId),
    account: awsAccount(text(uid.split(':', 5)[4])),
  }
}

/** The session that begins. */
function session(parameters: Parameters, result: Result): Session | undefined {
  const assumed = text(fields<{ arn?: unknown }>(result.assumedRoleUser).arn)
  const credential = text(fields<{ accessKeyId?: unknown }>(result.credentials).accessKeyId)
  if (assumed === undefined && credential === undefined) return undefined
  return {
    uid: text(parameters.roleSessionName),
    uid_alt: assumed,
    credential_uid: credential,
    issuer: text(parameters.roleArn),
  }
}

/** A console sign-in says so; a call for credentials names its device. */
function usedMfa(parameters: Parameters, additional: AdditionalData): boolean | undefined {
  if (additional.MFAUsed === 'Yes' || text(parameters.serialNumber) !== undefined) return true
  return additional.MFAUsed === 'No' ? false : undefined
}
