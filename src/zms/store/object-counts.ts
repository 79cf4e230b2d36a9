import type { Domain } from './model.ts'
import type { ObjectCounts } from './store.ts'

/** Numbers of objects in one domain; `subdomain` is left 0. Zeros for no domain. */
export function countsOf(domain: Domain | undefined): ObjectCounts {
  const counts: ObjectCounts = {
    subdomain: 0,
    role: domain?.roles.size ?? 0,
    roleMember: 0,
    policy: 0,
    assertion: 0,
    entity: domain?.entities.size ?? 0,
    service: domain?.services.size ?? 0,
    serviceHost: 0,
    publicKey: 0,
    group: domain?.groups.size ?? 0,
    groupMember: 0,
  }
  if (!domain) return counts
  for (const role of domain.roles.values()) counts.roleMember += role.members.size
  for (const group of domain.groups.values()) counts.groupMember += group.members.size
  for (const versions of domain.policies.values()) {
    counts.policy += versions.size
    for (const policy of versions.values()) counts.assertion += policy.assertions.size
  }
  for (const service of domain.services.values()) {
    counts.serviceHost += service.hosts.size
    counts.publicKey += service.publicKeys.size
  }
  return counts
}
