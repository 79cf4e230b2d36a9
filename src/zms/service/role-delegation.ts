import { roleResourceName } from '#core/names/resource-name.ts'
import { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { Domain, Role } from '../store/model.ts'
import { activePolicies } from './domain-views.ts'

/** The roles of the trusted domain whose members may assume a role that is delegated to it. */
export function assumedRoles(trusted: Domain, domainName: string, roleName: string): Role[] {
  const policies = new CompiledPolicies(trusted.name, activePolicies(trusted), { roleNames: 'local' })
  const found = new Set<Role>()
  for (const delegation of policies.delegations(roleResourceName(domainName, roleName))) {
    for (const role of trusted.roles.values()) if (delegation.selectsRole(role.name)) found.add(role)
  }
  return [...found]
}
