import type { GroupSummary, MemberHistory, MemberSummary, RoleSummary } from '#zms/api/collection-search.ts'
import type { GroupMetaInput } from '#zms/api/group-meta.ts'
import type { RoleMetaInput } from '#zms/api/role-meta.ts'
import type { Zms } from './zms-calls.ts'

/** Roles and groups have members alike. */
export type CollectionKind = 'role' | 'group'

/** A role or group, by its local name. */
export interface CollectionPlace {
  readonly domainName: string
  readonly name: string
}

/** A role or group without its members; what only roles have is absent for groups. */
export type CollectionSummary = GroupSummary & Partial<RoleSummary>

/** Which part of a list is asked for. */
export interface PartQuery {
  readonly filter?: string | undefined
  readonly skip?: string | undefined
  readonly limit: number
}

/** Which members are asked for. */
export interface MembersQuery extends PartQuery {
  readonly state?: string | undefined
  readonly memberName?: string | undefined
  /** Members of groups, and those of the trusted domain of a delegated role. */
  readonly expand?: boolean
}

/** A part of a list. */
export interface Part<T> {
  readonly list: readonly T[]
  readonly total: number
  readonly next?: string | undefined
}

/** A part of the members, and whose they are. */
export interface MembersPart extends Part<MemberSummary> {
  readonly summary: CollectionSummary
}

/** Dates of a membership; absent ones are for ZMS to set. */
export interface MemberDates {
  readonly expiration?: string | undefined
  readonly reviewReminder?: string | undefined
}

/** A role or group to be made. */
export interface NewCollection {
  readonly description?: string | undefined
  readonly trust?: string | undefined
  readonly members: readonly string[]
}

/** A change of settings. */
export interface MetaChange {
  /** Those of roles and groups, as far as they are given. */
  readonly body: RoleMetaInput & GroupMetaInput
  /** The `modified` that was read: 409 when it is another one by now. */
  readonly unchangedSince: string | undefined
}

/** What a reviewer has decided about some of the members. */
export interface Review {
  /** Those that are not active are removed. */
  readonly members: readonly { readonly memberName: string; readonly active: boolean }[]
  /** Others are decided about later: nothing is noted yet. */
  readonly partial: boolean
}

/** What pages ask ZMS about roles, or about groups: the operations differ in their names only. */
export interface CollectionCalls {
  readonly kind: CollectionKind
  /** Part of the domain that the pages are in. */
  readonly section: 'roles' | 'groups'
  search(
    zms: Zms,
    domainName: string,
    query: PartQuery & { readonly tagKey?: string | undefined; readonly tagValue?: string | undefined },
  ): Promise<Part<CollectionSummary>>
  members(zms: Zms, place: CollectionPlace, query: MembersQuery): Promise<MembersPart>
  history(zms: Zms, place: CollectionPlace, query: PartQuery): Promise<MemberHistory>
  /** Whether there is one. */
  exists(zms: Zms, place: CollectionPlace): Promise<boolean>
  create(zms: Zms, place: CollectionPlace, created: NewCollection, auditRef: string | undefined): Promise<void>
  remove(zms: Zms, place: CollectionPlace, auditRef: string | undefined): Promise<void>
  putMeta(zms: Zms, place: CollectionPlace, change: MetaChange, auditRef: string | undefined): Promise<void>
  /** Whether the principal is a member now, or the membership waits for a decision. */
  putMember(
    zms: Zms,
    place: CollectionPlace,
    memberName: string,
    dates: MemberDates,
    auditRef: string | undefined,
  ): Promise<'member' | 'requested'>
  deleteMember(zms: Zms, place: CollectionPlace, memberName: string, auditRef: string | undefined): Promise<void>
  /** Withdraws a request. */
  deletePending(zms: Zms, place: CollectionPlace, memberName: string, auditRef: string | undefined): Promise<void>
  decide(
    zms: Zms,
    place: CollectionPlace,
    decision: MemberDates & { readonly memberName: string; readonly approved: boolean },
    auditRef: string | undefined,
  ): Promise<void>
  /** Keeps some members, removes others, and notes that the members were reviewed. */
  review(zms: Zms, place: CollectionPlace, review: Review, auditRef: string | undefined): Promise<void>
}

