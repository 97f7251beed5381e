import { type Random, some } from './random.ts'

export interface Person {
  readonly name: string
  readonly id: string
  readonly accessKey: string
  readonly ip: string
  readonly userAgent: string
}

export interface Role {
  readonly name: string
  readonly id: string
}

type List<T> = readonly [T, ...T[]]

/** One organisation: what its records are about. */
export interface World {
  readonly accounts: List<string>
  readonly regions: List<string>
  readonly people: List<Person>
  readonly roles: List<Role>
  readonly buckets: List<string>
  readonly keys: List<string>
  readonly instances: List<string>
  readonly vpcs: List<string>
  readonly secrets: List<string>
  readonly functions: List<string>
  readonly tables: List<string>
  readonly vpcEndpoints: List<string>
}

const names = [
  'alice',
  'bruno',
  'chen',
  'dana',
  'emeka',
  'farid',
  'grete',
  'hiro',
  'ines',
  'jonas',
  'kavya',
  'lucia',
] as const
const teams = ['billing', 'search', 'checkout', 'media', 'identity', 'reports', 'fraud', 'mobile'] as const
const stages = ['dev', 'staging', 'prod'] as const

const userAgents = [
  'Boto3/1.34.84 md/Botocore#1.34.84 ua/2.0 os/linux#6.1.79-99.167.amzn2023.x86_64 md/arch#x86_64 lang/python#3.11.6 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.84',
  'aws-cli/2.15.40 Python/3.11.8 Linux/6.5.0-28-generic exe/x86_64.ubuntu.22 prompt/off',
  'APN/1.0 HashiCorp/1.0 Terraform/1.8.1 (+https://www.terraform.io) terraform-provider-aws/5.46.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.26.1 os/linux lang/go#1.22.2 md/GOARCH#amd64 md/GOOS#linux api/ec2#1.156.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36',
  'aws-sdk-java/2.25.35 Linux/5.10.214-202.855.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.10+7-LTS Java/17.0.10 vendor/Amazon.com_Inc. io/sync http/Apache cfg/retry-mode/standard',
  'aws-sdk-go/1.51.24 (go1.21.9; linux; amd64) amazon-ssm-agent/',
  '[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.701 Linux/5.10.214-180.855.amzn2int.x86_64 OpenJDK_64-Bit_Server_VM/25.402-b08 java/1.8.0_402 vendor/Oracle_Corporation cfg/retry-mode/standard]',
] as const

export function makeWorld(random: Random): World {
  const name = (): string => `${random.pick(teams)}-${random.pick(stages)}`
  return {
    accounts: some(4, () => random.digits(12)),
    regions: ['us-east-1', 'us-east-1', 'us-east-1', 'eu-west-1', 'eu-central-1', 'us-west-2', 'ap-southeast-2'],
    people: some(40, (index) => ({
      name: `${names[index % names.length] ?? 'zoe'}.${random.text(5, 'abcdefghijklmnopqrstuvwxyz')}`,
      id: random.key('AIDA'),
      accessKey: random.key('AKIA'),
      ip: address(random),
      userAgent: random.pick(userAgents),
    })),
    roles: some(30, () => ({
      name: `${name()}-${random.pick(['task', 'deploy', 'ci', 'node'])}`,
      id: random.key('AROA'),
    })),
    buckets: some(25, () => `${name()}-${random.pick(['logs', 'assets', 'backup', 'data'])}-${random.hex(8)}`),
    keys: some(12, () => random.uuid()),
    instances: some(60, () => `i-0${random.hex(16)}`),
    vpcs: some(8, () => `vpc-0${random.hex(16)}`),
    secrets: some(20, () => `${name()}/${random.pick(['db', 'api', 'smtp'])}-${random.text(6, 'abcdefABCDEF123456')}`),
    functions: some(20, () => `${name()}-${random.pick(['ingest', 'resize', 'notify', 'sweep'])}`),
    tables: some(10, () => `${name()}-${random.pick(['orders', 'sessions', 'users'])}`),
    vpcEndpoints: some(5, () => `vpce-0${random.hex(16)}`),
  }
}

/** From the blocks that are reserved for documentation, and one in five of IPv6. */
function address(random: Random): string {
  if (random.chance(0.2)) return `2001:db8:${random.hex(4)}:${random.hex(4)}::${1 + random.below(254)}`
  return `${random.pick(['192.0.2', '198.51.100', '203.0.113'])}.${1 + random.below(254)}`
}
