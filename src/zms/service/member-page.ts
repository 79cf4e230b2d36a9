import { badRequest } from '#core/error/service-error.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import { stateOf } from '#core/rbac/holding.ts'
import { MEMBER_STATES, type MemberCounts, type MemberSummary } from '../api/collection-search.ts'
import type { Domain, Group, Role } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { contains, KeysetPage } from './keyset-page.ts'
import { isOverdue, type KnownMember, type MemberEntry, memberSummary } from './member-summary.ts'

const FILTERS = [...MEMBER_STATES, 'overdue'] as const
/** How members stand that are asked for: `pending` have a request, `overdue` should have been reviewed. */
export type MemberFilter = (typeof FILTERS)[number]

/** Reads the word for it; 400 for another one. */
export function memberFilter(api: string, word: string | undefined): MemberFilter | undefined {
  const filter = FILTERS.find((each) => each === word)
  if (word !== undefined && filter === undefined) {
    throw badRequest(`${api}: state must be one of ${FILTERS.join(', ')}: ${word}`)
  }
  return filter
}

/** Which members of a role or group are asked for. */
export interface MemberQuery {
  readonly filter?: string | undefined
  /** Only the principal of exactly this name. */
  readonly memberName?: string | undefined
  readonly state: MemberFilter | undefined
  readonly limit: number
  /** Name of the last member of the page before. */
  readonly skip?: string | undefined
}

/** A part of the members. */
export interface MemberPage {
  readonly list: MemberSummary[]
  /** How many pass the filter. */
  readonly total: number
  readonly next: string | undefined
}

/** Numbers of members by how they stand at a time in epoch milliseconds. */
export function memberCounts({ members, pending }: Role | Group, now: number): MemberCounts {
  const counts = { active: 0, expired: 0, disabled: 0, pending: pending.size, overdue: 0 }
  for (const member of members as Iterable<MemberEntry>) {
    counts[stateOf(member, now)]++
    if (isOverdue(member, now)) counts.overdue++
  }
  return counts
}

/** Own members of a role or group, and requests for memberships, each principal once. */
export function ownMembers(
  { memberRules, now }: Pick<ZmsDependencies, 'memberRules' | 'now'>,
  collection: Role | Group,
  query: MemberQuery,
): MemberPage {
  const time = now()
  const { members, pending } = collection
  const page = new KeysetPage<{ readonly memberName: string }>({ ...query, keyOf: ({ memberName }) => memberName })
  for (const member of members as Iterable<MemberEntry>) {
    const { memberName } = member
    if (isNamed(memberName, query) && isAskedFor(member, pending.has(memberName), query.state, time)) page.offer(member)
  }
  if (query.state === undefined || query.state === 'pending') {
    for (const request of pending.values()) {
      if (isNamed(request.memberName, query) && !members.has(request.memberName)) page.offer(request)
    }
  }
  const { entries, next } = page.get()
  const list = entries.map(({ memberName }) => {
    const entry = members.get(memberName)
    const known = { memberName, entry, request: pending.get(memberName), through: [], direct: true }
    return memberSummary(known, memberRules, time)
  })
  return { list, total: page.total, next }
}

/**
 * Members of a role with the members of its groups in place of the groups, or, of a delegated role, the members of the
 * trusted domain's roles that may assume it. Who is a member in several ways is listed once, as in the best of them, with
 * all that it comes through.
 */
export async function expandedMembers(
  deps: ZmsDependencies,
  domain: Domain,
  role: Role,
  query: MemberQuery,
): Promise<MemberPage> {
  const time = deps.now()
  const sources = role.trust ? await trustedSources(deps, domain, role) : await groupSources(deps, role)
  const page = new KeysetPage<string>({ ...query, keyOf: (name) => name })
  const found = membersOf(sources, query, time)
  for (const [name, entry] of found) {
    if (isAskedFor(entry, role.pending.has(name), query.state, time)) page.offer(name)
  }
  for (const { memberName } of role.pending.values()) {
    const isNew = isNamed(memberName, query) && !found.has(memberName)
    if (isNew && isAskedFor(undefined, true, query.state, time)) page.offer(memberName)
  }
  const { entries, next } = page.get()
  const list = entries.map((name) => memberSummary(knownMember(role, sources, name, time), deps.memberRules, time))
  return { list, total: page.total, next }
}

