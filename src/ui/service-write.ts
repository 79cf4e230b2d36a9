import { serviceFullName } from '#core/names/resource-name.ts'
import type { ServiceIdentity } from '#zms/api/service-identity.ts'
import { writeAgain } from './write-again.ts'
import type { Zms } from './zms-calls.ts'

/** Where a service is; its local name. */
export interface ServicePlace {
  readonly domain: string
  readonly service: string
}

/**
 * Changes some members of a service. ZMS replaces services as a whole: what others change meanwhile, such as its keys,
 * stays as they left it. `change` is asked again for a service that is another one by the time it is written.
 */
export async function changeService(
  zms: Zms,
  place: ServicePlace,
  auditRef: string | undefined,
  change: (service: ServiceIdentity) => Partial<ServiceIdentity>,
): Promise<void> {
  await writeAgain(async () => {
    const service = await zms.call('getServiceIdentity', place)
    const { description, executable, user, group, publicKeys, hosts, tags, modified: unchangedSince } = service
    const name = serviceFullName(place.domain, place.service)
    const body = { description, executable, user, group, publicKeys, hosts, tags, ...change(service), name }
    await zms.call('putServiceIdentity', { ...place, unchangedSince, body, auditRef })
  })
}
