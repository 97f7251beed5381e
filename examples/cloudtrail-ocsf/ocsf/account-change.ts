import { fields, text, type CloudTrailRecord } from './cloudtrail-record.ts'
import { awsAccount, type Account, type Actor, type Policy, type User } from './ocsf-event.ts'

interface Parameters {
  readonly userName?: unknown
  readonly username?: unknown
  readonly roleName?: unknown
  readonly newUserName?: unknown
  readonly policyArn?: unknown
  readonly policyName?: unknown
  readonly permissionsBoundary?: unknown
}

interface Principal {
  readonly arn?: unknown
  readonly userId?: unknown
  readonly userName?: unknown
  readonly roleId?: unknown
  readonly roleName?: unknown
}

/** What only Account Change has. All of it is told from parameters and results, which also stay in `api`. */
export interface AccountChange {
  readonly user: User
  readonly user_result: User | undefined
  readonly policies: readonly Policy[] | undefined
}

export function mapAccountChange(record: CloudTrailRecord, actor: Actor): AccountChange {
  const parameters = fields<Parameters>(record.requestParameters)
  const account = awsAccount(text(record.recipientAccountId)) ?? actor.user?.account
  const renamed = text(parameters.newUserName)
  return {
    user: target(parameters, record.responseElements, account) ?? actor.user ?? { name: actor.app_name },
    user_result: renamed === undefined ? undefined : { type: 'IAMUser', type_id: 1, name: renamed, account },
    policies: policies(parameters),
  }
}

/** The user or role that is named; else they change their own account. */
function target(parameters: Parameters, responseElements: unknown, account: Account | undefined): User | undefined {
  const result = fields<{ user?: unknown; role?: unknown }>(responseElements)
  const user = fields<Principal>(result.user)
  const role = fields<Principal>(result.role)
  const userName = text(parameters.userName) ?? text(parameters.username) ?? text(user.userName)
  if (userName !== undefined) {
    return { type: 'IAMUser', type_id: 1, name: userName, uid: text(user.arn), uid_alt: text(user.userId), account }
  }
  const roleName = text(parameters.roleName) ?? text(role.roleName)
  if (roleName === undefined) return undefined
  return { type: 'Role', type_id: 99, name: roleName, uid: text(role.arn), uid_alt: text(role.roleId), account }
}

function policies(parameters: Parameters): readonly Policy[] | undefined {
  const uid = text(parameters.policyArn) ?? text(parameters.permissionsBoundary)
  const name = text(parameters.policyName) ?? uid?.slice(uid.lastIndexOf('/') + 1)
  return name === undefined ? undefined : [{ uid, name }]
}
