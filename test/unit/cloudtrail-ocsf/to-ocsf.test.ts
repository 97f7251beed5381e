import { describe, expect, it } from 'vitest'
import { cloudTrailRecord } from '../../../examples/cloudtrail-ocsf/ocsf/cloudtrail-record.ts'
import type { OcsfEvent } from '../../../examples/cloudtrail-ocsf/ocsf/ocsf-event.ts'
import { toOcsf } from '../../../examples/cloudtrail-ocsf/ocsf/to-ocsf.ts'

const account = { uid: '111122223333', type: 'AWS Account', type_id: 10 }

const alice = {
  type: 'IAMUser',
  principalId: 'AIDAEXAMPLE',
  arn: 'arn:aws:iam::111122223333:user/alice',
  accountId: '111122223333',
  accessKeyId: 'AKIAEXAMPLE',
  userName: 'alice',
}

const base = {
  eventVersion: '1.08',
  userIdentity: alice,
  eventTime: '2026-01-12T09:30:00Z',
  awsRegion: 'eu-west-1',
  sourceIPAddress: '192.0.2.10',
  userAgent: 'aws-cli/2.15.40',
  requestParameters: null,
  responseElements: null,
  requestID: 'request-1',
  eventID: 'event-1',
  readOnly: false,
  eventType: 'AwsApiCall',
  managementEvent: true,
  recipientAccountId: '111122223333',
  eventCategory: 'Management',
}

/** As it is written: without the attributes that are undefined. */
function event(record: object): OcsfEvent {
  return JSON.parse(JSON.stringify(toOcsf(cloudTrailRecord({ ...base, ...record })))) as OcsfEvent
}

