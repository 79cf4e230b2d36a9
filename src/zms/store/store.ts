import type { Pools } from '#core/metrics/pool-metrics.ts'
import type { Change } from './change.ts'
import type { DomainHistoryQueries } from './domain-history.ts'
import type { DutyQueries } from './duties.ts'
import type { Domain, MemberAudit, Quota } from './model.ts'
import type { NoticeQueries, Notices } from './notices.ts'
import type { SearchQueries } from './search.ts'

/**
 * What ZMS asks of a data store; `file` and `mysql` implement it and pass one suite.
 *
 * Freshness: every answer reflects all changes that were acknowledged, by any process on the same data, before the call.
 * Durability: when `transact` resolves, its changes survive a crash. Atomicity: they are seen together or not at all.
 *
 * Errors: ServiceError `unavailable` when the data cannot be reached, `conflict` when contention outlasted the retries,
 * `gone` when the database refuses writes; `bad-request` "Schema violation - data too long" when a value does not fit
 * and "Entry already exists" when a domain is created that is there.
 * Unless a method says otherwise, lists come in ascending order of names (of UTF-16 code units; of domain, then
 * collection, then member where there are several), and names and values are compared exactly.
 */
export interface Store
  extends DomainQueries,
    MemberQueries,
    ServiceQueries,
    PrincipalQueries,
    SearchQueries,
    DomainHistoryQueries,
    DutyQueries,
    Notices {
  /**
   * Runs `decide` over a consistent view and commits the changes it collected. `domains` names every domain it changes
   * (they are locked, in this and other processes, and need not exist); it may read others. `decide` may run several
   * times (deadlock, lost connection), so it has no effects but through the transaction. Whatever it throws rolls back.
   * It must not begin another transaction. What it read of the locked domains is still so when the changes are made.
   */
  transact<T>(domains: readonly string[], decide: (transaction: Transaction) => Promise<T> | T): Promise<T>

  /** Whether the data can be reached now; used by status and health. */
  check(): Promise<boolean>
  /** What is not as it should be although all data can be reached (a copy is lost), for `/readyz`; of stores that can tell. */
  remark?(): string | undefined
  /** What the connections to databases are doing, for the metrics; of stores that have some. */
  pools?(): Pools
  close(): Promise<void>
}

/** Everything that can be read of a store without changing it. */
export type StoreQueries = DomainQueries &
  MemberQueries &
  ServiceQueries &
  PrincipalQueries &
  SearchQueries &
  DomainHistoryQueries &
  DutyQueries &
  NoticeQueries

/** The view and the collected changes of one transaction. */
export interface Transaction {
  /**
   * The time of this transaction in epoch milliseconds; later than every stamp that was visible in the locked domains.
   * Transactions that become visible together may have the same. The objects it changes are stamped with it. Their
   * domains are stamped with it or a little later: stamps of domains follow the order in which transactions of this
   * process become visible, so that who asks for everything since the latest stamp misses nothing.
   */
  readonly now: number
  /** A domain as it will be after the changes collected so far; undefined when it does not exist. */
  domain(name: string): Promise<Domain | undefined>
  /** Adds a change; its domain must be among the locked ones. */
  apply(...changes: Change[]): void
  /** Queries that see the committed state (not the changes collected so far). */
  readonly queries: DomainQueries & MemberQueries & ServiceQueries & PrincipalQueries
}

/** Filters of a list of domain names; those given must all hold. */
export interface DomainListFilter {
  /** Names that begin with it. */
  prefix?: string
  /** Greatest number of dots in the name. */
  depth?: number
  /** Names after this one. */
  after?: string
  /** Changed later than this (epoch milliseconds). */
  modifiedSince?: number
  /** At most so many names. */
  limit?: number
}

/** Settings by which domains are looked up. */
export type DomainAttribute = 'account' | 'azureSubscription' | 'gcpProject' | 'ypmId' | 'productId' | 'businessService'

/** Counts of the objects of one domain, or of all: of each kind that a quota limits. */
export type ObjectCounts = Omit<Quota, 'modified'>

