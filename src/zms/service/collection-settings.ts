import type { CollectionSettingsInput } from '../api/collection.ts'
import type { GroupBase } from '../store/model.ts'
import { changed, compact, present, tagsOf } from './wire-form.ts'

/**
 * The settings that roles and groups share, as a whole write replaces them; ownership stays, and so do tags and the date
 * of the last review unless the request has them.
 */
export function writtenSettings(
  name: string,
  body: CollectionSettingsInput,
  existing: GroupBase | undefined,
): GroupBase {
  return compact({
    name,
    modified: 0,
    created: 0,
    selfServe: present(body.selfServe),
    reviewEnabled: present(body.reviewEnabled),
    notifyRoles: present(body.notifyRoles),
    notifyDetails: present(body.notifyDetails),
    userAuthorityFilter: present(body.userAuthorityFilter),
    userAuthorityExpiration: present(body.userAuthorityExpiration),
    memberExpiryDays: present(body.memberExpiryDays),
    serviceExpiryDays: present(body.serviceExpiryDays),
    tags: writtenTags(body, existing),
    auditEnabled: present(body.auditEnabled),
    deleteProtection: present(body.deleteProtection),
    lastReviewedDate: body.lastReviewedDate ?? existing?.lastReviewedDate,
    selfRenew: present(body.selfRenew),
    selfRenewMins: present(body.selfRenewMins),
    maxMembers: present(body.maxMembers),
    principalDomainFilter: present(body.principalDomainFilter),
    resourceOwnership: existing?.resourceOwnership,
  })
}

/**
 * The settings with those replaced that roles and groups share and the request has; `false`, `0` and `''` clear a value.
 * All others are as they were.
 */
export function changedSettings<B extends GroupBase>(current: B, body: CollectionSettingsInput): B {
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
    tags: writtenTags(body, current),
  })
}

const writtenTags = ({ tags }: CollectionSettingsInput, existing: GroupBase | undefined) =>
  tags && tags.size > 0 ? tagsOf(tags) : existing?.tags
