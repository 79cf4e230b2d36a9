import type { Handlers } from '#core/http/endpoint.ts'
import type { zmsEndpoints } from './api/index.ts'
import { accessService } from './service/access.ts'
import { accessSearchService } from './service/access-search.ts'
import { assertionService } from './service/assertion.ts'
import { collectionSearchService } from './service/collection-search.ts'
import type { ZmsDependencies } from './service/dependencies.ts'
import { dependencyService } from './service/dependency.ts'
import { domainService } from './service/domain.ts'
import { domainCheckService } from './service/domain-check.ts'
import { domainHistoryService } from './service/domain-history.ts'
import { domainMetaService } from './service/domain-meta.ts'
import { dutySearchService } from './service/duty-search.ts'
import { entityService } from './service/entity.ts'
import { groupService } from './service/group.ts'
import { groupMembershipService } from './service/group-membership.ts'
import { groupMetaService } from './service/group-meta.ts'
import { pageTokenService } from './service/page-token.ts'
import { policyService } from './service/policy.ts'
import { policySearchService } from './service/policy-search.ts'
import { principalMembershipService } from './service/principal-memberships.ts'
import { quotaService } from './service/quota.ts'
import { reviewService } from './service/review.ts'
import { roleService } from './service/role.ts'
import { roleMembershipService } from './service/role-membership.ts'
import { roleMetaService } from './service/role-meta.ts'
import { searchAllService } from './service/search.ts'
import { serviceIdentityService } from './service/service-identity.ts'
import { serviceSearchService } from './service/service-search.ts'
import { signedDomainsService } from './service/signed-domains.ts'
import { type SystemParts, systemService } from './service/system.ts'
import { templateService } from './service/template.ts'
import { tenancyService } from './service/tenancy.ts'
import { tokenService } from './service/token.ts'
import { userService } from './service/user.ts'

/** The code behind every operation of ZMS. */
export function zmsHandlers(deps: ZmsDependencies, parts: SystemParts): Handlers<typeof zmsEndpoints> {
  return {
    ...accessService(deps),
    ...accessSearchService(deps),
    ...assertionService(deps),
    ...collectionSearchService(deps),
    ...domainService(deps),
    ...domainCheckService(deps),
    ...domainMetaService(deps),
    ...dependencyService(deps),
    ...dutySearchService(deps),
    ...entityService(deps),
    ...groupService(deps),
    ...groupMetaService(deps),
    ...groupMembershipService(deps),
    ...policyService(deps),
    ...policySearchService(deps),
    ...principalMembershipService(deps),
    ...quotaService(deps),
    ...reviewService(deps),
    ...roleService(deps),
    ...roleMetaService(deps),
    ...roleMembershipService(deps),
    ...searchAllService(deps),
    ...domainHistoryService(deps),
    ...serviceIdentityService(deps),
    ...serviceSearchService(deps),
    ...templateService(deps),
    ...tenancyService(deps),
    ...userService(deps),
    ...signedDomainsService(deps),
    ...systemService(deps, parts),
    ...tokenService(deps),
    ...pageTokenService(deps),
  }
}
