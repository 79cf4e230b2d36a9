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
  const found = new Map<string, Way>()
  const add = (entry: MemberEntry, through: string | undefined): void => {
    if (!isNamed(entry.memberName, query)) return
    const known = found.get(entry.memberName)
    const way = known ?? { entry, through: [], direct: false }
    if (known && isBetter(entry, known.entry, time)) known.entry = entry
    if (through === undefined) way.direct = true
    else way.through.push(through)
    if (!known) found.set(entry.memberName, way)
  }
  if (role.trust) await addTrusted(deps, domain, role, add)
  else await addMembers(deps, role, add)
  for (const { memberName } of role.pending.values()) {
    if (isNamed(memberName, query) && !found.has(memberName)) {
      found.set(memberName, { entry: undefined, through: [], direct: true })
    }
  }
  const page = new KeysetPage<KnownMember>({ ...query, keyOf: ({ memberName }) => memberName })
  for (const [memberName, way] of found) {
    const request = role.pending.get(memberName)
    if (isAskedFor(way.entry, request !== undefined, query.state, time)) page.offer({ memberName, request, ...way })
  }
  const { entries, next } = page.get()
  return { list: entries.map((known) => memberSummary(known, deps.memberRules, time)), total: page.total, next }
}

interface Way {
  entry: MemberEntry | undefined
  through: string[]
  direct: boolean
}

type Add = (entry: MemberEntry, through: string | undefined) => void

async function addTrusted(
  { store, authorization }: ZmsDependencies,
  domain: Domain,
  role: Role,
  add: Add,
): Promise<void> {
  const trusted = await store.domain(role.trust as string)
  if (!trusted) return
  const delegations = authorization.view(trusted).policies.delegations(roleResourceName(domain.name, role.name))
  for (const assumed of trusted.roles.values()) {
    if (!delegations.some((delegation) => delegation.selectsRole(assumed.name))) continue
    for (const member of assumed.members) add(member, roleResourceName(trusted.name, assumed.name))
  }
}

async function addMembers({ store }: ZmsDependencies, role: Role, add: Add): Promise<void> {
  const domains = await store.domains([...new Set(role.members.groups.map(({ domain }) => domain))])
  const groups = new Map(role.members.groups.map((reference) => [reference.entry, reference]))
  for (const member of role.members) {
    const reference = groups.get(member)
    if (!reference) {
      add(member, undefined)
      continue
    }
    const group = domains.get(reference.domain)?.groups.get(reference.group)
    for (const person of group?.members ?? []) add(throughGroup(member, person), member.memberName)
  }
}

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
