import { forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { groupResourceName, roleResourceName } from '#core/names/resource-name.ts'
import type { groupMembershipEndpoints } from '../api/group-membership.ts'
import type { roleMembershipEndpoints } from '../api/role-membership.ts'
import type { RoleMember } from '../store/model.ts'
import type { FoundMembership, Store } from '../store/store.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { mayLookUpRoles } from './role-lookup.ts'
import { compact, timestamp } from './wire-form.ts'

/** Where one principal is a member. */
export function principalMembershipService(
  deps: ZmsDependencies,
): Pick<Handlers<typeof roleMembershipEndpoints>, 'getPrincipalRoles'> &
  Pick<Handlers<typeof groupMembershipEndpoints>, 'getPrincipalGroups'> {
  const { store } = deps
  return {
    async getPrincipalRoles({ query }, context) {
      const principal = query.principal ?? context.principal?.fullName ?? ''
      const { principal: caller } = context
      if (query.expand && !(caller && (await mayLookUpRoles(deps, caller, principal, query.domainName)))) {
        throw forbidden('principal is not authorized to request expanded role lookup')
      }
      await requireKnown(store, principal, query.domainName)
      const roles = query.expand ? await expandedRoles(deps, principal) : await directRoles(store, principal)
      const shown = roles.filter(({ domain }) => query.domainName === undefined || domain === query.domainName)
      return ok({ memberName: principal, memberRoles: shown.map(memberRoleReply) })
    },

    async getPrincipalGroups({ query }, context) {
      const principal = query.principal ?? context.principal?.fullName ?? ''
      await requireKnown(store, principal, query.domainName)
      const found = await store.groupsOfMember(principal)
      const shown = found.filter(({ domain }) => query.domainName === undefined || domain === query.domainName)
      const domains = await domainsOf(store, shown)
      const memberGroups = shown.flatMap(({ domain, collection, member }) => {
        const entry = domains.get(domain)?.groups.get(collection)?.members.get(member)
        if (!entry) return []
        return [
          compact({
            groupName: collection,
            domainName: domain,
            expiration: timestamp(entry.expiration),
            systemDisabled: entry.systemDisabled,
          }),
        ]
      })
      return ok({ memberName: principal, memberGroups })
    },
  }
}

/** 404 when the principal was never seen, or the domain does not exist. */
async function requireKnown(store: Store, principal: string, domain: string | undefined): Promise<void> {
  if ((await store.principal(principal)) === undefined) throw notFound(`unknown principal - ${principal}`)
  if (domain !== undefined && !(await store.domain(domain))) throw notFound(`unknown domain - ${domain}`)
}

/** A role that a principal has, and how. */
interface PrincipalRole {
  readonly domain: string
  /** Local name. */
  readonly role: string
  /** The entry that brings it: the principal's own, or that of the group. */
  readonly entry: RoleMember
  /** Full name of the group that is the member. */
  readonly group?: string | undefined
  /** Full name of the role of the trusted domain through which a delegated role is held. */
  readonly trustRole?: string
}

const memberRoleReply = ({ domain, role, entry, group, trustRole }: PrincipalRole): Record<string, unknown> =>
  compact({
    roleName: role,
    domainName: domain,
    memberName: group,
    expiration: timestamp(entry.expiration),
    reviewReminder: timestamp(entry.reviewReminder),
    systemDisabled: entry.systemDisabled,
    trustRoleName: trustRole,
  })

/** Roles of which the principal itself is a member, whether that counts or not. */
async function directRoles(store: Store, principal: string, group?: string): Promise<PrincipalRole[]> {
  const found = await store.rolesOfMember(principal)
  const domains = await domainsOf(store, found)
  return found.flatMap(({ domain, collection, member }) => {
    const entry = domains.get(domain)?.roles.get(collection)?.members.get(member)
    return entry ? [{ domain, role: collection, entry, group }] : []
  })
}

/** Direct roles, those of the principal's groups, and the delegated ones that come with any of these. */
async function expandedRoles(deps: ZmsDependencies, principal: string): Promise<PrincipalRole[]> {
  const { store } = deps
  const groups = (await store.groupsOfMember(principal)).map(({ domain, collection }) =>
    groupResourceName(domain, collection),
  )
  const byGroups = await Promise.all(groups.map((group) => directRoles(store, group, group)))
  const held = [...(await directRoles(store, principal)), ...byGroups.flat()]
  return [...held, ...(await delegatedRoles(deps, held))]
}

/** Roles delegated to the domains of held roles that these roles may assume. */
async function delegatedRoles(
  { store, authorization }: ZmsDependencies,
  held: readonly PrincipalRole[],
): Promise<PrincipalRole[]> {
  const trusted = await domainsOf(store, held)
  const delegated = await Promise.all(
    [...trusted.values()].map(async (home) => {
      const candidates = await store.rolesTrusting(home.name)
      const { policies } = authorization.view(home)
      const mine = held.filter(({ domain }) => domain === home.name)
      return candidates.flatMap((candidate) => {
        const delegations = policies.delegations(roleResourceName(candidate.domain, candidate.role))
        return mine
          .filter(({ role }) => delegations.some((delegation) => delegation.selectsRole(role)))
          .map((one) => ({
            ...one,
            ...candidate,
            entry: entryOfDelegation(one.entry),
            trustRole: roleResourceName(home.name, one.role),
          }))
      })
    }),
  )
  return delegated.flat()
}

/** Of the entry that brings a delegated role only the end counts there. */
const entryOfDelegation = ({ memberName, expiration }: RoleMember): RoleMember => compact({ memberName, expiration })

const domainsOf = (store: Store, found: readonly (FoundMembership | PrincipalRole)[]) =>
  store.domains([...new Set(found.map(({ domain }) => domain))])
