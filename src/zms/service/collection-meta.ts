import { badRequest, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { groupResourceName, roleResourceName, splitResourceName } from '#core/names/resource-name.ts'
import type { Domain, Group, GroupBase, Role, RoleBase } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { enforceCollectionFilter } from './authority-enforcement.ts'
import { baseOf, type CollectionKind } from './collection.ts'
import {
  type CollectionSettings,
  requireAuditFlag,
  requireReviewDate,
  requireSelfRenewTime,
} from './collection-rules.ts'
import { limitMemberDates, memberCollection } from './collection-write.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { isShorter } from './member-dates.ts'
import { attributesOf, requireSameAuthority } from './member-rules.ts'
import { ownersToStore } from './ownership.ts'
import { requireFilterDomains } from './principal-domain-filter.ts'
import { requireUnchangedSince } from './unchanged.ts'
import { ownershipOf } from './wire-form.ts'

/** A change of the settings of a role or group. */
export interface CollectionMetaChange {
  readonly domainName: string
  readonly name: string
  readonly auditRef: string | undefined
  readonly resourceOwner: string | undefined
  /** The `modified` that the caller read: see {@link requireUnchangedSince}. */
  readonly unchangedSince?: string | undefined
}

/** What a request says about settings that rules look at. */
export type SettingsInput = CollectionSettings & { principalDomainFilter?: string | undefined }

/** Settings that move the dates of members when they give less time than before. */
const DAYS = [
  'memberExpiryDays',
  'serviceExpiryDays',
  'groupExpiryDays',
  'memberReviewDays',
  'serviceReviewDays',
  'groupReviewDays',
] as const

/**
 * Changes the settings of a role or group: `apply` gives the new settings, whose values by themselves are looked at before
 * (requireSettings). Dates of members that the new settings do not
 * allow are moved, and users without an attribute that is demanded from now on are suspended.
 */
export async function changeCollectionMeta(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { domainName, name, auditRef, resourceOwner, unchangedSince }: CollectionMetaChange,
  input: SettingsInput,
  apply: (current: RoleBase) => RoleBase,
): Promise<void> {
  const subject = { context, domains: [domainName], entity: name, auditRef }
  await deps.writes.commit(subject, async (transaction) => {
    const { domain, collection } = await find(transaction, kind, domainName, name)
    const fullName = kind.fullName(domainName, name)
    requireUnchangedSince(context, { name: fullName, modified: collection.modified }, unchangedSince)
    const next = apply(baseOf(collection))
    requireSelfRenewTime(kind, input, collection)
    requireReviewDate(deps, input.lastReviewedDate, collection, transaction.now)
    requireAuditFlag(kind, domain, collection, input.auditEnabled, 'settings')
    deps.quotas.requireTags(kind.kind, input.tags, collection.tags)
    await requireFilterDomains(transaction, input.principalDomainFilter)
    if (input.userAuthorityFilter || input.userAuthorityExpiration) {
      await requireGroupsFit(deps, transaction, kind, domain, collection, next)
    }
    const { resourceOwnership: stored } = collection
    const ownership = deps.ownership.componentWrite(kind.kind, fullName, stored, 'meta', 'meta', resourceOwner)
    deps.writes.requireAuditReference(
      context,
      kind.kind,
      { name: domain.name, auditEnabled: false },
      auditRef,
      collection,
    )
    if (kind.kind === 'group') await requireRolesFit(transaction, domain, collection, next)
    const base = ownership ? { ...next, resourceOwnership: ownership } : next
    transaction.apply(kind.put(domainName, base))
    const attribute = base.userAuthorityExpiration
    const userAuthorityExpiration = attribute === collection.userAuthorityExpiration ? undefined : attribute
    const shorter = DAYS.filter((member) => isShorter(base[member], (collection as RoleBase)[member]))
    if (userAuthorityExpiration || shorter.length > 0) {
      // Only what this change shortens: other days in force were carried out when they were set.
      const { modified, created } = base
      const days = Object.fromEntries(shorter.map((member) => [member, base[member]]))
      const limits = { domain: { name: domainName }, base: { name, modified, created, ...days } }
      const change = { kind, collection, userAuthorityExpiration, auditRef }
      await limitMemberDates(deps, context, transaction, { ...change, ...limits })
    }
    if (base.userAuthorityFilter !== collection.userAuthorityFilter) {
      await enforceCollectionFilter(deps, transaction, kind, { domainName, name, auditRef })
    }
  })
}

/** Group members must carry the filter and expiration that the role has from now on. */
async function requireGroupsFit(
  deps: ZmsDependencies,
  transaction: Transaction,
  kind: CollectionKind,
  domain: Domain,
  collection: Role | Group,
  next: RoleBase,
): Promise<void> {
  for (const { domain: groupDomain, group, entry } of collection.members.groups) {
    const stored = await transaction.domain(groupDomain)
    const found = stored?.groups.get(group)
    if (stored && found)
      requireSameAuthority(memberCollection(deps, kind, domain, next), stored, found, entry.memberName)
  }
}

/** 400 when a group would no longer carry the filter or expiration that a role demands which has it as a member. */
async function requireRolesFit(
  transaction: Transaction,
  domain: Domain,
  group: Group,
  { userAuthorityFilter: filter = '', userAuthorityExpiration: expiration = '' }: GroupBase,
): Promise<void> {
  const carried = new Set(attributesOf(filter))
  const losesFilter = attributesOf(group.userAuthorityFilter).some((attribute) => !carried.has(attribute))
  const losesExpiration = Boolean(group.userAuthorityExpiration) && group.userAuthorityExpiration !== expiration
  if (!losesFilter && !losesExpiration) return
  for (const found of await transaction.queries.rolesOfMember(groupResourceName(domain.name, group.name))) {
    const home = await transaction.domain(found.domain)
    const role = home?.roles.get(found.collection)
    if (!home || !role) continue
    const demanded = attributesOf(home.userAuthorityFilter, role.userAuthorityFilter)
    const unfit = `will not satisfy ${roleResourceName(home.name, role.name)} role`
    if (losesFilter && demanded.some((attribute) => !carried.has(attribute) && !domainCarries(domain, attribute))) {
      throw badRequest(`Setting ${filter} user authority filter on the group ${unfit} filter requirements`)
    }
    if (losesExpiration && role.userAuthorityExpiration && role.userAuthorityExpiration !== expiration) {
      throw badRequest(`Setting ${expiration} user authority expiration on the group ${unfit} expiration requirements`)
    }
  }
}

const domainCarries = ({ userAuthorityFilter }: Domain, attribute: string): boolean =>
  attributesOf(userAuthorityFilter).includes(attribute)

/** Changes the setting of a role or group that belongs to the operators: whether it is audit-enabled. */
export async function changeCollectionSystemMeta(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { domainName, name, auditRef }: Omit<CollectionMetaChange, 'resourceOwner'>,
  attribute: string,
  auditEnabled: boolean | undefined,
): Promise<void> {
  deps.authorizedServices.check(context, kind.kind, name)
  const subject = { context, domains: [domainName], entity: name, auditRef }
  await deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    if (!domain) throw notFound(`${context.api}: Unknown domain: ${domainName}`)
    deps.writes.requireAuditReference(context, kind.kind, domain, auditRef)
    if (!domain.auditEnabled) {
      const prefix = kind.kind === 'role' ? `${context.api}: ` : ''
      throw badRequest(
        `${prefix}auditEnabled flag not set for domain: ${domainName} to add it on the ${kind.kind}: ${name}`,
      )
    }
    if (attribute !== 'auditenabled') throw badRequest(`unknown ${kind.kind} system meta attribute: ${attribute}`)
    const { collection } = await find(transaction, kind, domainName, name)
    if (auditEnabled && kind.kind === 'role') await requireAuditedGroups(transaction, collection)
    const { auditEnabled: _, ...base } = baseOf(collection)
    transaction.apply(kind.put(domainName, auditEnabled ? { ...base, auditEnabled } : base))
  })
}

