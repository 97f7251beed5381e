import type { Actor, NetworkEndpoint, Observable, ResourceDetails, User } from './ocsf-event.ts'

/** The values that an analyst searches across classes: addresses, host names, user names and resources. */
export function observablesOf(
  source: NetworkEndpoint,
  actor: Actor,
  user: User | undefined,
  resources: readonly ResourceDetails[] | undefined,
): readonly Observable[] | undefined {
  const found: Observable[] = []
  if (source.ip !== undefined) add(found, 'src_endpoint.ip', 2, 'IP Address', source.ip)
  if (source.domain !== undefined) add(found, 'src_endpoint.domain', 1, 'Hostname', source.domain)
  if (actor.user?.name !== undefined) add(found, 'actor.user.name', 4, 'User Name', actor.user.name)
  if (user?.name !== undefined) add(found, 'user.name', 4, 'User Name', user.name)
  for (let index = 0; index < (resources?.length ?? 0); index++) {
    const uid = resources?.[index]?.uid
    if (uid !== undefined) add(found, `resources[${index}].uid`, 10, 'Resource UID', uid)
  }
  return found.length === 0 ? undefined : found
}

function add(found: Observable[], name: string, typeId: number, type: string, value: string): void {
  found.push({ name, type_id: typeId, type, value })
}
