import { callsOf, type Call } from './call.ts'

/** Calls of IAM and STS. */
export const identityCalls: Call[] = []

const add = (...call: Parameters<typeof callsOf>): number => identityCalls.push(...callsOf(...call))

const user = (account: string, name: string): string => `arn:aws:iam::${account}:user/${name}`
const role = (account: string, name: string): string => `arn:aws:iam::${account}:role/${name}`
const createDate = 'Jan 12, 2026 9:21:07 AM'

add('sts', 'AssumeRole', 14, ({ random, world, account }) => {
  const assumed = random.pick(world.roles)
  const roleSessionName = random.pick(world.instances)
  return {
    request: { roleArn: role(account, assumed.name), roleSessionName, durationSeconds: 3600 },
    response: {
      credentials: {
        accessKeyId: random.key('ASIA'),
        sessionToken: random.base64(300),
        expiration: 'Jan 12, 2026, 11:03:00 AM',
      },
      assumedRoleUser: {
        assumedRoleId: `${assumed.id}:${roleSessionName}`,
        arn: `arn:aws:sts::${account}:assumed-role/${assumed.name}/${roleSessionName}`,
      },
    },
    resources: [{ accountId: account, type: 'AWS::IAM::Role', ARN: role(account, assumed.name) }],
  }
})
add('sts', 'GetCallerIdentity', 4, () => ({}))
add('sts', 'GetSessionToken GetFederationToken', 0.6, ({ random, world, account }) => {
  const { name } = random.pick(world.people)
  return {
    request: { name, durationSeconds: 43_200 },
    response: {
      credentials: { accessKeyId: random.key('ASIA'), sessionToken: random.base64(240) },
      federatedUser: { federatedUserId: `${account}:${name}`, arn: `arn:aws:sts::${account}:federated-user/${name}` },
    },
  }
})

add('iam', 'GetUser ListAccessKeys ListMFADevices ListGroupsForUser', 3, ({ random, world }) => ({
  request: { userName: random.pick(world.people).name },
}))
add('iam', 'GetRole ListRolePolicies ListAttachedRolePolicies', 4, ({ random, world }) => ({
  request: { roleName: random.pick(world.roles).name, maxItems: 100 },
}))
add(
  'iam',
  'CreateUser',
  0.5,
  ({ random, account }) => {
    const userName = `new.${random.text(6, 'abcdefghijklmnopqrstuvwxyz')}`
    return {
      request: { path: '/', userName, tags: [{ key: 'team', value: 'search' }] },
      response: { user: { path: '/', userName, userId: random.key('AIDA'), arn: user(account, userName), createDate } },
    }
  },
  [['EntityAlreadyExistsException', 'User with that name already exists.']],
)
add(
  'iam',
  'DeleteUser DeleteLoginProfile ChangePassword EnableMFADevice DeactivateMFADevice TagUser',
  0.5,
  ({ random, world, account }) => {
    const { name } = random.pick(world.people)
    return { request: { userName: name, serialNumber: `arn:aws:iam::${account}:mfa/${name}` } }
  },
)
add('iam', 'CreateAccessKey', 0.5, ({ random, world }) => {
  const userName = random.pick(world.people).name
  return {
    request: { userName },
    response: { accessKey: { accessKeyId: random.key('AKIA'), status: 'Active', userName, createDate } },
  }
})
add('iam', 'CreateLoginProfile UpdateLoginProfile', 0.4, ({ random, world }) => {
  const userName = random.pick(world.people).name
  return { request: { userName, passwordResetRequired: true }, response: { loginProfile: { userName, createDate } } }
})
add('iam', 'AttachUserPolicy DetachUserPolicy', 0.5, ({ random, world }) => ({
  request: { userName: random.pick(world.people).name, policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
}))
add('iam', 'CreateRole', 0.5, ({ random, account }) => {
  const roleName = `stack-${random.hex(10)}`
  const assumeRolePolicyDocument =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
  return {
    request: { path: '/', roleName, maxSessionDuration: 3600, assumeRolePolicyDocument },
    response: { role: { path: '/', roleName, roleId: random.key('AROA'), arn: role(account, roleName), createDate } },
  }
})
add(
  'iam',
  'AttachRolePolicy DetachRolePolicy PutRolePolicy DeleteRolePolicy UpdateAssumeRolePolicy DeleteRole',
  0.6,
  ({ random, world }) => ({
    request: {
      roleName: random.pick(world.roles).name,
      policyName: 'inline',
      policyDocument:
        '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"*"}]}',
    },
  }),
)
