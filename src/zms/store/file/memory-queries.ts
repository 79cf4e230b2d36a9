import type { DomainHistoryEntry, DomainHistoryQuery } from '../domain-history.ts'
import type { Auditor, DutyQuery } from '../duties.ts'
import type { Domain, MemberAudit } from '../model.ts'
import { type NoticeKind, type NoticeSubject, noticeDates, noticeHolders } from '../notices.ts'
import { countsOf } from '../object-counts.ts'
import type { SearchFindings, SearchQuery } from '../search.ts'
import type { DomainAttribute, DomainListFilter, FoundMembership, ObjectCounts, StoreQueries } from '../store.ts'
import type { Memory } from './memory.ts'
import { MemoryDuties } from './memory-duties.ts'
import { searchMemory } from './memory-search.ts'

/** The questions of the store contract, answered from memory. */
export class MemoryQueries implements StoreQueries {
  readonly #memory: Memory
  readonly #duties: MemoryDuties

  constructor(memory: Memory) {
    this.#memory = memory
    this.#duties = new MemoryDuties(memory)
  }

  domain(name: string): Domain | undefined {
    return this.#memory.domains.get(name)
  }

  domains(names: readonly string[]): ReadonlyMap<string, Domain> {
    const found = new Map<string, Domain>()
    for (const name of names) {
      const domain = this.#memory.domains.get(name)
      if (domain) found.set(name, domain)
    }
    return found
  }

  async domainNames(filter: DomainListFilter = {}): Promise<string[]> {
    const { prefix = '', depth, after, modifiedSince, limit = Number.POSITIVE_INFINITY } = filter
    const found: string[] = []
    const start = after !== undefined && after > prefix ? after : prefix
    for (const name of this.#memory.names.from(start)) {
      if (found.length >= limit || (name > prefix && !name.startsWith(prefix))) break
      if (name === after) continue
      if (depth !== undefined && dots(name) > depth) continue
      if (modifiedSince !== undefined && (this.#memory.domains.get(name) as Domain).modified <= modifiedSince) continue
      found.push(name)
    }
    return found
  }

  async modifiedDomains(since: number) {
    return this.#memory.modifications.since(since).map((name) => {
      const { modified, enabled } = this.#memory.domains.get(name) as Domain
      return { name, modified, enabled }
    })
  }

  async domainsByAttribute(attribute: DomainAttribute, value: string | number): Promise<string[]> {
    if (typeof value === 'number') return this.#namesWhere((domain) => domain[attribute] === value)
    const wanted = value.toLowerCase()
    const textOf = (domain: Domain) => domain[attribute]?.toString().toLowerCase()
    if (attribute !== 'account') return this.#namesWhere((domain) => textOf(domain) === wanted)
    return this.#namesWhere((domain) => textOf(domain)?.split(',').includes(wanted) ?? false)
  }