/** Reads of domains. */
export interface DomainQueries {
  /**
   * The domain with all it holds, or undefined. Synchronous (not a promise) when the store can answer from memory
   * without asking anybody: the hot path of access checks depends on it.
   */
  domain(name: string): Domain | undefined | Promise<Domain | undefined>
  /** Several domains of one moment; names that do not exist are left out. */
  domains(names: readonly string[]): ReadonlyMap<string, Domain> | Promise<ReadonlyMap<string, Domain>>
  domainNames(filter?: DomainListFilter): Promise<string[]>
  /** Names and modification stamps of domains modified at or after `since`, oldest first. */
  modifiedDomains(since: number): Promise<{ name: string; modified: number; enabled: boolean }[]>
  /** Names of domains with the attribute in any letter case; for `account`, any element of the stored comma list. */
  domainsByAttribute(attribute: DomainAttribute, value: string | number): Promise<string[]>
  /** Domains with the tag of exactly this key; its value, if one is given, in any letter case. */
  domainsByTag(key: string, value?: string): Promise<string[]>
  /** Domains in which `member` is in any role, or in role `role`; either may be undefined, not both. */
  domainsByMember(member: string | undefined, role: string | undefined): Promise<string[]>
  /** A domain whose name equals `name` when `.` and `-` are taken as the same, itself included. */
  similarDomain(name: string): Promise<string | undefined>
  /** Domains with a contact of that name. */
  domainsByContact(name: string): Promise<string[]>
  /** Domains that have applied the template, with the version they applied. */
  domainsByTemplate(template: string): Promise<{ name: string; version: number }[]>
  /** Number of all objects. */
  totalCounts(): Promise<ObjectCounts>
  /** Domains that depend on the service (recorded dependencies). */
  dependentDomains(service: string): Promise<string[]>
  /** Services the domain depends on (recorded dependencies). */
  dependentServices(domain: string): Promise<string[]>
}

/** A membership found outside of its role or group. */
export interface FoundMembership {
  domain: string
  /** Local name of the role or group. */
  collection: string
  member: string
}

/** Reads over the members of all domains. The memberships themselves are then read from the domains. */
export interface MemberQueries {
  /** Roles in which the principal is an active (perhaps expired or disabled) member by exactly this name. */
  rolesOfMember(member: string): Promise<FoundMembership[]>
  /** Groups likewise. */
  groupsOfMember(member: string): Promise<FoundMembership[]>
  /** Roles of any domain that are delegated to the trust domain. */
  rolesTrusting(domain: string): Promise<{ domain: string; role: string }[]>
  /** Domains that hold a wildcard membership (`*` or `prefix*`). */
  wildcardMemberships(): Promise<FoundMembership[]>
  /** Names of domains with pending role members; in the given domain only when one is given. */
  domainsWithPendingRoleMembers(domain?: string): Promise<string[]>
  domainsWithPendingGroupMembers(domain?: string): Promise<string[]>
  /** Memberships in roles that expired before `before` (epoch ms), at most `limit`, in no particular order. */
  expiredRoleMembers(before: number, limit: number): Promise<(FoundMembership & { expiration: number })[]>
  expiredGroupMembers(before: number, limit: number): Promise<(FoundMembership & { expiration: number })[]>
  /** History of a role's members, oldest first. */
  roleAudit(domain: string, role: string): Promise<MemberAudit[]>
  groupAudit(domain: string, group: string): Promise<MemberAudit[]>
}

/** Reads over the services of all domains. */
export interface ServiceQueries {
  /**
   * Full names of services whose local name is (or contains) `name`, at most `limit`, and how many there are; when `domain`
   * is given, in domains whose names begin with it.
   */
  searchServices(
    name: string,
    options: { substring: boolean; domain?: string; limit: number },
  ): Promise<{ names: string[]; total: number }>
  /** Full names of services on the host. */
  servicesOnHost(host: string): Promise<string[]>
}

/** Reads of principals: every name that has ever been a member is known. */
export interface PrincipalQueries {
  /** Suspension bits (0 for none), or undefined when the name was never seen. */
  principal(name: string): Promise<number | undefined>
  /** Known principals with the prefix (e.g. `user.`), ascending. */
  principalNames(prefix: string): Promise<string[]>
  /** Principals that carry any of the bits. */
  suspendedPrincipals(bits: number): Promise<string[]>
}
