import { accessEndpoints } from './access.ts'
import { accessSearchEndpoints } from './access-search.ts'
import { assertionEndpoints } from './assertion.ts'
import { collectionSearchEndpoints } from './collection-search.ts'
import { dependencyEndpoints } from './dependency.ts'
import { domainEndpoints } from './domain.ts'
import { domainCheckEndpoints } from './domain-check.ts'
import { domainHistoryEndpoints } from './domain-history.ts'
import { domainMetaEndpoints } from './domain-meta.ts'
import { dutySearchEndpoints } from './duty-search.ts'
import { entityEndpoints } from './entity.ts'
import { groupEndpoints } from './group.ts'
import { groupMembershipEndpoints } from './group-membership.ts'
import { groupMetaEndpoints } from './group-meta.ts'
import { pageTokenEndpoints } from './page-token.ts'
import { policyEndpoints } from './policy.ts'
import { policySearchEndpoints } from './policy-search.ts'
import { quotaEndpoints } from './quota.ts'
import { reviewEndpoints } from './review.ts'
import { roleEndpoints } from './role.ts'
import { roleMembershipEndpoints } from './role-membership.ts'
import { roleMetaEndpoints } from './role-meta.ts'
import { searchAllEndpoints } from './search.ts'
import { serviceIdentityEndpoints } from './service-identity.ts'
import { serviceSearchEndpoints } from './service-search.ts'
import { signedDomainsEndpoints } from './signed-domains.ts'
import { systemEndpoints } from './system.ts'
import { templateEndpoints } from './template.ts'
import { tenancyEndpoints } from './tenancy.ts'
import { tokenEndpoints } from './token.ts'
import { userEndpoints } from './user.ts'

/** Path below which all operations of ZMS are found. */
export const ZMS_API_ROOT = '/zms/v1'

/** The operations of the published API. */
export const publishedEndpoints = {
  ...domainEndpoints,
  ...domainMetaEndpoints,
  ...domainCheckEndpoints,
  ...entityEndpoints,
  ...roleEndpoints,
  ...roleMetaEndpoints,
  ...roleMembershipEndpoints,
  ...groupEndpoints,
  ...groupMetaEndpoints,
  ...groupMembershipEndpoints,
  ...policyEndpoints,
  ...assertionEndpoints,
  ...serviceIdentityEndpoints,
  ...tenancyEndpoints,
  ...dependencyEndpoints,
  ...templateEndpoints,
  ...accessEndpoints,
  ...signedDomainsEndpoints,
  ...tokenEndpoints,
  ...userEndpoints,
  ...quotaEndpoints,
  ...reviewEndpoints,
  ...systemEndpoints,
}

/** Operations of ours, all below `/sys`: lists for people, a part at a time, a search, tokens for web pages. */
export const ownEndpoints = {
  ...collectionSearchEndpoints,
  ...policySearchEndpoints,
  ...serviceSearchEndpoints,
  ...searchAllEndpoints,
  ...domainHistoryEndpoints,
  ...accessSearchEndpoints,
  ...dutySearchEndpoints,
  ...pageTokenEndpoints,
}

/** Every operation of ZMS by its name. */
export const zmsEndpoints = { ...publishedEndpoints, ...ownEndpoints }
