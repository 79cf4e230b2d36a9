import { notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { Domain, Group, PendingRoleMember, Role } from '../store/model.ts'
import type { CollectionKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { compact, timestamp } from './wire-form.ts'

/** Which requests are asked for: those of a domain, or those that a principal may decide. */
export interface PendingQuery {
  readonly principal: string | undefined
  readonly domainName: string | undefined
}

/** Domain in a query that means all of them. */
const ALL_DOMAINS = '*'

/**
 * Requests for membership by domain and member. With only a domain: all of its requests. Otherwise those that the
 * principal (by default the caller) may decide: as an auditor of the domain or its organization for audit-enabled
 * objects, as administrator of the domain for self-serve and review-enabled ones.
 */
export async function pendingMembers(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { principal, domainName }: PendingQuery,
): Promise<{ domainName: string; members: Record<string, unknown>[] }[]> {
  const found = new Map<string, Record<string, unknown>[]>()
  const key = kind.kind === 'role' ? 'memberRoles' : 'memberGroups'
  for (const { domain, collection, pending } of await pendingRequests(deps, context, kind, { principal, domainName })) {
    // One entry for each request, as the original answers, though a member may have several.
    const entry = { memberName: pending.memberName, [key]: [pendingReply(kind, collection, pending)] }
    const members = found.get(domain.name)
    if (members) members.push(entry)
    else found.set(domain.name, [entry])
  }
  return [...found].map(([name, members]) => ({ domainName: name, members }))
}

/** A request for membership, and where. */
export interface PendingRequest {
  readonly domain: Domain
  readonly collection: Role | Group
  readonly pending: PendingRoleMember
}

/** The requests for membership that are asked for, as `pendingMembers` says, by domain. */
export async function pendingRequests(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  { principal, domainName }: PendingQuery,
): Promise<Iterable<PendingRequest>> {
  const { store } = deps
  const only = domainName === ALL_DOMAINS ? undefined : domainName
  if (only !== undefined && !(await store.domain(only))) throw notFound(`unknown domain - ${only}`)
  const decider = principal ?? (domainName === undefined ? context.principal?.fullName : undefined)
  if (decider !== undefined && (await store.principal(decider)) === undefined) {
    if (principal !== undefined) throw notFound(`unknown principal - ${decider}`)
    return []
  }
  const names =
    kind.kind === 'role'
      ? await store.domainsWithPendingRoleMembers(only)
      : await store.domainsWithPendingGroupMembers(only)
  const domains = await store.domains(names)
  const audit = decider === undefined ? undefined : await auditDomains(deps)
  const time = deps.now()
  const isAsked = (domain: Domain, collection: Role | Group) =>
    decider === undefined || !audit || decides(decider, domain, collection, audit, time)
  return requestsIn(domains.values(), kind, isAsked)
}

function* requestsIn(
  domains: Iterable<Domain>,
  kind: CollectionKind,
  isAsked: (domain: Domain, collection: Role | Group) => boolean,
): Generator<PendingRequest> {
  for (const domain of domains) {
    const collections: Iterable<Role | Group> = kind.kind === 'role' ? domain.roles.values() : domain.groups.values()
    for (const collection of collections) {
      if (collection.pending.size === 0 || !isAsked(domain, collection)) continue
      for (const pending of collection.pending.values()) yield { domain, collection, pending }
    }
  }
}

/** The domains whose roles name the auditors of domains and organizations. */
async function auditDomains({
  store,
}: ZmsDependencies): Promise<{ byDomain?: Domain | undefined; byOrg?: Domain | undefined }> {
  const found = await store.domains(['sys.auth.audit.domain', 'sys.auth.audit.org'])
  return { byDomain: found.get('sys.auth.audit.domain'), byOrg: found.get('sys.auth.audit.org') }
}

function decides(
  principal: string,
  domain: Domain,
  collection: Role | Group,
  audit: { byDomain?: Domain | undefined; byOrg?: Domain | undefined },
  now: number,
): boolean {
  if (collection.auditEnabled) {
    const byOrg = domain.org === undefined ? undefined : audit.byOrg?.roles.get(domain.org)
    return (
      isActiveMember(audit.byDomain?.roles.get(domain.name), principal, now) || isActiveMember(byOrg, principal, now)
    )
  }
  // Requests for other objects are decided by the administrators, also where the object no longer needs a decision.
  return isActiveMember(domain.roles.get('admin'), principal, now)
}

function isActiveMember(role: Role | undefined, principal: string, now: number): boolean {
  const member = role?.members.get(principal)
  return member !== undefined && !member.systemDisabled && (member.expiration === undefined || member.expiration >= now)
}

const pendingReply = (kind: CollectionKind, collection: Role | Group, pending: PendingRoleMember) =>
  compact({
    [kind.kind === 'role' ? 'roleName' : 'groupName']: collection.name,
    expiration: timestamp(pending.expiration),
    reviewReminder: timestamp(pending.reviewReminder),
    active: false,
    auditRef: pending.auditRef,
    requestPrincipal: pending.requestPrincipal,
    requestTime: timestamp(pending.requestTime),
    pendingState: pending.pendingState,
  })
