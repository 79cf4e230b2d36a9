import type { Domain, Group, GroupMember, PendingGroupMember, PendingRoleMember, Role, RoleMember } from './model.ts'
import type { FoundMembership } from './store.ts'

/**
 * What people are notified of: that memberships end (`roleExpiry`, `groupExpiry`) or are to be reviewed (`roleReview`),
 * and that requests for membership wait (`pendingRole`, `pendingGroup`).
 */
export type NoticeKind = 'roleExpiry' | 'roleReview' | 'groupExpiry' | 'pendingRole' | 'pendingGroup'

/** A membership or request with its date. */
export interface NoticeSubject extends FoundMembership {
  /** When it ends, is to be reviewed or was asked for: epoch milliseconds. */
  readonly time: number
  /** When somebody was notified of it last. */
  readonly notifiedTime?: number
}

/** Who is going to notify people, and when. */
export interface NoticeClaim {
  /** Name of the server. */
  readonly server: string
  /** Epoch milliseconds. */
  readonly at: number
  /** Subjects of which people were notified at this time or later are left to the server that did. */
  readonly notSince: number
}

/** Reads of memberships and requests by date. */
export interface NoticeQueries {
  /**
   * Memberships or requests whose date is in the time from `from` to before `until` (epoch milliseconds). Those with an
   * expiration are not among the reviews. In order of their names.
   */
  noticeSubjects(kind: NoticeKind, from: number, until: number): Promise<NoticeSubject[]>
}

/** Which server notifies people of what. */
export interface Notices extends NoticeQueries {
  /**
   * Notes at each subject that the server notifies people of it, unless one did since `notSince`; gives those for which
   * it is to do so. However many servers ask at the same time, one gets each. Nothing else changes: neither the stamp
   * of the role or group nor that of its domain.
   */
  claimNotices(kind: NoticeKind, subjects: readonly FoundMembership[], claim: NoticeClaim): Promise<FoundMembership[]>
}

/** The dates of one kind as a membership or request has them. */
interface NoticeDates {
  readonly time: number | undefined
  readonly notifiedTime: number | undefined
}

/** Members that dates are read from; requests have some of them. */
type Dated = Partial<RoleMember> & Pick<Partial<PendingRoleMember>, 'requestTime'>

/** The dates that a kind of notices is about. */
export function noticeDates(kind: NoticeKind, subject: Dated): NoticeDates {
  if (PENDING.has(kind)) return { time: subject.requestTime, notifiedTime: subject.lastNotifiedTime }
  if (kind !== 'roleReview') return { time: subject.expiration, notifiedTime: subject.lastNotifiedTime }
  const time = subject.expiration === undefined ? subject.reviewReminder : undefined
  return { time, notifiedTime: subject.reviewLastNotifiedTime }
}

/** A membership or request with the note that people are notified of it. */
export function withNotice<T extends RoleMember | GroupMember | PendingRoleMember>(
  kind: NoticeKind,
  subject: T,
  { at, server }: Pick<NoticeClaim, 'at' | 'server'>,
): T {
  return kind === 'roleReview'
    ? { ...subject, reviewLastNotifiedTime: at, reviewServer: server }
    : { ...subject, lastNotifiedTime: at, server }
}

/** A membership or request. */
export type Noticeable = RoleMember | GroupMember | PendingRoleMember | PendingGroupMember

/** The memberships or requests of a domain that a kind of notices is about, by role or group. */
export function* noticeHolders(
  kind: NoticeKind,
  { roles, groups }: Domain,
): Iterable<readonly [collection: string, subjects: Iterable<Noticeable>]> {
  const collections: ReadonlyMap<string, Role | Group> = OF_GROUPS.has(kind) ? groups : roles
  for (const [name, { members, pending }] of collections) {
    yield [name, PENDING.has(kind) ? pending.values() : members.values()]
  }
}

/** One of them. */
export function noticeSubject(
  kind: NoticeKind,
  { roles, groups }: Domain,
  collection: string,
  member: string,
): Noticeable | undefined {
  const found: Role | Group | undefined = OF_GROUPS.has(kind) ? groups.get(collection) : roles.get(collection)
  return PENDING.has(kind) ? found?.pending.get(member) : found?.members.get(member)
}

const OF_GROUPS: ReadonlySet<NoticeKind> = new Set(['groupExpiry', 'pendingGroup'])
const PENDING: ReadonlySet<NoticeKind> = new Set(['pendingRole', 'pendingGroup'])
