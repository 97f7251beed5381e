import { callsOf, type Call } from './call.ts'

/** Calls that are about what an account holds. */
export const resourceCalls: Call[] = []

const add = (...call: Parameters<typeof callsOf>): number => resourceCalls.push(...callsOf(...call))

add('kms', 'Decrypt Encrypt GenerateDataKey', 8, ({ random, world, account, region }) => {
  const arn = `arn:aws:kms:${region}:${account}:key/${random.pick(world.keys)}`
  return {
    request: {
      encryptionContext: {
        SecretARN: `arn:aws:secretsmanager:${region}:${account}:secret:${random.pick(world.secrets)}`,
      },
      keyId: arn,
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    },
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }],
  }
})

add(
  'ec2',
  'DescribeInstances DescribeVolumes DescribeInstanceStatus DescribeTags GetPasswordData',
  6,
  ({ random, world }) => ({
    request: { instancesSet: { items: [{ instanceId: random.pick(world.instances) }] }, filterSet: {}, maxResults: 50 },
  }),
  [['Client.InvalidInstanceID.NotFound', 'The instance ID does not exist']],
)
add(
  'ec2',
  'DescribeVpcs DescribeSubnets DescribeRouteTables DescribeSecurityGroups DescribeNetworkInterfaces',
  7,
  ({ random, world }) => ({
    request: {
      filterSet: { items: [{ name: 'vpc-id', valueSet: { items: [{ value: random.pick(world.vpcs) }] } }] },
      maxResults: 1000,
    },
  }),
)
add(
  'ec2',
  'RunInstances',
  2,
  ({ random, world }) => {
    const instanceId = random.pick(world.instances)
    return {
      request: {
        instancesSet: { items: [{ imageId: `ami-0${random.hex(16)}`, minCount: 1, maxCount: 1 }] },
        instanceType: 't3.medium',
        monitoring: { enabled: false },
        clientToken: random.uuid(),
      },
      response: {
        reservationId: `r-0${random.hex(16)}`,
        instancesSet: {
          items: [
            {
              instanceId,
              instanceState: { code: 0, name: 'pending' },
              privateIpAddress: '10.0.3.17',
              vpcId: random.pick(world.vpcs),
            },
          ],
        },
      },
    }
  },
  [['Client.VcpuLimitExceeded', 'You have requested more vCPU capacity than your current vCPU limit allows']],
)
add('ec2', 'TerminateInstances StopInstances StartInstances', 1, ({ random, world }) => {
  const instanceId = random.pick(world.instances)
  return {
    request: { instancesSet: { items: [{ instanceId }] } },
    response: {
      requestId: random.uuid(),
      instancesSet: { items: [{ instanceId, currentState: { code: 32, name: 'shutting-down' } }] },
    },
  }
})
add('ec2', 'AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress', 1, ({ random }) => ({
  request: {
    groupId: `sg-0${random.hex(16)}`,
    ipPermissions: {
      items: [{ ipProtocol: 'tcp', fromPort: 22, toPort: 22, ipRanges: { items: [{ cidrIp: '198.51.100.0/24' }] } }],
    },
  },
  response: { requestId: random.uuid(), _return: true },
}))
add('ec2', 'DescribeFlowLogs DescribeNatGateways DescribeAvailabilityZones', 3, ({ random }) => ({
  request: { filterSet: {}, nextToken: random.base64(24) },
}))
add('ec2', 'DeleteFlowLogs', 0.3, ({ random }) => ({
  request: { DeleteFlowLogsRequest: { FlowLogId: { tag: 1, content: `fl-0${random.hex(16)}` } } },
}))

for (const [names, weight] of [
  ['GetBucketAcl GetBucketPolicy GetBucketLogging GetBucketEncryption GetBucketVersioning ListObjects', 5],
  ['PutBucketPolicy PutBucketTagging CreateBucket DeleteBucket DeleteBucketPolicy', 0.8],
] as const) {
  add(
    's3',
    names,
    weight,
    ({ random, world, account, region }) => {
      const bucketName = random.pick(world.buckets)
      return {
        request: { bucketName, Host: `${bucketName}.s3.${region}.amazonaws.com` },
        resources: [{ accountId: account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucketName}` }],
      }
    },
    [['NoSuchBucketPolicy', 'The bucket policy does not exist']],
  )
}
add('s3', 'GetObject PutObject DeleteObject', 6, ({ random, world, account, region }) => {
  const bucketName = random.pick(world.buckets)
  const key = `2026/01/${random.digits(2)}/${random.uuid()}.json.gz`
  return {
    request: { bucketName, Host: `${bucketName}.s3.${region}.amazonaws.com`, key },
    resources: [
      { type: 'AWS::S3::Object', ARN: `arn:aws:s3:::${bucketName}/${key}` },
      { accountId: account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${bucketName}` },
    ],
  }
})

