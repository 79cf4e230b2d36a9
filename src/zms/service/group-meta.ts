import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, noContent } from '#core/http/endpoint.ts'
import type { GroupMetaInput, groupMetaEndpoints } from '../api/group-meta.ts'
import type { GroupBase } from '../store/model.ts'
import { groupKind } from './collection.ts'
import { changeCollectionMeta, changeCollectionSystemMeta, putCollectionOwnership } from './collection-meta.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { changed, compact, present, tagsOf } from './wire-form.ts'

/** Settings of groups. */
export function groupMetaService(deps: ZmsDependencies): Handlers<typeof groupMetaEndpoints> {
  return {
    async putGroupMeta({ params, body, headers }, context) {
      deps.authorizedServices.check(context, 'group', params.groupName)
      const place = { domainName: params.domainName, name: params.groupName, ...headers }
      await changeCollectionMeta(deps, context, groupKind, place, body, (current) => changedGroup(current, body))
      return noContent
    },

    async putGroupSystemMeta({ params, body, headers }, context) {
      const place = { domainName: params.domainName, name: params.groupName, ...headers }
      await changeCollectionSystemMeta(deps, context, groupKind, place, params.attribute, body.auditEnabled)
      return noContent
    },

    async putResourceGroupOwnership({ params, body, headers }, context) {
      if (body === undefined) throw badRequest('Invalid resource group ownership: null')
      const place = { domainName: params.domainName, name: params.groupName, ...headers }
      await putCollectionOwnership(deps, context, groupKind, place, body)
      return noContent
    },
  }
}

/** The settings with those replaced that the request has; `false`, `0` and `''` clear a value. */
function changedGroup(current: GroupBase, body: GroupMetaInput): GroupBase {
  return compact({
    ...current,
    // Absent means off for these three, as in the original.
    selfServe: present(body.selfServe),
    reviewEnabled: present(body.reviewEnabled),
    deleteProtection: present(body.deleteProtection),
    notifyRoles: changed(body.notifyRoles, current.notifyRoles),
    notifyDetails: changed(body.notifyDetails, current.notifyDetails),
    userAuthorityFilter: changed(body.userAuthorityFilter, current.userAuthorityFilter),
    userAuthorityExpiration: changed(body.userAuthorityExpiration, current.userAuthorityExpiration),
    memberExpiryDays: changed(body.memberExpiryDays, current.memberExpiryDays),
    serviceExpiryDays: changed(body.serviceExpiryDays, current.serviceExpiryDays),
    auditEnabled: body.auditEnabled ? true : current.auditEnabled,
    lastReviewedDate: body.lastReviewedDate ?? current.lastReviewedDate,
    selfRenew: changed(body.selfRenew, current.selfRenew),
    selfRenewMins: changed(body.selfRenewMins, current.selfRenewMins),
    maxMembers: changed(body.maxMembers, current.maxMembers),
    principalDomainFilter: changed(body.principalDomainFilter, current.principalDomainFilter),
    tags: body.tags && body.tags.size > 0 ? tagsOf(body.tags) : current.tags,
  })
}
