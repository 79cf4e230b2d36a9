import type { Domain, DomainBase } from '../store/model.ts'

/** A domain without what it holds. */
export function domainBaseOf(domain: Domain): DomainBase {
  const {
    roles: _roles,
    groups: _groups,
    policies: _policies,
    services: _services,
    entities: _entities,
    templates: _templates,
    quota: _quota,
    policiesRevision: _revision,
    ...base
  } = domain
  return base
}