export const roleCalls: CollectionCalls = {
  kind: 'role',
  section: 'roles',
  search: (zms, domainName, query) => zms.call('searchRoles', { domainName, ...query }),
  async members(zms, { domainName, name }, query) {
    const { role, ...part } = await zms.call('searchRoleMembers', { domainName, roleName: name, ...query })
    return { summary: role, ...part }
  },
  history: (zms, { domainName, name }, query) =>
    zms.call('getRoleMemberHistory', { domainName, roleName: name, ...query }),
  async exists(zms, { domainName, name }) {
    return (await zms.find('searchRoleMembers', { domainName, roleName: name, limit: 1 })) !== undefined
  },
  async create(zms, { domainName, name }, { members, trust, description }, auditRef) {
    const roleMembers = members.map((memberName) => ({ memberName }))
    const body = { name, description, ...(trust === undefined ? { roleMembers } : { trust }) }
    await zms.call('putRole', { domainName, roleName: name, auditRef, body })
  },
  async remove(zms, { domainName, name }, auditRef) {
    await zms.call('deleteRole', { domainName, roleName: name, auditRef })
  },
  async putMeta(zms, { domainName, name }, { body, unchangedSince }, auditRef) {
    await zms.call('putRoleMeta', { domainName, roleName: name, unchangedSince, auditRef, body })
  },
  async putMember(zms, { domainName, name }, memberName, dates, auditRef) {
    const request = { domainName, roleName: name, memberName, auditRef, returnObj: true }
    const membership = await zms.call('putMembership', { ...request, body: { memberName, ...dates } })
    return membership?.approved === false ? 'requested' : 'member'
  },
  async deleteMember(zms, { domainName, name }, memberName, auditRef) {
    await zms.call('deleteMembership', { domainName, roleName: name, memberName, auditRef })
  },
  async deletePending(zms, { domainName, name }, memberName, auditRef) {
    await zms.call('deletePendingMembership', { domainName, roleName: name, memberName, auditRef })
  },
  async decide(zms, { domainName, name }, { memberName, approved, ...dates }, auditRef) {
    const body = { memberName, approved, active: approved, ...dates }
    await zms.call('putMembershipDecision', { domainName, roleName: name, memberName, auditRef, body })
  },
  async review(zms, { domainName, name }, { members: roleMembers, partial }, auditRef) {
    await zms.call('putRoleReview', { domainName, roleName: name, partial, auditRef, body: { name, roleMembers } })
  },
}

export const groupCalls: CollectionCalls = {
  kind: 'group',
  section: 'groups',
  search: (zms, domainName, query) => zms.call('searchGroups', { domainName, ...query }),
  async members(zms, { domainName, name }, { expand: _, ...query }) {
    const { group, ...part } = await zms.call('searchGroupMembers', { domainName, groupName: name, ...query })
    return { summary: group, ...part }
  },
  history: (zms, { domainName, name }, query) =>
    zms.call('getGroupMemberHistory', { domainName, groupName: name, ...query }),
  async exists(zms, { domainName, name }) {
    return (await zms.find('searchGroupMembers', { domainName, groupName: name, limit: 1 })) !== undefined
  },
  async create(zms, { domainName, name }, { members }, auditRef) {
    const groupMembers = members.map((memberName) => ({ memberName }))
    await zms.call('putGroup', { domainName, groupName: name, auditRef, body: { name, groupMembers } })
  },
  async remove(zms, { domainName, name }, auditRef) {
    await zms.call('deleteGroup', { domainName, groupName: name, auditRef })
  },
  async putMeta(zms, { domainName, name }, { body, unchangedSince }, auditRef) {
    await zms.call('putGroupMeta', { domainName, groupName: name, unchangedSince, auditRef, body })
  },
  async putMember(zms, { domainName, name }, memberName, { expiration }, auditRef) {
    const request = { domainName, groupName: name, memberName, auditRef, returnObj: true }
    const membership = await zms.call('putGroupMembership', { ...request, body: { memberName, expiration } })
    return membership?.approved === false ? 'requested' : 'member'
  },
  async deleteMember(zms, { domainName, name }, memberName, auditRef) {
    await zms.call('deleteGroupMembership', { domainName, groupName: name, memberName, auditRef })
  },
  async deletePending(zms, { domainName, name }, memberName, auditRef) {
    await zms.call('deletePendingGroupMembership', { domainName, groupName: name, memberName, auditRef })
  },
  async decide(zms, { domainName, name }, { memberName, approved, expiration }, auditRef) {
    const body = { memberName, approved, active: approved, expiration }
    await zms.call('putGroupMembershipDecision', { domainName, groupName: name, memberName, auditRef, body })
  },
  async review(zms, { domainName, name }, { members: groupMembers, partial }, auditRef) {
    await zms.call('putGroupReview', { domainName, groupName: name, partial, auditRef, body: { name, groupMembers } })
  },
}

/** A part of the members, and whether a change needs a reason: the role or group is audited, or its domain. Two calls. */
export async function membersAndAudit(
  zms: Zms,
  calls: CollectionCalls,
  place: CollectionPlace,
  query: MembersQuery,
): Promise<MembersPart & { readonly audited: boolean }> {
  const [part, domain] = await Promise.all([
    calls.members(zms, place, query),
    zms.call('getDomain', { domain: place.domainName }),
  ])
  return { ...part, audited: domain.auditEnabled === true || part.summary.auditEnabled === true }
}
