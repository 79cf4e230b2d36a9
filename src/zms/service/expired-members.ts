import { badRequest } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { ExpiredMembers } from '../api/domain.ts'
import type { Domain } from '../store/model.ts'
import type { FoundMembership } from '../store/store.ts'
import { type CollectionKind, groupKind, roleKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { MemberChanges } from './member-changes.ts'
import { timestamp } from './wire-form.ts'

const ROLES = 1
const GROUPS = 2
const DAY_MILLIS = 86_400_000

type Removed = NonNullable<ExpiredMembers['expiredRoleMembers']>[number]

/**
 * Removes memberships that expired longer ago than their domain, or else the server, keeps them. `resources` are bits: 1
 * roles, 2 groups, both when absent; 400 for other numbers. Resolves to what was removed, null for kinds not asked for.
 * At most as many per kind as the settings allow for one run, in transactions of one domain each.
 */
export async function purgeExpiredMembers(
  deps: ZmsDependencies,
  context: RequestContext,
  resources: number | undefined,
  auditRef: string | undefined,
): Promise<ExpiredMembers> {
  const bits = resources ?? ROLES | GROUPS
  if (bits < 0 || bits > (ROLES | GROUPS)) {
    throw badRequest('Invalid purgeResources value, error: should be a number in [0-3]')
  }
  return {
    expiredRoleMembers: bits & ROLES ? await purge(deps, context, roleKind, auditRef) : null,
    expiredGroupMembers: bits & GROUPS ? await purge(deps, context, groupKind, auditRef) : null,
  }
}

async function purge(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  auditRef: string | undefined,
): Promise<Removed[]> {
  const { store, config } = deps
  const batchSize = config.zms.purgeTaskLimitPerCall.value
  let left = batchSize * config.zms.purgeTaskMaxDbCallsPerRun.value
  // Domains keep members for times of their own, so all that are expired are candidates.
  const expired = await (kind === roleKind
    ? store.expiredRoleMembers(deps.now(), Number.MAX_SAFE_INTEGER)
    : store.expiredGroupMembers(deps.now(), Number.MAX_SAFE_INTEGER))
  const byDomain = Map.groupBy(expired, ({ domain }) => domain)
  const removed: Removed[] = []
  for (const [name, found] of byDomain) {
    const domain = await store.domain(name)
    if (!domain) continue
    const due = found.filter((membership) => isDue(deps, kind, domain, membership, deps.now()))
    for (let start = 0; start < due.length && left > 0; start += batchSize) {
      const batch = due.slice(start, start + Math.min(batchSize, left))
      left -= batch.length
      removed.push(...(await removeBatch(deps, context, kind, name, batch, auditRef)))
    }
  }
  return removed
}

/** Whether a membership is there and has been expired for as long as its domain keeps such. */
function isDue(
  { config }: Pick<ZmsDependencies, 'config'>,
  kind: CollectionKind,
  domain: Domain,
  { collection, member }: FoundMembership,
  now: number,
): boolean {
  const days = domain.memberPurgeExpiryDays ?? config.zms.purgeMemberExpiryDays.value
  const expiration = kind.find(domain, collection)?.members.get(member)?.expiration
  return days > 0 && expiration !== undefined && expiration < now - days * DAY_MILLIS
}

function removeBatch(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  name: string,
  batch: readonly FoundMembership[],
  auditRef: string | undefined,
): Promise<Removed[]> {
  const subject = { context, domains: [name], entity: `expired ${kind.kind} members`, auditRef }
  return deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(name)
    if (!domain) return []
    const principal = context.principal?.fullName ?? ''
    const removed: Removed[] = []
    for (const membership of batch) {
      // Somebody may have extended it meanwhile.
      if (!isDue(deps, kind, domain, membership, transaction.now)) continue
      const { collection, member } = membership
      const expiration = kind.find(domain, collection)?.members.get(member)?.expiration
      const changes = new MemberChanges(kind, name, collection, { principal, auditRef, now: transaction.now })
      transaction.apply(...changes.remove(member))
      removed.push({
        domainName: name,
        collectionName: collection,
        principalName: member,
        expiration: timestamp(expiration) as string,
      })
    }
    return removed
  })
}
