import type { Store } from '#zms/store/store.ts'
import { plain } from '../../../support/plain.ts'

/** Everything that can be asked about the domains with the prefix. */
export async function everything(store: Store, prefix = ''): Promise<unknown> {
  const names = await store.domainNames({ prefix })
  const found = await store.domains(names)
  return plain({
    names,
    domains: found,
    order: [...found.values()].map(({ policies }) =>
      [...policies.values()].map((versions) =>
        [...versions.values()].map(({ version, assertions }) => `${version}: ${[...assertions.keys()].join(' ')}`),
      ),
    ),
    modified: (await store.modifiedDomains(0)).filter(({ name }) => name.startsWith(prefix)),
    counts: await store.totalCounts(),
    roles: await store.rolesOfMember('user.joe'),
    groups: await store.groupsOfMember('user.jane'),
    trusting: await store.rolesTrusting('trusted.domain'),
    wildcards: await store.wildcardMemberships(),
    pending: await store.domainsWithPendingRoleMembers(),
    principals: await store.principalNames(''),
    suspended: await store.suspendedPrincipals(7),
    dependencies: [await store.dependentDomains('provider.api'), await store.dependentServices(`${prefix}.a`)],
    hosts: await store.servicesOnHost('host1.example.com'),
    history: await Promise.all(
      names.flatMap((name) => [
        store.roleAudit(name, 'readers'),
        store.roleAudit(name, 'admin'),
        store.groupAudit(name, 'team'),
      ]),
    ),
  })
}
