import type { CloudTrailRecord } from './cloudtrail-record.ts'

/** Which OCSF class and activity a record is. */
export interface Classification {
  readonly class_uid: 6003 | 3002 | 3001
  readonly class_name: string
  readonly category_uid: 6 | 3
  readonly category_name: string
  readonly activity_id: number
  readonly activity_name: string
  readonly type_uid: number
  readonly type_name: string
}

/** Activities by number, each with its caption and the names that mean it, separated by spaces. */
type Activities = Readonly<Record<number, readonly [caption: string, names: string]>>

const other = 99

function activity(
  classUid: Classification['class_uid'],
  className: string,
  id: number,
  caption: string,
): Classification {
  const application = classUid === 6003
  return Object.freeze({
    class_uid: classUid,
    class_name: className,
    category_uid: application ? 6 : 3,
    category_name: application ? 'Application Activity' : 'Identity & Access Management',
    activity_id: id,
    activity_name: caption,
    type_uid: classUid * 100 + id,
    type_name: `${className}: ${caption}`,
  })
}

/** By event source and name. What is not here is API Activity. */
const identityEvents = new Map<string, Classification>()

function identity(classUid: 3002 | 3001, className: string, source: string, activities: Activities): void {
  for (const [id, [caption, names]] of Object.entries(activities)) {
    const classification = activity(classUid, className, Number(id), caption)
    for (const name of names.split(' ')) identityEvents.set(`${source}.amazonaws.com ${name}`, classification)
  }
}

function authentication(source: string, activities: Activities): void {
  identity(3002, 'Authentication', source, activities)
}

function accountChange(source: string, activities: Activities): void {
  identity(3001, 'Account Change', source, activities)
}

authentication('signin', {
  1: ['Logon', 'ConsoleLogin UserAuthentication ExternalIdPDirectoryLogin GetSigninToken CreateOAuth2Token'],
  2: ['Logoff', 'Logout ExitRole'],
  6: ['Preauth', 'CheckMfa CredentialChallenge CredentialVerification'],
  7: ['Account Switch', 'SwitchRole'],
  [other]: ['Other', 'RenewRole'],
})
authentication('sts', {
  1: ['Logon', 'AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot GetSessionToken GetFederationToken'],
})
authentication('sso', {
  1: ['Logon', 'Authenticate Federate GetRoleCredentials'],
  2: ['Logoff', 'Logout'],
})
for (const source of ['sso-oauth', 'sso-oidc'])
  authentication(source, { 1: ['Logon', 'CreateToken CreateTokenWithIAM'] })
authentication('rolesanywhere', { 1: ['Logon', 'CreateSession'] })
authentication('eks-auth', { 1: ['Logon', 'AssumeRoleForPodIdentity'] })
authentication('cognito-idp', {
  1: ['Logon', 'InitiateAuth AdminInitiateAuth RespondToAuthChallenge AdminRespondToAuthChallenge'],
  2: ['Logoff', 'GlobalSignOut AdminUserGlobalSignOut'],
})

