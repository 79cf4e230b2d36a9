import { roleResourceName } from '#core/names/resource-name.ts'
import { ASSUME_ROLE } from '#core/rbac/compiled-policies.ts'
import type { Transaction } from '../store/store.ts'
import type { ZmsDependencies } from './dependencies.ts'

/**
 * Removes from the trusted domain, which the transaction holds, the assertions that give its members exactly the role
 * that is gone; only where server and trusted domain have that switched on.
 */
export async function deleteTenantAssertions(
  { config }: Pick<ZmsDependencies, 'config'>,
  transaction: Transaction,
  domainName: string,
  roleName: string,
  trustDomain: string,
): Promise<void> {
  if (!config.zms.autoDeleteTenantAssumeRoleAssertions) return
  const trusted = await transaction.domain(trustDomain)
  if (!trusted?.autoDeleteTenantAssumeRoleAssertions) return
  const resource = roleResourceName(domainName, roleName)
  for (const [policy, versions] of trusted.policies) {
    for (const [version, { assertions }] of versions) {
      for (const [id, assertion] of assertions) {
        if (assertion.action.toLowerCase() !== ASSUME_ROLE || assertion.resource.toLowerCase() !== resource) continue
        transaction.apply({ kind: 'deleteAssertion', domain: trustDomain, policy, version, id })
      }
    }
  }
}
