import type { Call } from './call.ts'
import { drawCaller, drawPerson, type Caller } from './caller.ts'
import { drawCall } from './draw-call.ts'
import { Random } from './random.ts'
import { makeWorld, type World } from './world.ts'

/** CloudTrail records that no account has written, in the shapes and sizes of those that accounts write. */
export interface RecordOptions {
  readonly records: number
  /** A whole number from 0, below 2 ** 32: the same seed gives the same records. */
  readonly seed: number
}

const start = Date.UTC(2026, 0, 12)
const secondsMs = 1_000

export function* cloudTrailRecords({ records, seed }: RecordOptions): Generator<object> {
  const random = new Random(seed)
  const world = makeWorld(random)
  let time = start
  for (let index = 0; index < records; index++) {
    if (random.chance(0.3)) time += secondsMs * (1 + random.below(3))
    yield random.chance(0.01) ? signIn(random, world, time) : apiCall(random, world, time)
  }
}

function apiCall(random: Random, world: World, time: number): object {
  const account = random.pick(world.accounts)
  const region = random.pick(world.regions)
  const call = drawCall(random)
  const caller = drawCaller(random, world, account, iso(time - secondsMs * random.below(3_600)))
  const error = random.chance(0.1) ? drawError(random, call, caller) : undefined
  const { request = null, response = null, resources } = call.details({ random, world, account, region })
  const service = call.source.split('.', 1)[0] ?? ''
  const refused = error !== undefined && /Denied|Unauthorized/.test(error.code)
  return {
    eventVersion: random.pick(['1.08', '1.09', '1.11']),
    userIdentity: caller.identity,
    eventTime: iso(time),
    eventSource: call.source,
    eventName: call.name,
    awsRegion: region,
    sourceIPAddress: caller.ip,
    userAgent: caller.userAgent,
    ...(error !== undefined && { errorCode: error.code, errorMessage: error.message }),
    requestParameters: refused && random.chance(0.5) ? null : request,
    responseElements: error === undefined ? response : null,
    ...(service === 's3' && { additionalEventData: transfer(random) }),
    requestID: random.uuid(),
    eventID: random.uuid(),
    readOnly: call.readOnly,
    ...(resources !== undefined && !refused && { resources }),
    eventType: 'AwsApiCall',
    managementEvent: !/Object$|Item$/.test(call.name),
    recipientAccountId: account,
    ...(random.chance(0.02) && { sharedEventID: random.uuid() }),
    ...(random.chance(0.06) && { vpcEndpointId: random.pick(world.vpcEndpoints) }),
    eventCategory: /Object$|Item$/.test(call.name) ? 'Data' : 'Management',
    ...(!caller.internal && { tlsDetails: tls(`${service}.${region}.amazonaws.com`) }),
    ...(random.chance(0.08) && !caller.internal && { sessionCredentialFromConsole: 'true' }),
  }
}

function drawError(random: Random, call: Call, caller: Caller): { code: string; message: string } {
  const share = random.next()
  const service = call.source.split('.', 1)[0] ?? ''
  if (share < 0.35) return { code: 'ThrottlingException', message: 'Rate exceeded' }
  const own = call.errors[random.below(call.errors.length)]
  if (share < 0.65 && own !== undefined) return { code: own[0], message: own[1] }
  if (service === 'ec2') {
    const detail = `User: ${caller.arn} is not authorized to perform: ec2:${call.name} because no identity-based policy allows it`
    return {
      code: 'Client.UnauthorizedOperation',
      message: `You are not authorized to perform this operation. ${detail}`,
    }
  }
  const message = `User: ${caller.arn} is not authorized to perform: ${service}:${call.name} because no identity-based policy allows the ${service}:${call.name} action`
  return { code: 'AccessDenied', message }
}

/** One of the events of signing in to the console, which are no API calls. */
function signIn(random: Random, world: World, time: number): object {
  const account = random.pick(world.accounts)
  const caller = drawPerson(random, world, account)
  const name = random.pick(['ConsoleLogin', 'ConsoleLogin', 'ConsoleLogin', 'CheckMfa', 'SwitchRole', 'Logout'])
  const failed = name === 'ConsoleLogin' && random.chance(0.2)
  const mfa = random.chance(0.6)
  return {
    eventVersion: '1.08',
    userIdentity: failed ? { ...caller.identity, arn: undefined, accessKeyId: '' } : caller.identity,
    eventTime: iso(time),
    eventSource: 'signin.amazonaws.com',
    eventName: name,
    awsRegion: 'us-east-1',
    sourceIPAddress: caller.ip,
    userAgent: caller.userAgent,
    ...(failed && { errorMessage: 'Failed authentication' }),
    requestParameters: null,
    responseElements: { [name]: failed ? 'Failure' : 'Success' },
    additionalEventData:
      name === 'CheckMfa'
        ? { MfaType: 'Virtual MFA' }
        : {
            LoginTo: 'https://console.aws.amazon.com/console/home?hashArgs=%23&isauthcode=true',
            MobileVersion: 'No',
            ...(mfa && { MFAIdentifier: `arn:aws:iam::${account}:mfa/${caller.name}` }),
            MFAUsed: mfa ? 'Yes' : 'No',
          },
    eventID: random.uuid(),
    readOnly: false,
    eventType: 'AwsConsoleSignIn',
    managementEvent: true,
    recipientAccountId: account,
    eventCategory: 'Management',
    tlsDetails: tls('signin.aws.amazon.com'),
  }
}

function transfer(random: Random): object {
  return {
    SignatureVersion: 'SigV4',
    CipherSuite: 'ECDHE-RSA-AES128-GCM-SHA256',
    bytesTransferredIn: 0,
    AuthenticationMethod: 'AuthHeader',
    'x-amz-id-2': random.base64(76),
    bytesTransferredOut: random.below(4_096),
  }
}

function tls(host: string): object {
  return { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader: host }
}

/** Without milliseconds, as CloudTrail writes it. */
function iso(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`
}
