import { badRequest, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { isName } from '#core/names/patterns.ts'
import type { Auditor } from '../store/duties.ts'
import type { Domain, Group, PendingRoleMember, Role } from '../store/model.ts'
import type { CollectionKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { storedMemberName } from './principal-domains.ts'
import { compact, timestamp } from './wire-form.ts'

/** Which requests are asked for: those of a domain, or those that a principal may decide. */
export interface PendingQuery {
  readonly principal: string | undefined
  readonly domainName: string | undefined
}

/** Domain in a query that means all of them. */
const ALL_DOMAINS = '*'

/**
 * Requests for membership by domain and member. With only a domain: all of its requests; 404 when there is no such domain,
 * which otherwise has none. Otherwise those that the
 * principal (by default the caller) may decide: as an auditor of the domain or its organization for audit-enabled
 * objects, as administrator of the domain for self-serve and review-enabled ones.
 */
export async function pendingMembers(
  deps: ZmsDependencies,
  context: RequestContext,
  kind: CollectionKind,
  query: PendingQuery,
): Promise<{ domainName: string; members: Record<string, unknown>[] }[]> {
  const { store } = deps
  const { principal } = query
  const domainName = query.domainName === '' ? undefined : query.domainName
  const only = domainName === ALL_DOMAINS ? undefined : domainName
  if (only !== undefined && !isName('DomainName', only)) {
    throw badRequest(`Invalid DomainName error: ${only} is not the name of a domain`)
  }
  const asked = principal && storedMemberName(deps.config, principal)
  const decider = asked ?? (domainName === undefined ? context.principal?.fullName : undefined)
  if (decider === undefined && only !== undefined && !(await store.domain(only))) {
    throw notFound(`unknown domain - ${only}`)
  }
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
  const found: { domainName: string; members: Record<string, unknown>[] }[] = []
  for (const domain of domains.values()) {
    const collections: Iterable<Role | Group> = kind.kind === 'role' ? domain.roles.values() : domain.groups.values()
    const key = kind.kind === 'role' ? 'memberRoles' : 'memberGroups'
    const members: Record<string, unknown>[] = []
    for (const collection of collections) {
      if (decider !== undefined && audit && !decides(decider, domain, collection, audit, deps.now())) continue
      // One entry for each request, as the original answers, though a member may have several.
      for (const pending of collection.pending.values()) {
        members.push({ memberName: pending.memberName, [key]: [pendingReply(kind, collection, pending)] })
      }
    }
    if (members.length > 0) found.push({ domainName: domain.name, members })
  }
  return found
}

/** The domains and organizations for whose audited roles and groups a principal decides. */
export async function auditorOf(deps: ZmsDependencies, principal: string): Promise<Auditor> {
  const { byDomain, byOrg } = await auditDomains(deps)
  const now = deps.now()
  const heldIn = (domain: Domain | undefined) =>
    new Set([...(domain?.roles.values() ?? [])].filter((role) => isActiveMember(role, principal, now)).map(nameOf))
  return { domains: heldIn(byDomain), orgs: heldIn(byOrg) }
}

const nameOf = ({ name }: Role): string => name

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
