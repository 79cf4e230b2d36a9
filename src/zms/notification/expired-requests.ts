import { messageOf } from '#core/error/message-of.ts'
import { type CollectionKind, groupKind, roleKind } from '../service/collection.ts'
import type { ZmsDependencies } from '../service/dependencies.ts'
import { jobContext } from '../service/job-context.ts'
import { MemberChanges } from '../service/member-changes.ts'
import type { NoticeKind, NoticeSubject } from '../store/notices.ts'

const AUDIT_REFERENCE = 'Expired - auto reject'
const DAY_MILLIS = 86_400_000

/** Parts of the server that the rejection works with. */
export type RejectionParts = Pick<ZmsDependencies, 'config' | 'store' | 'writes' | 'log'>

/** Requests for membership that nobody has decided for as long as the server keeps them. */
export function expiredRequests(
  {
    config,
    store,
  }: Pick<RejectionParts, 'config'> & { readonly store: Pick<RejectionParts['store'], 'noticeSubjects'> },
  kind: 'pendingRole' | 'pendingGroup',
  now: number,
): Promise<NoticeSubject[]> {
  return store.noticeSubjects(kind, 0, now - config.zms.pendingRoleMemberLifespanDays * DAY_MILLIS)
}

/**
 * Rejects them, each role and group for itself: one that cannot be changed does not hold up the others, and the log says
 * so.
 */
export async function rejectExpiredRequests(parts: RejectionParts, now: number): Promise<void> {
  await reject(parts, 'pendingRole', roleKind, now)
  await reject(parts, 'pendingGroup', groupKind, now)
}

async function reject(
  parts: RejectionParts,
  notice: NoticeKind & ('pendingRole' | 'pendingGroup'),
  kind: CollectionKind,
  now: number,
): Promise<void> {
  const expired = await expiredRequests(parts, notice, now)
  const byCollection = Map.groupBy(expired, ({ domain, collection }) => kind.fullName(domain, collection))
  for (const [fullName, requests] of byCollection) {
    try {
      await rejectIn(parts, kind, requests)
    } catch (error) {
      parts.log('error', `requests for membership in ${fullName} could not be rejected: ${messageOf(error)}`)
    }
  }
}

async function rejectIn(
  { config, writes }: RejectionParts,
  kind: CollectionKind,
  requests: readonly NoticeSubject[],
): Promise<void> {
  const [first] = requests
  if (first === undefined) return
  const { domain: domainName, collection: name } = first
  const subject = {
    context: jobContext(config, 'autorejectpendingmembers'),
    domains: [domainName],
    entity: name,
    auditRef: AUDIT_REFERENCE,
    method: 'REJECT',
  }
  await writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    const pending = domain && kind.find(domain, name)?.pending
    const actor = { principal: config.zms.monitorIdentity, auditRef: AUDIT_REFERENCE, now: transaction.now }
    const changes = new MemberChanges(kind, domainName, name, actor)
    for (const { member, time } of requests) {
      // It may have been decided, or made anew, in the meantime.
      if (pending?.get(member)?.requestTime === time) transaction.apply(...changes.settle(member, 'rejected'))
    }
  })
}
