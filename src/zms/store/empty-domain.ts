import type { MutableDomain } from './change.ts'
import type { DomainBase } from './model.ts'

/**
 * A domain with these settings that holds nothing yet.
 * @param base its settings; taken over as they are, not copied deeply
 */
export const emptyDomain = (base: DomainBase): MutableDomain => ({
  ...base,
  roles: new Map(),
  groups: new Map(),
  policies: new Map(),
  services: new Map(),
  entities: new Map(),
  templates: new Map(),
  policiesRevision: 0,
})