async function requireAuditedGroups(transaction: Transaction, role: Role | Group): Promise<void> {
  for (const { memberName } of role.members) {
    const parts = splitResourceName('group', memberName)
    const group = parts && (await transaction.domain(parts.domain))?.groups.get(parts.name)
    if (parts && !group?.auditEnabled) throw badRequest(`role member: ${memberName} must have audit flag enabled`)
  }
}

/** Replaces the owners of a role or group. */
export async function putCollectionOwnership(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { domainName, name, auditRef }: Omit<CollectionMetaChange, 'resourceOwner'>,
  owners: Readonly<Record<string, string | undefined>>,
): Promise<void> {
  deps.authorizedServices.check(context, kind.kind, name)
  const subject = { context, domains: [domainName], entity: name, auditRef }
  await deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    const collection = domain && kind.find(domain, name)
    if (!domain || !collection) throw badRequest(`Invalid ${kind.kind} name specified`)
    deps.writes.requireAuditReference(context, kind.kind, domain, auditRef)
    const next = ownersToStore(ownershipOf(owners), collection)
    const { resourceOwnership: _, ...base } = baseOf(collection)
    transaction.apply(kind.put(domainName, next ? { ...base, resourceOwnership: next } : base))
  })
}

async function find(transaction: Transaction, kind: CollectionKind, domainName: string, name: string) {
  const domain = await transaction.domain(domainName)
  const collection = domain && kind.find(domain, name)
  if (!domain || !collection) throw notFound(`Invalid domain/${kind.kind} name specified`)
  return { domain, collection }
}