  async domainsByTag(key: string, value?: string): Promise<string[]> {
    const wanted = value?.toLowerCase()
    return this.#namesWhere(({ tags }) => {
      const values = tags?.get(key)
      return values !== undefined && (wanted === undefined || values.some((each) => each.toLowerCase() === wanted))
    })
  }

  async domainsByMember(member: string | undefined, role: string | undefined): Promise<string[]> {
    if (member === undefined) return this.#namesWhere((domain) => role !== undefined && domain.roles.has(role))
    const domains = this.#memory.membership.roles.domainsOf(member)
    if (role === undefined) return domains
    return domains.filter((name) => this.#memory.domains.get(name)?.roles.get(role)?.members.get(member) !== undefined)
  }

  async similarDomain(name: string): Promise<string | undefined> {
    if (this.#memory.domains.has(name)) return name
    const plain = name.replaceAll('.', '-')
    return (
      await this.#namesWhere(
        (domain) => domain.name.length === name.length && domain.name.replaceAll('.', '-') === plain,
      )
    )[0]
  }

  async domainsByContact(name: string): Promise<string[]> {
    return this.#namesWhere(({ contacts }) => contacts !== undefined && [...contacts.values()].includes(name))
  }

  async domainsByTemplate(template: string) {
    const found: { name: string; version: number }[] = []
    for (const name of this.#memory.names.from('')) {
      const version = this.#memory.domains.get(name)?.templates.get(template)
      if (version !== undefined) found.push({ name, version })
    }
    return found
  }

  async totalCounts(): Promise<ObjectCounts> {
    const total = countsOf(undefined)
    for (const domain of this.#memory.domains.values()) {
      const counts = countsOf(domain)
      for (const key of Object.keys(total) as (keyof ObjectCounts)[]) total[key] += counts[key]
    }
    total.subdomain = this.#memory.domains.size
    return total
  }

  async dependentDomains(service: string): Promise<string[]> {
    return [...this.#memory.dependencies]
      .filter(([, services]) => services.has(service))
      .map(([domain]) => domain)
      .sort()
  }

  async dependentServices(domain: string): Promise<string[]> {
    return [...(this.#memory.dependencies.get(domain) ?? [])].sort()
  }

  async rolesOfMember(member: string): Promise<FoundMembership[]> {
    return this.#memory.membership.roles
      .domainsOf(member)
      .flatMap((domain) => foundIn(domain, this.#memory.domains.get(domain)?.roles, member))
  }

  async groupsOfMember(member: string): Promise<FoundMembership[]> {
    return this.#memory.membership.groups
      .domainsOf(member)
      .flatMap((domain) => foundIn(domain, this.#memory.domains.get(domain)?.groups, member))
  }

  async rolesTrusting(trust: string): Promise<{ domain: string; role: string }[]> {
    return this.#memory.membership.trusts.domainsOf(trust).flatMap((domain) =>
      [...(this.#memory.domains.get(domain)?.roles.values() ?? [])]
        .filter((role) => role.trust === trust)
        .map((role) => ({ domain, role: role.name }))
        .sort((a, b) => byText(a.role, b.role)),
    )
  }

  async wildcardMemberships(): Promise<FoundMembership[]> {
    const found: FoundMembership[] = []
    for (const name of this.#memory.membership.roles.names()) {
      if (name.endsWith('*')) found.push(...(await this.rolesOfMember(name)))
    }
    return found.sort(byPlace)
  }

  async domainsWithPendingRoleMembers(domain?: string): Promise<string[]> {
    return this.#namesWhere(({ roles }) => someHolds(roles.values(), (role) => role.pending.size > 0), domain)
  }

  async domainsWithPendingGroupMembers(domain?: string): Promise<string[]> {
    return this.#namesWhere(({ groups }) => someHolds(groups.values(), (group) => group.pending.size > 0), domain)
  }

  async expiredRoleMembers(before: number, limit: number) {
    return this.#expired(before, limit, (domain) => domain.roles)
  }

  async expiredGroupMembers(before: number, limit: number) {
    return this.#expired(before, limit, (domain) => domain.groups)
  }

  async noticeSubjects(kind: NoticeKind, from: number, until: number): Promise<NoticeSubject[]> {
    const found: NoticeSubject[] = []
    for (const domain of this.#memory.domains.values()) {
      for (const [collection, subjects] of noticeHolders(kind, domain)) {
        for (const subject of subjects) {
          const { time, notifiedTime } = noticeDates(kind, subject)
          if (time === undefined || time < from || time >= until) continue
          const place = { domain: domain.name, collection, member: subject.memberName }
          found.push({ ...place, time, ...(notifiedTime !== undefined && { notifiedTime }) })
        }
      }
    }
    return found.sort(byPlace)
  }

  async roleAudit(domain: string, role: string): Promise<MemberAudit[]> {
    return this.#memory.history.read(domain, 'role', role)
  }

  async groupAudit(domain: string, group: string): Promise<MemberAudit[]> {
    return this.#memory.history.read(domain, 'group', group)
  }

  async domainHistory(query: DomainHistoryQuery): Promise<DomainHistoryEntry[]> {
    return this.#memory.history.readDomain(query)
  }

  administeredDomains(query: DutyQuery) {
    return this.#duties.administeredDomains(query)
  }

  dueReviews(query: DutyQuery & { readonly percent: number }) {
    return this.#duties.dueReviews(query)
  }

  decidableRequests(query: DutyQuery & { readonly auditor: Auditor }) {
    return this.#duties.decidableRequests(query)
  }

  endingMemberships(principal: string, before: number) {
    return this.#duties.endingMemberships(principal, before)
  }

  async searchServices(name: string, options: { substring: boolean; domain?: string; limit: number }) {
    const found: string[] = []
    for (const domain of this.#memory.names.withPrefix(options.domain ?? '')) {
      const { services } = this.#memory.domains.get(domain) as Domain
      if (!options.substring) {
        if (services.has(name)) found.push(`${domain}.${name}`)
        continue
      }
      for (const service of services.keys()) if (service.includes(name)) found.push(`${domain}.${service}`)
    }
    return { names: found.sort().slice(0, options.limit), total: found.length }
  }

  async servicesOnHost(host: string): Promise<string[]> {
    const found: string[] = []
    for (const domain of this.#memory.domains.values()) {
      for (const service of domain.services.values())
        if (service.hosts.has(host)) found.push(`${domain.name}.${service.name}`)
    }
    return found.sort()
  }

  async principal(name: string): Promise<number | undefined> {
    return this.#memory.principals.get(name)
  }

  async principalNames(prefix: string): Promise<string[]> {
    return [...this.#memory.principals.keys()].filter((name) => name.startsWith(prefix)).sort()
  }

  async suspendedPrincipals(bits: number): Promise<string[]> {
    return [...this.#memory.principals]
      .filter(([, suspended]) => (suspended & bits) !== 0)
      .map(([name]) => name)
      .sort()
  }

  search(query: SearchQuery): Promise<SearchFindings> {
    return searchMemory(this.#memory, query)
  }

  async #namesWhere(holds: (domain: Domain) => boolean, only?: string): Promise<string[]> {
    const found: string[] = []
    for (const domain of this.#memory.domains.values()) {
      if ((only === undefined || domain.name === only) && holds(domain)) found.push(domain.name)
    }
    return found.sort()
  }

  #expired(
    before: number,
    limit: number,
    collections: (domain: Domain) => ReadonlyMap<string, { members: { values(): Iterable<Expiring> } }>,
  ): (FoundMembership & { expiration: number })[] {
    const found: (FoundMembership & { expiration: number })[] = []
    for (const domain of this.#memory.domains.values()) {
      for (const [collection, { members }] of collections(domain)) {
        for (const { memberName: member, expiration } of members.values()) {
          if (expiration === undefined || expiration >= before) continue
          found.push({ domain: domain.name, collection, member, expiration })
          if (found.length >= limit) return found
        }
      }
    }
    return found
  }
}

interface Expiring {
  memberName: string
  expiration?: number
}

/** Roles or groups of a domain that have the member. */
const foundIn = (
  domain: string,
  collections: ReadonlyMap<string, { members: { getFolded(name: string): unknown } }> | undefined,
  member: string,
): FoundMembership[] =>
  [...(collections ?? [])]
    .filter(([, { members }]) => members.getFolded(member) !== undefined)
    .map(([collection]) => ({ domain, collection, member }))
    .sort((a, b) => byText(a.collection, b.collection))

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const byPlace = (a: FoundMembership, b: FoundMembership) =>
  byText(a.domain, b.domain) || byText(a.collection, b.collection) || byText(a.member, b.member)

const dots = (name: string) => name.split('.').length - 1

function someHolds<T>(values: Iterable<T>, holds: (value: T) => boolean): boolean {
  for (const value of values) if (holds(value)) return true
  return false
}