accountChange('iam', {
  1: ['Create', 'CreateUser CreateRole CreateServiceLinkedRole'],
  2: ['Enable', 'CreateLoginProfile'],
  3: ['Password Change', 'ChangePassword'],
  4: ['Password Reset', 'UpdateLoginProfile'],
  5: ['Disable', 'DeleteLoginProfile'],
  6: ['Delete', 'DeleteUser DeleteRole DeleteServiceLinkedRole'],
  7: [
    'Attach Policy',
    'AttachUserPolicy AttachRolePolicy PutUserPolicy PutRolePolicy PutUserPermissionsBoundary PutRolePermissionsBoundary',
  ],
  8: [
    'Detach Policy',
    'DetachUserPolicy DetachRolePolicy DeleteUserPolicy DeleteRolePolicy DeleteUserPermissionsBoundary DeleteRolePermissionsBoundary',
  ],
  10: ['MFA Factor Enable', 'EnableMFADevice'],
  11: ['MFA Factor Disable', 'DeactivateMFADevice'],
  [other]: [
    'Other',
    'UpdateUser UpdateRole UpdateRoleDescription UpdateAssumeRolePolicy TagUser UntagUser TagRole UntagRole ' +
      'AddUserToGroup RemoveUserFromGroup CreateAccessKey UpdateAccessKey DeleteAccessKey ResyncMFADevice ' +
      'UploadSSHPublicKey UpdateSSHPublicKey DeleteSSHPublicKey UploadSigningCertificate UpdateSigningCertificate ' +
      'DeleteSigningCertificate CreateServiceSpecificCredential UpdateServiceSpecificCredential ' +
      'ResetServiceSpecificCredential DeleteServiceSpecificCredential',
  ],
})
accountChange('signin', {
  3: ['Password Change', 'PasswordUpdated'],
  4: ['Password Reset', 'PasswordRecoveryRequested PasswordRecoveryCompleted'],
  [other]: ['Other', 'EmailUpdated AccountNameUpdated'],
})
for (const source of ['identitystore', 'sso-directory']) {
  accountChange(source, {
    1: ['Create', 'CreateUser'],
    2: ['Enable', 'EnableUser'],
    4: ['Password Reset', 'UpdatePassword'],
    5: ['Disable', 'DisableUser'],
    6: ['Delete', 'DeleteUser'],
    10: ['MFA Factor Enable', 'CompleteVirtualMfaDeviceRegistration CompleteWebAuthnDeviceRegistration'],
    11: ['MFA Factor Disable', 'DeleteMfaDeviceForUser'],
    [other]: ['Other', 'UpdateUser UpdateUserName'],
  })
}
accountChange('cognito-idp', {
  1: ['Create', 'AdminCreateUser SignUp'],
  2: ['Enable', 'AdminEnableUser'],
  3: ['Password Change', 'ChangePassword'],
  4: ['Password Reset', 'AdminSetUserPassword AdminResetUserPassword ForgotPassword ConfirmForgotPassword'],
  5: ['Disable', 'AdminDisableUser'],
  6: ['Delete', 'AdminDeleteUser DeleteUser'],
  [other]: ['Other', 'AdminUpdateUserAttributes AdminSetUserMFAPreference AdminAddUserToGroup'],
})

const create = activity(6003, 'API Activity', 1, 'Create')
const read = activity(6003, 'API Activity', 2, 'Read')
const update = activity(6003, 'API Activity', 3, 'Update')
const remove = activity(6003, 'API Activity', 4, 'Delete')
const otherCall = activity(6003, 'API Activity', other, 'Other')

const verbs = new Map<string, Classification>()
for (const [classification, words] of [
  [create, 'Create Run Allocate Import Copy Generate Upload Register Request Issue Purchase Provision Restore Launch'],
  [
    read,
    'Get List Describe Search Lookup Head Query Scan Select View Discover Filter Preview Test Validate Verify Check ' +
      'Estimate Simulate Decrypt Download Export Poll Receive Read Detect Retrieve',
  ],
  [
    update,
    'Update Put Modify Add Remove Set Reset Change Replace Rename Start Stop Reboot Restart Attach Detach Associate ' +
      'Disassociate Tag Untag Enable Disable Activate Deactivate Assign Unassign Authorize Revoke Grant Rotate Move ' +
      'Apply Accept Reject Share Merge Promote Suspend Resume Pause Cancel Schedule Complete Configure Upgrade Join Leave',
  ],
  [remove, 'Delete Terminate Deregister Release Purge Destroy Abort'],
] as const) {
  for (const word of words.split(' ')) verbs.set(word, classification)
}

/** The first word of a name: `Describe` of `DescribeVpcs`, and `Get` of `BatchGetItem`. */
function verb(name: string): string {
  const start = name.startsWith('Batch') && name.length > 5 ? 5 : 0
  let end = start + 1
  while (end < name.length && name.charCodeAt(end) >= 97 && name.charCodeAt(end) <= 122) end++
  return name.slice(start, end)
}

/**
 * The class and activity of a record: by name where it is about identities, else API Activity by the name's first word, and
 * where that says nothing, by `readOnly`.
 */
export function classify(record: CloudTrailRecord): Classification {
  return (
    identityEvents.get(`${record.eventSource} ${record.eventName}`) ??
    verbs.get(verb(record.eventName)) ??
    (record.readOnly === true ? read : otherCall)
  )
}
