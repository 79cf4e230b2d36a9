import { messageOf } from '#core/error/message-of.ts'
import type { Notice } from '#core/notification/notice.ts'
import type { Outbox } from '#core/notification/outbox.ts'
import { type CollectionKind, groupKind, roleKind } from '../service/collection.ts'
import type { ZmsDependencies } from '../service/dependencies.ts'
import type { MemberDecision } from '../service/member-decisions.ts'
import { principalDomainsOf } from '../service/principal-domains.ts'
import type { Change } from '../store/change.ts'
import type { PendingRoleMember } from '../store/model.ts'
import { placeItem, requestItem } from './daily-notices.ts'
import type { NotificationParts } from './daily-run.ts'
import { Recipients } from './recipients.ts'

/** A request that was stored. */
interface StoredRequest {
  readonly kind: CollectionKind
  readonly domain: string
  readonly name: string
  readonly pending: PendingRoleMember
}

/** Notices of requests and decisions while the server runs. */
export interface RequestNotices {
  /** Resolves when those under way have been handed to the senders. */
  idle(): Promise<void>
  /** Begins no more; resolves as `idle` does. */
  close(): Promise<void>
}

/**
 * Tells deciders of every request for membership as it is stored, and members and those who asked of every decision.
 * Nobody who stores or decides waits for it.
 */
export function tellOfRequests(
  parts: NotificationParts & Pick<ZmsDependencies, 'memberDecisions'>,
  outbox: Outbox,
): RequestNotices {
  const underWay = new Set<Promise<void>>()
  let isClosed = false
  const tell = (notices: () => Promise<Notice[]>) => {
    if (isClosed) return
    const telling = notices()
      .then((found) => outbox.deliver(found))
      .catch((error: unknown) => parts.log('error', `people could not be told of a request: ${messageOf(error)}`))
      .finally(() => underWay.delete(telling))
    underWay.add(telling)
  }
  parts.writes.onChange((_, changes) => {
    const requests = requestsOf(changes)
    if (requests.length > 0) tell(() => requestNotices(parts, requests))
  })
  parts.memberDecisions.onDecision((decision) => tell(() => decisionNotices(parts, decision)))
  const idle = async () => void (await Promise.all(underWay))
  return {
    idle,
    close: () => {
      isClosed = true
      return idle()
    },
  }
}

function requestsOf(changes: readonly Change[]): StoredRequest[] {
  return changes.flatMap((change): StoredRequest[] => {
    if (change.kind === 'putPendingRoleMember') {
      return [{ kind: roleKind, domain: change.domain, name: change.role, pending: change.value }]
    }
    if (change.kind === 'putPendingGroupMember') {
      return [{ kind: groupKind, domain: change.domain, name: change.group, pending: change.value }]
    }
    return []
  })
}

const recipientsOf = ({ config, store, now }: NotificationParts) =>
  new Recipients({ queries: store, principals: principalDomainsOf(config), now: now() })

async function requestNotices(parts: NotificationParts, requests: readonly StoredRequest[]): Promise<Notice[]> {
  const recipients = recipientsOf(parts)
  const notices: Notice[] = []
  for (const { kind, domain: domainName, name, pending } of requests) {
    const domain = await recipients.domain(domainName)
    const collection = domain && kind.find(domain, name)
    if (!domain || !collection) continue
    const item = { ...placeItem(parts.config, kind, domain, collection, pending.memberName), ...requestItem(pending) }
    const topic = kind.kind === 'role' ? 'roleApproval' : 'groupApproval'
    notices.push({ topic, item, ...(await recipients.deciders(domain, collection)) })
  }
  return notices
}

async function decisionNotices(
  parts: NotificationParts,
  { kind, domainName, name, pending, approved, decidedBy, auditRef }: MemberDecision,
): Promise<Notice[]> {
  const recipients = recipientsOf(parts)
  const domain = await recipients.domain(domainName)
  const collection = domain && kind.find(domain, name)
  if (!domain || !collection) return []
  const { requestPrincipal, memberName } = pending
  const ofMember = await recipients.spokespeople(memberName)
  const ofRequester = await recipients.spokespeople(requestPrincipal ?? '')
  const { reason: _, ...request } = requestItem(pending)
  const item = {
    ...placeItem(parts.config, kind, domain, collection, memberName),
    ...request,
    membershipDecision: approved ? 'approve' : 'reject',
    actionPrincipal: decidedBy,
    ...(auditRef !== undefined && auditRef !== '' && { reason: auditRef }),
  }
  const topic =
    kind.kind === 'role' ? (approved ? 'roleApproved' : 'roleRejected') : approved ? 'groupApproved' : 'groupRejected'
  return [
    {
      topic,
      item,
      people: new Set([...ofMember.people, ...ofRequester.people]),
      ...(ofMember.domain && { domain: ofMember.domain }),
    },
  ]
}
