import type { ConfigOf } from '#core/config/server-tables.ts'
import { type PrincipalDomains, resolveUserAlias } from '#core/names/principal-name.ts'

/** The domains that decide what kind of principal a name means, as configured. */
export function principalDomainsOf(config: ConfigOf['zms']): PrincipalDomains {
  return {
    userDomain: config.userDomain,
    ...(config.userDomainAlias !== undefined && { userDomainAlias: config.userDomainAlias }),
    headlessUserDomain: config.headlessUserDomain,
    homeDomain: config.homeDomain,
    additionalUserDomains: [...config.zms.addlUserCheckDomains],
  }
}

/** The name under which a member is stored, where the alias of the user domain may stand for it. */
export const storedMemberName = (config: ConfigOf['zms'], name: string): string =>
  resolveUserAlias(name, principalDomainsOf(config))
