import { badRequest, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { isMemberName, resolveUserAlias } from '#core/names/principal-name.ts'
import { Glob } from '#core/rbac/glob.ts'
import type { Domain, Role } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { putAssertions } from './assertion-write.ts'
import { baseOf, roleKind } from './collection.ts'
import { memberCollection } from './collection-write.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { activePolicies } from './domain-views.ts'
import { MemberChanges } from './member-changes.ts'
import { memberDays } from './member-dates.ts'
import { requireMemberDomain } from './member-rules.ts'
import { newDomain } from './new-domain.ts'
import { principalDomainsOf } from './principal-domains.ts'
import { activeVersion } from './stored-policy.ts'

/** Administrators that a domain is to have again. */
export interface DefaultAdmins {
  readonly domainName: string
  /** Full names; those in the role already stay as they are. */
  readonly admins: readonly string[]
  readonly auditRef: string | undefined
}

const ADMIN = 'admin'

/**
 * Gives a domain its administrators again: the role `admin` has its own members, the policy `admin` allows them
 * everything, nothing denies them by that role, and the administrators given are in it and in no role that is denied
 * anything.
 */
export async function putDefaultAdmins(
  deps: ZmsDependencies,
  context: RequestContext,
  { domainName, admins, auditRef }: DefaultAdmins,
): Promise<void> {
  const domains = principalDomainsOf(deps.config)
  const names = [...new Set(admins.map((admin) => resolveUserAlias(admin, domains)))]
  const subject = { context, domains: [domainName], entity: ADMIN, auditRef }
  await deps.writes.commit(subject, async (transaction) => {
    const domain = await transaction.domain(domainName)
    if (!domain) throw notFound(`putDefaultAdmins: Domain not found: '${domainName}'`)
    restoreObjects(transaction, domain)
    removeDenials(deps, context, transaction, domain, names, auditRef)
    await addAdmins(deps, context, transaction, domainName, names, auditRef)
  })
}

/** Puts the role and the policy of the administrators as a new domain has them, where they are not. */
function restoreObjects(transaction: Transaction, domain: Domain): void {
  const fresh = newDomain({ name: domain.name, admins: [], requestPrincipal: '' })
  const role = domain.roles.get(ADMIN)
  // The members of a delegated role are those of another domain's roles.
  if (!role || role.trust) {
    const { trust: _, ...base } = baseOf(role ?? roleOf(fresh))
    transaction.apply({ kind: 'putRole', domain: domain.name, value: base })
  }
  const standard = activeVersion(fresh.policies.get(ADMIN))?.assertions.values() ?? []
  putAssertions(transaction, domain, ADMIN, [...standard], { others: 'keep' })
}

const roleOf = ({ roles }: Domain) => roles.get(ADMIN) as Role

/** Removes what denies the administrators: assertions about their role, and their memberships in other denied roles. */
function removeDenials(
  { writes }: Pick<ZmsDependencies, 'writes'>,
  context: RequestContext,
  transaction: Transaction,
  domain: Domain,
  admins: readonly string[],
  auditRef: string | undefined,
): void {
  const denied = new Set<string>()
  for (const { name: policy, version, assertions } of activePolicies(domain)) {
    for (const [id, { effect, role }] of assertions) {
      if (effect !== 'DENY') continue
      const roles = new Glob(role)
      if (roles.matches(ADMIN)) {
        transaction.apply({ kind: 'deleteAssertion', domain: domain.name, policy, version, id })
        continue
      }
      for (const name of domain.roles.keys()) if (roles.matches(name)) denied.add(name)
    }
  }
  const principal = context.principal?.fullName ?? ''
  for (const name of denied) {
    const changes = new MemberChanges(roleKind, domain.name, name, { principal, auditRef, now: transaction.now })
    const role = domain.roles.get(name)
    for (const admin of admins) {
      if (!role?.members.has(admin)) continue
      writes.requireAuditReference(context, 'role', domain, auditRef, role)
      transaction.apply(...changes.remove(admin))
    }
  }
}

async function addAdmins(
  deps: ZmsDependencies,
  context: RequestContext,
  transaction: Transaction,
  domainName: string,
  admins: readonly string[],
  auditRef: string | undefined,
): Promise<void> {
  const domain = (await transaction.domain(domainName)) as Domain
  const role = roleOf(domain)
  const principal = context.principal?.fullName ?? ''
  const changes = new MemberChanges(roleKind, domainName, ADMIN, { principal, auditRef, now: transaction.now })
  let count = role.members.size
  for (const name of admins) {
    if (role.members.has(name)) continue
    if (!isMemberName(name)) {
      await requireMemberDomain(transaction, name)
      throw badRequest(`Principal ${name} is not valid`)
    }
    await deps.memberRules.check(transaction, memberCollection(deps, roleKind, domain, role), name)
    deps.writes.requireAuditReference(context, 'role', domain, auditRef, role)
    deps.quotas.requireRoomForMember('role', domain, role.maxMembers, count++)
    const member = { name, type: deps.memberRules.typeOf(name) }
    const days = memberDays(role, domain)
    const dates = await deps.memberDates.dates(member, {}, days, transaction.now, role.userAuthorityExpiration)
    transaction.apply(...changes.put(name, dates, 'ADD', principal))
  }
}
