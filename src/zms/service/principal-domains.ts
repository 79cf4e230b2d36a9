import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrincipalDomains } from '#core/names/principal-name.ts'

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
