import { badRequest, forbidden } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import type { Domain, Role } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { type CollectionKind, groupKind, roleKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { domainBaseOf } from './domain-base.ts'
import { type MemberActor, MemberChanges } from './member-changes.ts'
import { sweepMemberships } from './membership-sweep.ts'
import { servicePrincipal } from './service-principal.ts'
import { compact } from './wire-form.ts'

/** Everything that goes with a user. */
interface Possessions {
  /** The user, and the services and groups of its personal domains, as members of others. */
  readonly principals: readonly string[]
  /** The personal domain and those below it. */
  readonly homes: readonly string[]
  /** Domains in which one of the principals has a request for membership. */
  readonly pending: readonly string[]
  /** Domains that name the user as a contact. */
  readonly contacts: readonly string[]
}

/**
 * Removes a user: its personal domain with those below, its own memberships and those of the domains' services and
 * groups, its requests, and its name. Where it is a contact, its manager takes over, or nobody. It is no error when there
 * is nothing to remove. 403 for system administrators.
 */
export async function deleteUser(
  deps: ZmsDependencies,
  context: RequestContext,
  name: string,
  auditRef: string | undefined,
): Promise<void> {
  deps.authorizedServices.check(context)
  if (!auditRef) throw badRequest('Audit reference is required for this operation')
  const user = `${deps.config.userDomain}.${name}`
  await requireNoAdministrator(deps, user)
  const home = `${deps.config.homeDomain}.${deps.userAuthority?.userDomainName?.(name) ?? name}`
  const manager = await deps.userAuthority?.userManager?.(user)
  const found = await possessionsOf(deps.store, user, home)
  const sweep = {
    subject: { context, entity: user, auditRef },
    principals: found.principals,
    alsoChanges: async () => {
      const { homes, pending, contacts } = await possessionsOf(deps.store, user, home)
      return [...homes, ...pending, ...contacts]
    },
  }
  await sweepMemberships(deps, sweep, async (transaction, memberships) => {
    const actor = { principal: context.principal?.fullName ?? '', auditRef, now: transaction.now }
    const now = await possessionsOf(transaction.queries, user, home)
    const gone = new Set(now.homes)
    for (const { kind, domain, collection, member } of memberships) {
      if (gone.has(domain)) continue
      transaction.apply(...new MemberChanges(kind, domain, collection, actor).remove(member))
    }
    const principals = new Set(found.principals)
    for (const domain of now.pending) if (!gone.has(domain)) await withdraw(transaction, domain, principals, actor)
    for (const domain of now.contacts) if (!gone.has(domain)) await handOver(transaction, domain, user, manager)
    for (const domain of now.homes) await deleteHome(transaction, domain)
    for (const principal of principals) {
      if ((await transaction.queries.principal(principal)) === undefined) continue
      transaction.apply({ kind: 'deletePrincipal', principal })
    }
  })
}

/** 403 when the user is a system administrator, by role or by right. */
async function requireNoAdministrator({ store, authorization }: ZmsDependencies, user: string): Promise<void> {
  const principal = servicePrincipal(user)
  const listed = (await store.domain('sys.auth'))?.roles.get('admin')?.members.has(user) ?? false
  if (listed || (principal && (await authorization.isSystemAdministrator(principal)))) {
    throw forbidden('system admin users cannot be deleted')
  }
}

async function possessionsOf(queries: Transaction['queries'], user: string, home: string): Promise<Possessions> {
  const homes = [
    ...((await queries.domain(home)) ? [home] : []),
    ...(await queries.domainNames({ prefix: `${home}.` })),
  ]
  const own = [...(await queries.principalNames(`${home}.`)), ...(await queries.principalNames(`${home}:`))]
  const principals = [user, ...own]
  const pending = await pendingDomains(queries, new Set(principals))
  return { principals, homes, pending, contacts: await queries.domainsByContact(user) }
}

async function pendingDomains(queries: Transaction['queries'], principals: ReadonlySet<string>): Promise<string[]> {
  const candidates = new Set([
    ...(await queries.domainsWithPendingRoleMembers()),
    ...(await queries.domainsWithPendingGroupMembers()),
  ])
  const domains = await queries.domains([...candidates])
  return [...domains.values()]
    .filter(({ roles, groups }) =>
      [...roles.values(), ...groups.values()].some(({ pending }) =>
        [...pending.keys()].some((name) => principals.has(name)),
      ),
    )
    .map(({ name }) => name)
}

/** Ends the requests of the principals in a domain. */
async function withdraw(
  transaction: Transaction,
  name: string,
  principals: ReadonlySet<string>,
  actor: MemberActor,
): Promise<void> {
  const domain = await transaction.domain(name)
  const end = (
    kind: CollectionKind,
    collections: Iterable<Pick<Role, 'name'> & { pending: ReadonlyMap<string, unknown> }>,
  ) => {
    for (const { name: collection, pending } of collections) {
      const changes = new MemberChanges(kind, name, collection, actor)
      for (const member of pending.keys()) {
        if (principals.has(member)) transaction.apply(...changes.settle(member, 'rejected'))
      }
    }
  }
  end(roleKind, domain?.roles.values() ?? [])
  end(groupKind, domain?.groups.values() ?? [])
}

/** Puts the manager in the place of the user among the contacts of a domain, or nobody. */
async function handOver(
  transaction: Transaction,
  name: string,
  user: string,
  manager: string | undefined,
): Promise<void> {
  const domain = await transaction.domain(name)
  if (!domain?.contacts) return
  const contacts = new Map(
    [...domain.contacts].flatMap(([type, contact]) => {
      if (contact !== user) return [[type, contact] as const]
      return manager ? [[type, manager] as const] : []
    }),
  )
  const value = compact({ ...domainBaseOf(domain), contacts: contacts.size > 0 ? contacts : undefined })
  transaction.apply({ kind: 'putDomain', domain: name, value })
}

async function deleteHome(transaction: Transaction, domain: Domain['name']): Promise<void> {
  for (const service of await transaction.queries.dependentServices(domain)) {
    transaction.apply({ kind: 'deleteDependency', dependentDomain: domain, service })
  }
  transaction.apply({ kind: 'deleteDomain', domain })
}