describe('API Activity', () => {
  const record = {
    eventSource: 's3.amazonaws.com',
    eventName: 'GetBucketAcl',
    readOnly: true,
    requestParameters: { bucketName: 'logs' },
    resources: [{ accountId: '111122223333', type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::logs' }],
    vpcEndpointId: 'vpce-1',
    sharedEventID: 'shared-1',
    tlsDetails: { tlsVersion: 'TLSv1.3', clientProvidedHostHeader: 'logs.s3.amazonaws.com' },
  }

  it('is mapped whole', () => {
    expect(event(record)).toEqual({
      class_uid: 6003,
      class_name: 'API Activity',
      category_uid: 6,
      category_name: 'Application Activity',
      activity_id: 2,
      activity_name: 'Read',
      type_uid: 600302,
      type_name: 'API Activity: Read',
      severity_id: 1,
      severity: 'Informational',
      status_id: 1,
      status: 'Success',
      time: Date.UTC(2026, 0, 12, 9, 30),
      time_dt: '2026-01-12T09:30:00Z',
      metadata: {
        version: '1.6.0',
        profiles: ['cloud', 'datetime'],
        product: { name: 'CloudTrail', vendor_name: 'AWS', feature: { name: 'Management' } },
        uid: 'event-1',
        event_code: 'AwsApiCall',
        correlation_uid: 'shared-1',
        log_provider: 'CloudTrail',
        log_version: '1.08',
      },
      cloud: { provider: 'AWS', region: 'eu-west-1', account },
      actor: {
        user: {
          type: 'IAMUser',
          type_id: 1,
          name: 'alice',
          uid: 'arn:aws:iam::111122223333:user/alice',
          uid_alt: 'AIDAEXAMPLE',
          account,
          programmatic_credentials: [{ uid: 'AKIAEXAMPLE', type: 'Access Key' }],
        },
      },
      api: {
        operation: 'GetBucketAcl',
        service: { name: 's3.amazonaws.com' },
        request: { uid: 'request-1', data: { bucketName: 'logs' } },
      },
      src_endpoint: { uid: 'vpce-1', ip: '192.0.2.10' },
      http_request: { user_agent: 'aws-cli/2.15.40' },
      dst_endpoint: { hostname: 'logs.s3.amazonaws.com', svc_name: 's3.amazonaws.com' },
      resources: [{ uid: 'arn:aws:s3:::logs', type: 'AWS::S3::Bucket', owner: { account } }],
      observables: [
        { name: 'src_endpoint.ip', type_id: 2, type: 'IP Address', value: '192.0.2.10' },
        { name: 'actor.user.name', type_id: 4, type: 'User Name', value: 'alice' },
        { name: 'resources[0].uid', type_id: 10, type: 'Resource UID', value: 'arn:aws:s3:::logs' },
      ],
      unmapped: { readOnly: true, managementEvent: true, tlsDetails: { tlsVersion: 'TLSv1.3' } },
    })
  })

  it.each([
    ['ec2', 'RunInstances', false, 1, 'Create'],
    ['ec2', 'DescribeVpcs', true, 2, 'Read'],
    ['dynamodb', 'BatchGetItem', true, 2, 'Read'],
    ['kms', 'Encrypt', true, 2, 'Read'],
    ['ec2', 'AttachVolume', false, 3, 'Update'],
    ['ec2', 'TerminateInstances', false, 4, 'Delete'],
    ['lambda', 'Invoke', false, 99, 'Invoke'],
    ['sts', 'GetCallerIdentity', true, 2, 'Read'],
  ])('%s %s', (service, eventName, readOnly, id, name) => {
    const { class_uid, activity_id, activity_name, type_uid } = event({
      eventSource: `${service}.amazonaws.com`,
      eventName,
      readOnly,
    })
    expect([class_uid, activity_id, activity_name, type_uid]).toEqual([6003, id, name, 600_300 + id])
  })

  it('says what failed', () => {
    const failed = event({ ...record, errorCode: 'AccessDenied', errorMessage: 'alice is not authorized' })
    expect(failed).toMatchObject({
      status_id: 2,
      status: 'Failure',
      status_code: 'AccessDenied',
      status_detail: 'alice is not authorized',
      severity: 'Low',
      api: { response: { error: 'AccessDenied', error_message: 'alice is not authorized' } },
    })
  })

  it.each([
    ['StopLogging', {}, 'High'],
    ['StopLogging', { errorCode: 'AccessDenied' }, 'Medium'],
    ['PutBucketPolicy', {}, 'Medium'],
    ['CreateBucket', { userIdentity: { ...alice, type: 'Root' } }, 'Medium'],
    ['GetBucketAcl', { userIdentity: { ...alice, type: 'Root' } }, 'Informational'],
    ['GetBucketAcl', { errorCode: 'ThrottlingException' }, 'Informational'],
  ])('%s %o has its severity', (eventName, change, severity) => {
    expect(event({ ...record, eventName, ...change }).severity).toBe(severity)
  })
})

describe('actor', () => {
  const call = { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeVpcs' }

  it("is the role of an assumed role's session", () => {
    const { actor, unmapped } = event({
      ...call,
      userIdentity: {
        type: 'AssumedRole',
        principalId: 'AROAEXAMPLE:i-0123',
        arn: 'arn:aws:sts::111122223333:assumed-role/deploy/i-0123',
        accountId: '111122223333',
        sessionContext: {
          sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/deploy', userName: 'deploy' },
          webIdFederationData: { federatedProvider: 'accounts.google.com' },
          attributes: { creationDate: '2026-01-12T09:00:00Z', mfaAuthenticated: 'true' },
        },
      },
    })
    expect(actor).toEqual({
      user: {
        type: 'AssumedRole',
        type_id: 99,
        name: 'deploy',
        uid: 'arn:aws:sts::111122223333:assumed-role/deploy/i-0123',
        uid_alt: 'AROAEXAMPLE:i-0123',
        account,
      },
      session: {
        uid: 'i-0123',
        created_time: Date.UTC(2026, 0, 12, 9),
        created_time_dt: '2026-01-12T09:00:00Z',
        is_mfa: true,
        issuer: 'arn:aws:iam::111122223333:role/deploy',
      },
      idp: { name: 'accounts.google.com' },
    })
    expect(unmapped).toMatchObject({ userIdentity: { sessionContext: { sessionIssuer: { type: 'Role' } } } })
  })

  it('is the service that calls', () => {
    const host = 'autoscaling.amazonaws.com'
    const { actor, src_endpoint } = event({
      ...call,
      userIdentity: { type: 'AWSService', invokedBy: host },
      sourceIPAddress: host,
    })
    expect(actor).toEqual({ user: { type: 'AWSService', type_id: 4, name: host }, app_name: host })
    expect(src_endpoint).toEqual({ domain: host, svc_name: host })
  })

  it('is the service itself where the record names none', () => {
    const { actor, src_endpoint } = event({ ...call, userIdentity: undefined, sourceIPAddress: undefined })
    expect(actor).toEqual({ app_name: 'ec2.amazonaws.com' })
    expect(src_endpoint).toEqual({ svc_name: 'ec2.amazonaws.com' })
  })
})

describe('Authentication', () => {
  const login = {
    eventSource: 'signin.amazonaws.com',
    eventName: 'ConsoleLogin',
    eventType: 'AwsConsoleSignIn',
    requestID: undefined,
    additionalEventData: { LoginTo: 'https://console.aws.amazon.com/', MFAUsed: 'Yes' },
  }

  it('is a sign-in to the console', () => {
    const signedIn = event({ ...login, responseElements: { ConsoleLogin: 'Success' } })
    expect(signedIn).toMatchObject({
      class_uid: 3002,
      category_name: 'Identity & Access Management',
      type_uid: 300201,
      type_name: 'Authentication: Logon',
      status: 'Success',
      severity: 'Informational',
      user: { name: 'alice', uid: alice.arn },
      service: { name: 'signin.amazonaws.com' },
      dst_endpoint: { svc_name: 'signin.amazonaws.com' },
      is_mfa: true,
      is_remote: true,
      logon_type_id: 3,
      unmapped: { additionalEventData: login.additionalEventData },
    })
  })

  it('fails without an error code', () => {
    const failure = { ...login, responseElements: { ConsoleLogin: 'Failure' } }
    expect(event(failure)).toMatchObject({ status_id: 2, severity: 'Low' })
    expect(event({ ...failure, errorMessage: 'Failed authentication' })).toMatchObject({
      status_detail: 'Failed authentication',
    })
  })

  it('is a role assumed', () => {
    const assumed = event({
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      requestParameters: { roleArn: 'arn:aws:iam::444455556666:role/ops/audit', roleSessionName: 'monday' },
      responseElements: {
        credentials: { accessKeyId: 'ASIAEXAMPLE' },
        assumedRoleUser: {
          assumedRoleId: 'AROAEXAMPLE:monday',
          arn: 'arn:aws:sts::444455556666:assumed-role/audit/monday',
        },
      },
    })
    expect(assumed).toMatchObject({
      type_uid: 300201,
      actor: { user: { name: 'alice' } },
      user: {
        type: 'Role',
        name: 'audit',
        uid: 'arn:aws:iam::444455556666:role/ops/audit',
        uid_alt: 'AROAEXAMPLE:monday',
        account: { uid: '444455556666' },
      },
      session: {
        uid: 'monday',
        uid_alt: 'arn:aws:sts::444455556666:assumed-role/audit/monday',
        credential_uid: 'ASIAEXAMPLE',
        issuer: 'arn:aws:iam::444455556666:role/ops/audit',
      },
    })
  })

  it.each([
    ['sts', 'AssumeRoleWithSAML', 1, { auth_protocol_id: 5, auth_protocol: 'SAML' }],
    ['sts', 'AssumeRoleWithWebIdentity', 1, { auth_protocol_id: 4, auth_protocol: 'OpenID' }],
    ['sts', 'GetSessionToken', 1, { logon_type: 'Network' }],
    ['signin', 'Logout', 2, {}],
    ['signin', 'CheckMfa', 6, { auth_factors: [{ factor_type_id: 7, factor_type: 'OTP' }] }],
    ['signin', 'SwitchRole', 7, { account_switch_type_id: 2, account_switch_type: 'Impersonate' }],
    ['signin', 'ExitRole', 2, {}],
  ])('%s %s', (service, eventName, activityId, attributes) => {
    const mapped = event({
      eventSource: `${service}.amazonaws.com`,
      eventName,
      additionalEventData: eventName === 'CheckMfa' ? { MfaType: 'Virtual MFA' } : undefined,
    })
    expect(mapped).toMatchObject({ class_uid: 3002, activity_id: activityId, ...attributes })
  })
})

describe('Account Change', () => {
  it('is a user created', () => {
    const created = event({
      eventSource: 'iam.amazonaws.com',
      eventName: 'CreateUser',
      requestParameters: { userName: 'bob' },
      responseElements: { user: { userName: 'bob', userId: 'AIDABOB', arn: 'arn:aws:iam::111122223333:user/bob' } },
    })
    expect(created).toMatchObject({
      class_uid: 3001,
      type_uid: 300101,
      type_name: 'Account Change: Create',
      actor: { user: { name: 'alice' } },
      user: { type: 'IAMUser', name: 'bob', uid: 'arn:aws:iam::111122223333:user/bob', uid_alt: 'AIDABOB', account },
    })
    expect(created).not.toHaveProperty('dst_endpoint')
  })

  it('is a policy attached', () => {
    const policyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    const attached = event({
      eventSource: 'iam.amazonaws.com',
      eventName: 'AttachUserPolicy',
      requestParameters: { userName: 'bob', policyArn },
    })
    expect(attached).toMatchObject({
      type_name: 'Account Change: Attach Policy',
      severity: 'Medium',
      policies: [{ uid: policyArn, name: 'AdministratorAccess' }],
    })
  })

  it("is one's own account where no other is named", () => {
    const changed = event({ eventSource: 'iam.amazonaws.com', eventName: 'ChangePassword' })
    expect(changed).toMatchObject({ type_name: 'Account Change: Password Change', user: { name: 'alice' } })
  })

  it.each([
    ['CreateRole', 1, 'Create'],
    ['CreateLoginProfile', 2, 'Enable'],
    ['UpdateLoginProfile', 4, 'Password Reset'],
    ['DeleteLoginProfile', 5, 'Disable'],
    ['DeleteUser', 6, 'Delete'],
    ['PutRolePolicy', 7, 'Attach Policy'],
    ['DetachUserPolicy', 8, 'Detach Policy'],
    ['EnableMFADevice', 10, 'MFA Factor Enable'],
    ['DeactivateMFADevice', 11, 'MFA Factor Disable'],
    ['CreateAccessKey', 99, 'CreateAccessKey'],
  ])('%s', (eventName, id, name) => {
    const { class_uid, activity_id, activity_name } = event({ eventSource: 'iam.amazonaws.com', eventName })
    expect([class_uid, activity_id, activity_name]).toEqual([3001, id, name])
  })
})

describe('a record that is none', () => {
  it.each([
    [[], 'got an array'],
    ['text', 'got a string'],
    [{ ...base, eventSource: 's3.amazonaws.com' }, 'eventName is a string; got none'],
    [{ ...base, eventName: 'GetObject', eventSource: 7 }, 'eventSource is a string; got a number'],
    [{ ...base, eventName: '', eventSource: 's3.amazonaws.com' }, 'eventName is a string; got ""'],
    [
      { ...base, eventName: 'GetObject', eventSource: 's3.amazonaws.com', eventTime: 'Jan 12, 2026' },
      'eventTime is a time such as 2026-01-31T12:00:00Z; got "Jan 12, 2026"',
    ],
    [{ Records: [] }, 'eventName is a string; got none'],
  ])('%j is refused', (value, message) => {
    expect(() => cloudTrailRecord(value)).toThrow(message)
  })
})
