import { epochMs, fields, text } from './cloudtrail-record.ts'
import { awsAccount, type Actor, type Session, type User } from './ocsf-event.ts'

export interface UserIdentity {
  readonly type?: unknown
  readonly principalId?: unknown
  readonly arn?: unknown
  readonly accountId?: unknown
  readonly accessKeyId?: unknown
  readonly userName?: unknown
  readonly invokedBy?: unknown
  readonly identityProvider?: unknown
  readonly sessionContext?: unknown
}

export interface SessionContext {
  readonly sessionIssuer?: unknown
  readonly webIdFederationData?: unknown
  readonly attributes?: unknown
}

export interface SessionIssuer {
  readonly arn?: unknown
  readonly userName?: unknown
}

export interface SessionAttributes {
  readonly creationDate?: unknown
  readonly mfaAuthenticated?: unknown
}

/** By `userIdentity.type`: User, Admin, Service, or Other. A role's session stands for no account of its own. */
const userTypes = new Map<string, number>([
  ['IAMUser', 1],
  ['FederatedUser', 1],
  ['IdentityCenterUser', 1],
  ['SAMLUser', 1],
  ['WebIdentityUser', 1],
  ['Root', 2],
  ['AWSService', 4],
  ['Unknown', 0],
])

/** Who did it. An actor needs a user, a session or an application: a record that names none was made by the service itself. */
export function mapActor(identity: UserIdentity, eventSource: string): Actor {
  const context = fields<SessionContext>(identity.sessionContext)
  const issuer = fields<SessionIssuer>(context.sessionIssuer)
  const user = mapUser(identity, issuer)
  const session = mapSession(identity, issuer, fields<SessionAttributes>(context.attributes))
  const provider =
    text(identity.identityProvider) ??
    text(fields<{ federatedProvider?: unknown }>(context.webIdFederationData).federatedProvider)
  return {
    user,
    session,
    app_name: text(identity.invokedBy) ?? (user === undefined && session === undefined ? eventSource : undefined),
    idp: provider === undefined ? undefined : { name: provider },
  }
}

/** An assumed role goes by the role's name, an AWS service by its own. */
function mapUser(identity: UserIdentity, issuer: SessionIssuer): User | undefined {
  const type = text(identity.type)
  const name =
    text(identity.userName) ?? text(issuer.userName) ?? (type === 'AWSService' ? text(identity.invokedBy) : undefined)
  const uid = text(identity.arn)
  const account = awsAccount(text(identity.accountId))
  const credential = text(identity.accessKeyId)
  const principal = text(identity.principalId)
  if ((type ?? name ?? uid ?? account ?? principal ?? credential) === undefined) return undefined
  return {
    type,
    type_id: type === undefined ? 0 : (userTypes.get(type) ?? 99),
    name,
    uid: uid ?? (name === undefined && account === undefined ? principal : undefined),
    uid_alt: principal,
    account,
    programmatic_credentials: credential === undefined ? undefined : [{ uid: credential, type: 'Access Key' }],
  }
}

/** The name of a role's session is the part of the principal behind the colon. */
function mapSession(identity: UserIdentity, issuer: SessionIssuer, attributes: SessionAttributes): Session | undefined {
  const created = epochMs(attributes.creationDate)
  const isMfa = mfaAuthenticated(attributes.mfaAuthenticated)
  const issuedBy = text(issuer.arn)
  if (created === undefined && isMfa === undefined && issuedBy === undefined) return undefined
  const principal = text(identity.principalId)
  const colon = principal === undefined ? -1 : principal.indexOf(':')
  return {
    uid: principal === undefined || colon < 0 ? undefined : principal.slice(colon + 1),
    created_time: created,
    created_time_dt: created === undefined ? undefined : text(attributes.creationDate),
    is_mfa: isMfa,
    issuer: issuedBy,
  }
}

/** CloudTrail writes it as a string. */
export function mfaAuthenticated(value: unknown): boolean | undefined {
  if (value === 'true' || value === true) return true
  return value === 'false' || value === false ? false : undefined
}
