import type { Random } from './random.ts'
import type { World } from './world.ts'

/** What a call says of itself, given who works where. */
export interface CallContext {
  readonly random: Random
  readonly world: World
  readonly account: string
  readonly region: string
}

interface CallDetails {
  readonly request?: object | null
  readonly response?: object | null
  readonly resources?: readonly object[]
}

/** A kind of API call: how often it comes, relative to the others, and what it carries. */
export interface Call {
  readonly source: string
  readonly name: string
  readonly weight: number
  readonly readOnly: boolean
  /** What fails a call of this kind beside the refusals and the throttling that any call can meet. */
  readonly errors: readonly (readonly [code: string, message: string])[]
  readonly details: (context: CallContext) => CallDetails
}

/** The calls of these names, which all carry the same. */
export function callsOf(
  service: string,
  names: string,
  weight: number,
  details: Call['details'],
  errors: Call['errors'] = [],
): readonly Call[] {
  return names.split(' ').map((name) => ({
    source: `${service}.amazonaws.com`,
    name,
    weight,
    readOnly: readOnlyName.test(name),
    errors,
    details,
  }))
}

const readOnlyName = /^(?:Get|List|Describe|Decrypt|Encrypt|Lookup|AssumeRole|BatchGet|GenerateDataKey)/
