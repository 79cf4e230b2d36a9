import { isUserName, type PrincipalDomains } from '#core/names/principal-name.ts'
import { splitResourceName } from '#core/names/resource-name.ts'
import type { NoticeDomain } from '#core/notification/notice.ts'
import { hasExpired } from '#core/rbac/holding.ts'
import type { MemberEntry, Members } from '#core/rbac/members.ts'
import { assumedRoles } from '../service/role-delegation.ts'
import type { Domain, Group, Role } from '../store/model.ts'
import type { DomainQueries } from '../store/store.ts'

/** Who is told something, and for which domain. */
export interface Addressees {
  /** Full names of users. */
  readonly people: ReadonlySet<string>
  readonly domain?: NoticeDomain
}

const AUDIT_BY_ORGANIZATION = 'sys.auth.audit.org'
const AUDIT_BY_DOMAIN = 'sys.auth.audit.domain'
const ADMIN = 'admin'

/** Finds the people behind roles, as the data are while notices are made. Made for one run, since it remembers domains. */
export class Recipients {
  readonly #queries: Pick<DomainQueries, 'domain'>
  readonly #principals: PrincipalDomains
  readonly #now: number
  readonly #domains = new Map<string, Promise<Domain | undefined>>()

  constructor(options: { queries: Pick<DomainQueries, 'domain'>; principals: PrincipalDomains; now: number }) {
    this.#queries = options.queries
    this.#principals = options.principals
    this.#now = options.now
  }

  /** The domain, asked for once. */
  domain(name: string): Promise<Domain | undefined> {
    let found = this.#domains.get(name)
    if (found === undefined) {
      found = Promise.resolve(this.#queries.domain(name))
      this.#domains.set(name, found)
    }
    return found
  }

  /** The administrators of a domain; nobody when it does not exist. */
  async admins(name: string): Promise<Addressees> {
    const domain = await this.domain(name)
    return { people: await this.#holders(name, ADMIN), ...(domain && { domain: placeOf(domain) }) }
  }

  /**
   * Those whom the role or group names to be told, or the administrators of its domain when it names none, or none who
   * could be told.
   */
  async caretakers(domain: Domain, collection: Role | Group): Promise<Addressees> {
    const named = await this.#named(domain.name, collection.notifyRoles)
    return named.size > 0 ? { people: named, domain: placeOf(domain) } : this.admins(domain.name)
  }

  /** Those who decide about requests: auditors of the domain and its organization, or those who look after the object. */
  async deciders(domain: Domain, collection: Role | Group): Promise<Addressees> {
    if (!collection.auditEnabled) return this.caretakers(domain, collection)
    const byDomain = await this.#holders(AUDIT_BY_DOMAIN, domain.name)
    const byOrganization = domain.org === undefined ? [] : await this.#holders(AUDIT_BY_ORGANIZATION, domain.org)
    return { people: new Set([...byDomain, ...byOrganization]), domain: placeOf(domain) }
  }

  /** Those who speak for a member: a user herself, those who look after a group, the administrators of a service. */
  async spokespeople(member: string): Promise<Addressees> {
    if (member.includes('*')) return NOBODY
    const group = splitResourceName('group', member)
    if (group) {
      const domain = await this.domain(group.domain)
      const found = domain?.groups.get(group.name)
      return domain && found ? this.caretakers(domain, found) : NOBODY
    }
    if (member.includes(':')) return NOBODY
    if (isUserName(member, this.#principals)) return { people: new Set([member]) }
    const dot = member.lastIndexOf('.')
    return dot > 0 ? this.admins(member.slice(0, dot)) : NOBODY
  }

  /** The people in a comma list of roles and groups, local names or full ones. */
  async #named(domain: string, list: string | undefined): Promise<ReadonlySet<string>> {
    const people = new Set<string>()
    for (const entry of (list ?? '').split(',')) {
      const name = entry.trim().toLowerCase()
      if (name === '') continue
      const group = splitResourceName('group', name)
      const role = name.includes(':') ? splitResourceName('role', name) : { domain, name }
      const found = group ? await this.#groupMembers(group.domain, group.name) : []
      for (const person of found) people.add(person)
      if (role) for (const person of await this.#holders(role.domain, role.name)) people.add(person)
    }
    return people
  }

  /** The users who hold a role, by themselves, through groups or by delegation. */
  async #holders(domainName: string, roleName: string): Promise<ReadonlySet<string>> {
    const people = new Set<string>()
    const domain = await this.domain(domainName)
    const role = domain?.roles.get(roleName)
    if (!role) return people
    for (const { members } of await this.#membersOf(domainName, role)) {
      for (const person of this.#users(members)) people.add(person)
      for (const { domain: groupDomain, group, entry } of members.groups) {
        if (!this.#counts(entry)) continue
        for (const person of await this.#groupMembers(groupDomain, group)) people.add(person)
      }
    }
    return people
  }

  async #membersOf(domainName: string, role: Role): Promise<readonly Role[]> {
    if (role.trust === undefined) return [role]
    const trusted = await this.domain(role.trust)
    return trusted ? assumedRoles(trusted, domainName, role.name) : []
  }

  async #groupMembers(domainName: string, groupName: string): Promise<readonly string[]> {
    const group = (await this.domain(domainName))?.groups.get(groupName)
    return group ? this.#users(group.members) : []
  }

  #users(members: Members): string[] {
    return [...members]
      .filter((member) => this.#counts(member) && isUserName(member.memberName, this.#principals))
      .map(({ memberName }) => memberName)
      .filter((name) => !name.includes('*'))
  }

  #counts(entry: MemberEntry): boolean {
    return !entry.systemDisabled && !hasExpired(entry, this.#now)
  }
}

const NOBODY: Addressees = { people: new Set() }

const placeOf = ({ name, slackChannel }: Domain): NoticeDomain => ({
  name,
  ...(slackChannel !== undefined && { slackChannel }),
})
