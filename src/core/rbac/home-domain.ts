import { roleResourceName } from '../names/resource-name.ts'
import { CompiledPolicies, type PolicyView } from './compiled-policies.ts'
import type { DomainView } from './domain-view.ts'
import { Members } from './members.ts'

/** The policy of a synthesized home domain. */
export interface HomePolicy extends PolicyView {
  readonly name: 'admin'
  readonly assertions: readonly { role: string; resource: string; action: string; effect: 'ALLOW' }[]
}

/**
 * The personal domain of a user as access checks see it before anybody has created it: enabled, with the user (full
 * name) as the only member of the role `admin`, which may do everything in it. Whether it applies is the caller's rule.
 */
export function homeDomain(domainName: string, user: string): DomainView<HomePolicy> {
  const assertion = {
    role: roleResourceName(domainName, 'admin'),
    resource: `${domainName}:*`,
    action: '*',
    effect: 'ALLOW',
  } as const
  return {
    name: domainName,
    enabled: true,
    roles: new Map([['admin', { members: new Members([{ memberName: user }]) }]]),
    groups: new Map(),
    policies: new CompiledPolicies<HomePolicy>(domainName, [{ name: 'admin', assertions: [assertion] }]),
  }
}
