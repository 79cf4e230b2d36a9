import { ServiceError } from '#core/error/service-error.ts'
import type { Handlers } from '#core/http/endpoint.ts'
import { zmsEndpoints } from './api/index.ts'
import { accessService } from './service/access.ts'
import { assertionService } from './service/assertion.ts'
import type { ZmsDependencies } from './service/dependencies.ts'
import { dependencyService } from './service/dependency.ts'
import { domainService } from './service/domain.ts'
import { domainCheckService } from './service/domain-check.ts'
import { domainMetaService } from './service/domain-meta.ts'
import { entityService } from './service/entity.ts'
import { groupService } from './service/group.ts'
import { groupMembershipService } from './service/group-membership.ts'
import { groupMetaService } from './service/group-meta.ts'
import { policyService } from './service/policy.ts'
import { principalMembershipService } from './service/principal-memberships.ts'
import { quotaService } from './service/quota.ts'
import { reviewService } from './service/review.ts'
import { roleService } from './service/role.ts'
import { roleMembershipService } from './service/role-membership.ts'
import { roleMetaService } from './service/role-meta.ts'
import { serviceIdentityService } from './service/service-identity.ts'
import { signedDomainsService } from './service/signed-domains.ts'
import { type SystemParts, systemService } from './service/system.ts'
import { tenancyService } from './service/tenancy.ts'
import { templateService } from './service/template.ts'
import { tokenService } from './service/token.ts'

/** The code behind every operation of ZMS. */
export function zmsHandlers(deps: ZmsDependencies, parts: SystemParts): Handlers<typeof zmsEndpoints> {
  const notThere = Object.fromEntries(
    Object.keys(zmsEndpoints).map((operation) => [
      operation,
      () => {
        throw new ServiceError('not-implemented', `${operation} is not available`)
      },
    ]),
  )
  return {
    ...notThere,
    ...accessService(deps),
    ...assertionService(deps),
    ...domainService(deps),
    ...domainCheckService(deps),
    ...domainMetaService(deps),
    ...dependencyService(deps),
    ...entityService(deps),
    ...groupService(deps),
    ...groupMetaService(deps),
    ...groupMembershipService(deps),
    ...policyService(deps),
    ...principalMembershipService(deps),
    ...quotaService(deps),
    ...reviewService(deps),
    ...roleService(deps),
    ...roleMetaService(deps),
    ...roleMembershipService(deps),
    ...serviceIdentityService(deps),
    ...signedDomainsService(deps),
    ...systemService(deps, parts),
    ...templateService(deps),
    ...tenancyService(deps),
    ...tokenService(deps),
  } as unknown as Handlers<typeof zmsEndpoints>
}