/** Members that come in one way. */
interface Source {
  readonly members: Role['members'] | Group['members']
  /** Full name of what they come through; undefined for own members. */
  readonly through: string | undefined
  /** Entry of the group that they come through, which limits theirs. */
  readonly limit?: MemberEntry
  /** Own members that are groups, and are shown as their members. */
  readonly without?: ReadonlySet<MemberEntry>
}

/** Names with one entry that they have; where states are asked for, with the one that counts most. */
function membersOf(sources: readonly Source[], query: MemberQuery, time: number): ReadonlyMap<string, MemberEntry> {
  const found = new Map<string, MemberEntry>()
  for (const source of sources) {
    for (const member of source.members as Iterable<MemberEntry>) {
      const { memberName } = member
      if (source.without?.has(member) || !isNamed(memberName, query)) continue
      if (query.state === undefined) {
        found.set(memberName, member)
        continue
      }
      const entry = limited(source, member)
      if (isBetter(entry, found.get(memberName), time)) found.set(memberName, entry)
    }
  }
  return found
}

/** All that is known of a name, with every way in which it comes. */
function knownMember(role: Role, sources: readonly Source[], memberName: string, time: number): KnownMember {
  let best: MemberEntry | undefined
  let direct = false
  const through: string[] = []
  for (const source of sources) {
    const member: MemberEntry | undefined = source.members.get(memberName)
    if (member === undefined || source.without?.has(member)) continue
    const entry = limited(source, member)
    if (isBetter(entry, best, time)) best = entry
    if (source.through === undefined) direct = true
    else through.push(source.through)
  }
  const request = role.pending.get(memberName)
  return { memberName, entry: best, request, through, direct: direct || (best === undefined && request !== undefined) }
}

/** The roles of the trusted domain that may assume a delegated role. */
async function trustedSources(
  { store, authorization }: ZmsDependencies,
  domain: Domain,
  role: Role,
): Promise<Source[]> {
  const trusted = await store.domain(role.trust as string)
  if (!trusted) return []
  const delegations = authorization.view(trusted).policies.delegations(roleResourceName(domain.name, role.name))
  return [...trusted.roles.values()]
    .filter(({ name }) => delegations.some((delegation) => delegation.selectsRole(name)))
    .map(({ name, members }) => ({ members, through: roleResourceName(trusted.name, name) }))
}

async function groupSources({ store }: ZmsDependencies, { members }: Role): Promise<Source[]> {
  const domains = await store.domains([...new Set(members.groups.map(({ domain }) => domain))])
  const groups = members.groups.flatMap(({ entry, domain, group: name }): Source[] => {
    const group = domains.get(domain)?.groups.get(name)
    return group ? [{ members: group.members, through: entry.memberName, limit: entry }] : []
  })
  return [{ members, through: undefined, without: new Set(members.groups.map(({ entry }) => entry)) }, ...groups]
}

const limited = ({ limit }: Source, member: MemberEntry): MemberEntry =>
  limit === undefined ? member : throughGroup(limit, member)

/** The membership that a member of a group has in the role of the group: it ends with the first of both. */
function throughGroup(group: MemberEntry, { memberName, expiration, systemDisabled }: MemberEntry): MemberEntry {
  const ends = Math.min(group.expiration ?? Number.POSITIVE_INFINITY, expiration ?? Number.POSITIVE_INFINITY)
  const disabled = (group.systemDisabled ?? 0) | (systemDisabled ?? 0)
  return {
    memberName,
    ...(Number.isFinite(ends) && { expiration: ends }),
    ...(disabled !== 0 && { systemDisabled: disabled }),
  }
}

const RANKS = { active: 0, expired: 1, disabled: 2 } as const

/** Whether one membership counts more or longer than another one. */
function isBetter(one: MemberEntry, other: MemberEntry | undefined, now: number): boolean {
  if (other === undefined) return true
  const difference = RANKS[stateOf(one, now)] - RANKS[stateOf(other, now)]
  if (difference !== 0) return difference < 0
  return (one.expiration ?? Number.POSITIVE_INFINITY) > (other.expiration ?? Number.POSITIVE_INFINITY)
}

const isNamed = (name: string, { memberName, filter }: MemberQuery): boolean =>
  (memberName === undefined || name === memberName) && contains(name, filter)

function isAskedFor(
  entry: MemberEntry | undefined,
  isRequested: boolean,
  state: MemberQuery['state'],
  now: number,
): boolean {
  if (state === undefined) return true
  if (state === 'pending') return isRequested
  if (entry === undefined) return false
  return state === 'overdue' ? isOverdue(entry, now) : stateOf(entry, now) === state
}
