import { Members } from '#core/rbac/members.ts'
import type { MutableDomain } from '../change.ts'
import type { Domain } from '../model.ts'
import { SmallMap } from '../small-map.ts'

/** A copy of a new domain that shares no map with it, compact, with the time `at` on everything in it. */
export function ownDomain(domain: Domain, at: number): MutableDomain {
  const stamps = { modified: at, created: at }
  return {
    ...domain,
    ...stamps,
    roles: each(domain.roles, (role) => ({
      ...role,
      ...stamps,
      members: new Members(role.members),
      pending: new SmallMap(role.pending),
    })),
    groups: each(domain.groups, (group) => ({
      ...group,
      ...stamps,
      members: new Members(group.members),
      pending: new SmallMap(group.pending),
    })),
    policies: each(
      domain.policies,
      (versions) =>
        new SmallMap(
          [...versions].map(([version, policy]) => [
            version,
            { ...policy, ...stamps, assertions: new SmallMap(policy.assertions) },
          ]),
        ),
    ),
    services: each(domain.services, (service) => ({
      ...service,
      ...stamps,
      publicKeys: new SmallMap(service.publicKeys),
      hosts: new Set(service.hosts),
    })),
    entities: each(domain.entities, (entity) => ({ ...entity, ...stamps })),
    templates: new SmallMap(domain.templates),
    quota: domain.quota && { ...domain.quota, modified: at },
  }
}

const each = <T, R>(map: ReadonlyMap<string, T>, copy: (value: T) => R): SmallMap<string, R> =>
  new SmallMap([...map].map(([name, value]) => [name, copy(value)]))
