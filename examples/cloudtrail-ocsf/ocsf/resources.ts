import { fields, text } from './cloudtrail-record.ts'
import { awsAccount, type ResourceDetails } from './ocsf-event.ts'

interface Resource {
  readonly ARN?: unknown
  readonly accountId?: unknown
  readonly type?: unknown
}

/** The resources that have an ARN. */
export function mapResources(value: unknown): readonly ResourceDetails[] | undefined {
  if (!Array.isArray(value)) return undefined
  const resources: ResourceDetails[] = []
  for (const element of value) {
    const resource = fields<Resource>(element)
    const uid = text(resource.ARN)
    if (uid === undefined) continue
    const account = awsAccount(text(resource.accountId))
    resources.push({ uid, type: text(resource.type), owner: account === undefined ? undefined : { account } })
  }
  return resources.length === 0 ? undefined : resources
}

/** Whether {@link mapResources} takes all that the resources say. */
export function areMapped(value: unknown): boolean {
  return Array.isArray(value) && value.every(isMapped)
}

function isMapped(element: unknown): boolean {
  if (text(fields<Resource>(element).ARN) === undefined) return false
  return Object.entries(fields<Record<string, unknown>>(element)).every(
    ([key, field]) => field === null || ((key === 'ARN' || key === 'accountId' || key === 'type') && text(field)),
  )
}
