import type { Random } from './random.ts'
import type { World } from './world.ts'

/** Who makes a call, from where, and with what. */
export interface Caller {
  readonly identity: Readonly<Record<string, unknown>>
  readonly name: string
  readonly arn: string
  readonly ip: string
  readonly userAgent: string
  /** Whether an AWS service calls, which uses no connection of its own. */
  readonly internal: boolean
}

const services = [
  'autoscaling',
  'cloudformation',
  'rds',
  'lambda',
  'inspector2',
  'secretsmanager',
  'config',
  'backup',
] as const

/** Draws one of the kinds of caller, in about the shares that a busy account has. */
export function drawCaller(random: Random, world: World, account: string, time: string): Caller {
  const share = random.next()
  if (share < 0.4) return user(random, world, account, time)
  if (share < 0.84) return role(random, world, account, time)
  if (share < 0.95) return service(random, account)
  if (share < 0.97) return otherAccount(random, world)
  if (share < 0.985) return federated(random, world, account, time)
  return root(random, world, account, time)
}

/** Somebody who signs in at the console. */
export function drawPerson(random: Random, world: World, account: string): Caller {
  const person = random.pick(world.people)
  const arn = `arn:aws:iam::${account}:user/${person.name}`
  const identity = { type: 'IAMUser', principalId: person.id, arn, accountId: account, userName: person.name }
  return { identity, name: person.name, arn, ip: person.ip, userAgent: person.userAgent, internal: false }
}

function user(random: Random, world: World, account: string, time: string): Caller {
  const person = random.pick(world.people)
  const arn = `arn:aws:iam::${account}:user/${person.name}`
  const console = person.userAgent.startsWith('Mozilla')
  return {
    identity: {
      type: 'IAMUser',
      principalId: person.id,
      arn,
      accountId: account,
      accessKeyId: console ? random.key('ASIA') : person.accessKey,
      userName: person.name,
      ...(console && { sessionContext: session(random, time, {}) }),
    },
    name: person.name,
    arn,
    ip: person.ip,
    userAgent: person.userAgent,
    internal: false,
  }
}

function role(random: Random, world: World, account: string, time: string): Caller {
  const assumed = random.pick(world.roles)
  const person = random.pick(world.people)
  const name = random.chance(0.5) ? random.pick(world.instances) : `${person.name}@example.com`
  const arn = `arn:aws:sts::${account}:assumed-role/${assumed.name}/${name}`
  return {
    identity: {
      type: 'AssumedRole',
      principalId: `${assumed.id}:${name}`,
      arn,
      accountId: account,
      accessKeyId: random.key('ASIA'),
      sessionContext: session(random, time, {
        type: 'Role',
        principalId: assumed.id,
        arn: `arn:aws:iam::${account}:role/${assumed.name}`,
        accountId: account,
        userName: assumed.name,
      }),
    },
    name: assumed.name,
    arn,
    ip: person.ip,
    userAgent: person.userAgent,
    internal: false,
  }
}

function service(random: Random, account: string): Caller {
  const host = `${random.pick(services)}.amazonaws.com`
  return {
    identity: random.chance(0.8) ? { type: 'AWSService', invokedBy: host } : { accountId: account, invokedBy: host },
    name: host,
    arn: host,
    ip: host,
    userAgent: host,
    internal: true,
  }
}

function otherAccount(random: Random, world: World): Caller {
  const person = random.pick(world.people)
  const accountId = random.digits(12)
  const principalId = `${random.key('AROA')}:external-audit`
  const identity = { type: 'AWSAccount', principalId, accountId }
  return { identity, name: principalId, arn: principalId, ip: person.ip, userAgent: person.userAgent, internal: false }
}

function federated(random: Random, world: World, account: string, time: string): Caller {
  const person = random.pick(world.people)
  const arn = `arn:aws:sts::${account}:federated-user/${person.name}`
  return {
    identity: {
      type: 'FederatedUser',
      principalId: `${account}:${person.name}`,
      arn,
      accountId: account,
      accessKeyId: random.key('ASIA'),
      sessionContext: session(random, time, {
        type: 'IAMUser',
        principalId: person.id,
        arn: `arn:aws:iam::${account}:user/${person.name}`,
        accountId: account,
        userName: person.name,
      }),
    },
    name: person.name,
    arn,
    ip: person.ip,
    userAgent: person.userAgent,
    internal: false,
  }
}

function root(random: Random, world: World, account: string, time: string): Caller {
  const person = random.pick(world.people)
  const arn = `arn:aws:iam::${account}:root`
  return {
    identity: {
      type: 'Root',
      principalId: account,
      arn,
      accountId: account,
      accessKeyId: random.key('ASIA'),
      sessionContext: session(random, time, {}),
    },
    name: 'root',
    arn,
    ip: person.ip,
    userAgent: person.userAgent,
    internal: false,
  }
}

function session(random: Random, time: string, issuer: object): object {
  return {
    sessionIssuer: issuer,
    webIdFederationData: {},
    attributes: { creationDate: time, mfaAuthenticated: random.chance(0.4) ? 'true' : 'false' },
  }
}
