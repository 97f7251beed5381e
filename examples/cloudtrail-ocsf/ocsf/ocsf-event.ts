/**
 * The parts of OCSF 1.6.0 that a CloudTrail record fills, with the profiles `cloud` (`api`, `actor` and `cloud` in every
 * class) and `datetime` (`*_dt` beside each time). Attributes that are undefined are not in the JSON. Attributes that 1.6.0
 * deprecates are not used: `actor.app_name` stands for `invoked_by`, `programmatic_credentials` for `credential_uid`,
 * `policies` for `policy`.
 */
export const ocsfVersion = '1.6.0'

export interface OcsfEvent {
  readonly class_uid: 6003 | 3002 | 3001
  readonly class_name: string
  readonly category_uid: 6 | 3
  readonly category_name: string
  readonly activity_id: number
  readonly activity_name: string
  readonly type_uid: number
  readonly type_name: string
  readonly severity_id: number
  readonly severity: string
  readonly status_id: number
  readonly status: string
  readonly status_code: string | undefined
  readonly status_detail: string | undefined
  readonly time: number
  readonly time_dt: string
  readonly metadata: Metadata
  readonly cloud: Cloud
  readonly actor: Actor
  readonly api: Api
  readonly src_endpoint: NetworkEndpoint
  readonly http_request: { readonly user_agent: string } | undefined
  /** Not in Account Change. */
  readonly dst_endpoint: NetworkEndpoint | undefined
  /** Only in API Activity. */
  readonly resources: readonly ResourceDetails[] | undefined
  /** In Authentication who is authenticated, in Account Change whose account is changed. */
  readonly user: User | undefined
  /** Only in Account Change: the user's new values, and the policies attached or detached. */
  readonly user_result: User | undefined
  readonly policies: readonly Policy[] | undefined
  /** The rest is only in Authentication. */
  readonly service: { readonly name: string } | undefined
  readonly session: Session | undefined
  readonly is_mfa: boolean | undefined
  readonly is_remote: boolean | undefined
  readonly logon_type_id: number | undefined
  readonly logon_type: string | undefined
  readonly auth_protocol_id: number | undefined
  readonly auth_protocol: string | undefined
  readonly auth_factors: readonly AuthFactor[] | undefined
  readonly account_switch_type_id: number | undefined
  readonly account_switch_type: string | undefined
  readonly observables: readonly Observable[] | undefined
  readonly unmapped: object | undefined
}

export interface Metadata {
  readonly version: typeof ocsfVersion
  readonly profiles: readonly string[]
  readonly product: {
    readonly name: 'CloudTrail'
    readonly vendor_name: 'AWS'
    readonly feature: { readonly name: string } | undefined
  }
  readonly uid: string | undefined
  readonly event_code: string | undefined
  readonly correlation_uid: string | undefined
  readonly log_provider: 'CloudTrail'
  readonly log_version: string | undefined
}

export interface Account {
  readonly uid: string
  readonly type: 'AWS Account'
  readonly type_id: 10
}

export interface Cloud {
  readonly provider: 'AWS'
  readonly region: string | undefined
  readonly account: Account | undefined
}

export interface Actor {
  readonly user: User | undefined
  readonly session: Session | undefined
  readonly app_name: string | undefined
  readonly idp: { readonly name: string } | undefined
}

export interface User {
  readonly type?: string | undefined
  readonly type_id?: number | undefined
  readonly name: string | undefined
  readonly uid?: string | undefined
  readonly uid_alt?: string | undefined
  readonly account?: Account | undefined
  readonly programmatic_credentials?: readonly { readonly uid: string; readonly type: string }[] | undefined
}

export interface Session {
  readonly uid: string | undefined
  readonly uid_alt?: string | undefined
  readonly created_time?: number | undefined
  readonly created_time_dt?: string | undefined
  readonly credential_uid?: string | undefined
  readonly is_mfa?: boolean | undefined
  readonly issuer: string | undefined
}

export interface Api {
  readonly operation: string
  readonly service: { readonly name: string }
  readonly version: string | undefined
  readonly request: { readonly uid: string | undefined; readonly data: unknown } | undefined
  readonly response:
    | { readonly error: string | undefined; readonly error_message: string | undefined; readonly data: unknown }
    | undefined
}

export interface NetworkEndpoint {
  readonly uid?: string | undefined
  readonly ip?: string | undefined
  readonly domain?: string | undefined
  readonly hostname?: string | undefined
  readonly svc_name?: string | undefined
}

export interface ResourceDetails {
  readonly uid: string
  readonly type: string | undefined
  readonly owner: { readonly account: Account } | undefined
}

export interface Policy {
  readonly uid: string | undefined
  readonly name: string | undefined
}

export interface AuthFactor {
  readonly factor_type_id: number
  readonly factor_type: string
}

export interface Observable {
  readonly name: string
  readonly type_id: number
  readonly type: string
  readonly value: string
}

/** The account with this number. */
export function awsAccount(uid: string | undefined): Account | undefined {
  return uid === undefined ? undefined : { uid, type: 'AWS Account', type_id: 10 }
}
