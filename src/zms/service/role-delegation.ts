import { roleResourceName } from '#core/names/resource-name.ts'
import { ASSUME_ROLE } from '#core/rbac/compiled-policies.ts'
import { Glob } from '#core/rbac/glob.ts'
import type { Domain, Role } from '../store/model.ts'
import { activePolicies } from './domain-views.ts'

/** The roles of the trusted domain whose members may assume a role that is delegated to it. */
export function assumedRoles(trusted: Domain, domainName: string, roleName: string): Role[] {
  const resource = roleResourceName(domainName, roleName)
  const found = new Set<Role>()
  for (const policy of activePolicies(trusted)) {
    for (const assertion of policy.assertions.values()) {
      if (assertion.action.toLowerCase() !== ASSUME_ROLE || !new Glob(assertion.resource).matches(resource)) continue
      const roles = new Glob(assertion.role)
      for (const role of trusted.roles.values()) if (roles.matches(role.name)) found.add(role)
    }
  }
  return [...found]
}