add(
  'secretsmanager',
  'GetSecretValue DescribeSecret GetResourcePolicy PutSecretValue',
  4,
  ({ random, world, account, region }) => {
    const arn = `arn:aws:secretsmanager:${region}:${account}:secret:${random.pick(world.secrets)}`
    return { request: { secretId: arn, versionStage: 'AWSCURRENT' }, resources: [{ accountId: account, ARN: arn }] }
  },
)
add(
  'ssm',
  'GetParameter GetParameters PutParameter DescribeParameters UpdateInstanceInformation',
  5,
  ({ random, world }) => ({
    request: { name: `/${random.pick(world.secrets)}`, withDecryption: true, instanceId: random.pick(world.instances) },
  }),
  [['ParameterNotFound', 'The parameter does not exist']],
)
add(
  'lambda',
  'GetFunction20150331v2 ListVersionsByFunction20150331 UpdateFunctionCode20150331v2',
  3,
  ({ random, world, account, region }) => {
    const functionName = random.pick(world.functions)
    return {
      request: { functionName: `arn:aws:lambda:${region}:${account}:function:${functionName}` },
      response: { functionName, runtime: 'nodejs22.x', memorySize: 512, timeout: 30, codeSha256: random.base64(44) },
    }
  },
)
add('dynamodb', 'DescribeTable UpdateTable BatchGetItem', 3, ({ random, world, account, region }) => {
  const tableName = random.pick(world.tables)
  const ARN = `arn:aws:dynamodb:${region}:${account}:table/${tableName}`
  return { request: { tableName }, resources: [{ accountId: account, type: 'AWS::DynamoDB::Table', ARN }] }
})
add('rds', 'DescribeDBInstances DescribeDBSnapshots CreateDBSnapshot ModifyDBInstance', 3, ({ random }) => ({
  request: { dBInstanceIdentifier: `db-${random.hex(8)}`, maxRecords: 100, filters: [] },
}))
add('logs', 'DescribeLogGroups CreateLogStream PutRetentionPolicy', 3, ({ random, world }) => ({
  request: {
    logGroupName: `/aws/lambda/${random.pick(world.functions)}`,
    logStreamName: `2026/01/12/[$LATEST]${random.hex(32)}`,
  },
}))
add('ecr', 'GetAuthorizationToken BatchGetImage', 3, ({ random, world, account }) => ({
  request: {
    registryId: account,
    repositoryName: random.pick(world.functions),
    imageIds: [{ imageDigest: `sha256:${random.hex(64)}` }],
  },
}))
add('monitoring', 'DescribeAlarms GetMetricData PutMetricAlarm', 2, ({ random }) => ({
  request: { alarmNamePrefix: `p99-${random.hex(6)}`, maxRecords: 100 },
}))
add('cloudtrail', 'DescribeTrails GetTrailStatus LookupEvents', 2, () => ({
  request: { trailNameList: [], includeShadowTrails: true },
}))
add('cloudtrail', 'StopLogging StartLogging UpdateTrail', 0.2, ({ account, region }) => ({
  request: { name: `arn:aws:cloudtrail:${region}:${account}:trail/organisation` },
}))
add('guardduty', 'ListDetectors GetFindings', 1.5, ({ random }) => ({
  request: { detectorId: random.hex(32), maxResults: 50 },
}))
add('eks', 'DescribeCluster ListNodegroups', 2, ({ random, world }) => ({
  request: { name: random.pick(world.functions) },
}))
add('sqs', 'CreateQueue SetQueueAttributes DeleteQueue', 0.8, ({ random, world, account, region }) => ({
  request: {
    queueUrl: `https://sqs.${region}.amazonaws.com/${account}/${random.pick(world.functions)}`,
    attributes: { VisibilityTimeout: '60' },
  },
}))
add('organizations', 'DescribeOrganization ListAccounts', 0.5, () => ({}))
