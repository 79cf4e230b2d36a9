import type { ConfigOf } from '#core/config/server-tables.ts'
import type { Notice, NoticeItem } from '#core/notification/notice.ts'
import type { CollectionKind } from '../service/collection.ts'
import type { Domain, Group, PendingRoleMember, Role } from '../store/model.ts'
import type { NoticeQueries, NoticeSubject } from '../store/notices.ts'
import { isDue, spanOf } from './notice-days.ts'
import type { NoticeWay } from './notice-kinds.ts'
import type { Recipients } from './recipients.ts'
import { isSwitchedOff } from './switched-off.ts'

/** Memberships or requests that people are to be told of on the day of `now` (epoch milliseconds). */
export async function dueSubjects(
  queries: NoticeQueries,
  { kind }: NoticeWay,
  now: number,
): Promise<readonly NoticeSubject[]> {
  const { from, until } = spanOf(kind, now)
  return (await queries.noticeSubjects(kind, from, until)).filter((subject) => isDue(kind, subject, now))
}

/** A notice, and the membership or request that it is about. */
export interface SubjectNotice {
  readonly subject: NoticeSubject
  readonly notice: Notice
}

/**
 * What people are told of memberships or requests: those who speak for the member, and those who look after the role or
 * group or decide about the request. What is gone meanwhile, and what a tag switches off, is left out.
 */
export async function noticesOf(
  { config, recipients, now }: { config: Pick<ConfigOf['zms'], 'zms'>; recipients: Recipients; now: number },
  { collection: kind, sort, memberTopic, adminTopic, date }: NoticeWay,
  subjects: readonly NoticeSubject[],
): Promise<SubjectNotice[]> {
  const notices: SubjectNotice[] = []
  for (const subject of subjects) {
    const { member, time } = subject
    const domain = await recipients.domain(subject.domain)
    const collection = domain && kind.find(domain, subject.collection)
    if (!domain || !collection) continue
    const request = date === 'requestTime' ? collection.pending.get(member) : undefined
    const item: NoticeItem = {
      ...placeItem(config, kind, domain, collection, member),
      [date]: time,
      ...(request && requestItem(request)),
    }
    const place = { domain, collection }
    // A request has no date ahead that could be far away.
    const when = { time: request ? undefined : time, now }
    if (memberTopic && !isSwitchedOff(sort, 'member', place, when)) {
      notices.push({ subject, notice: { topic: memberTopic, item, ...(await recipients.spokespeople(member)) } })
    }
    if (!isSwitchedOff(sort, 'admin', place, when)) {
      const to = request ? recipients.deciders(domain, collection) : recipients.caretakers(domain, collection)
      notices.push({ subject, notice: { topic: adminTopic, item, ...(await to) } })
    }
  }
  return notices
}

/** What an item says of a member of a role or group. */
export function placeItem(
  { zms }: Pick<ConfigOf['zms'], 'zms'>,
  { kind }: CollectionKind,
  domain: Pick<Domain, 'name'>,
  collection: Role | Group,
  member: string,
): NoticeItem {
  const selfServe = kind === 'role' ? zms.jdbcNotifyDetailsSelfServeRole : zms.jdbcNotifyDetailsSelfServeGroup
  const notifyDetails = collection.notifyDetails ?? (collection.selfServe ? selfServe : undefined)
  return {
    domain: domain.name,
    [kind]: collection.name,
    member,
    ...(notifyDetails !== undefined && notifyDetails !== '' && { notifyDetails }),
  }
}

/** What an item says of a request. */
export const requestItem = ({
  requestPrincipal,
  auditRef,
  pendingState,
  expiration,
  requestTime,
}: PendingRoleMember) => ({
  pendingState,
  requestTime,
  ...(requestPrincipal !== undefined && { requester: requestPrincipal }),
  ...(auditRef !== undefined && { reason: auditRef }),
  ...(expiration !== undefined && { expiration }),
})
