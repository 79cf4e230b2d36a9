import { MySqlConnection, type MySqlSettings } from '#core/database/mysql-connection.ts'
import { MySqlPool, type PoolLimits } from '#core/database/mysql-pool.ts'
import type { Pools } from '#core/metrics/pool-metrics.ts'
import type { Clock } from '#core/seam/clock.ts'
import type { DomainHistoryQuery } from '../domain-history.ts'
import type { Auditor, DutyQuery } from '../duties.ts'
import type { Domain, MemberAudit } from '../model.ts'
import type { NoticeClaim, NoticeKind } from '../notices.ts'
import type { SearchQuery } from '../search.ts'
import type { DomainAttribute, DomainListFilter, FoundMembership, Store, Transaction } from '../store.ts'
import { DomainCache } from './domain-cache.ts'
import { DomainReader } from './domain-reader.ts'
import { claimSubjects } from './notices.ts'
import { MySqlQueries } from './queries.ts'
import { ReadSource } from './read-source.ts'
import { Attempts, asServiceError, type RetrySettings, readPatiently } from './retry.ts'
import type { WriteSettings } from './scope.ts'
import { DatabaseClock, GivenClock } from './stamp-clock.ts'
import { Sequence, type StampConnection, StampReader } from './stamps.ts'
import { Transactions } from './transactions.ts'
import { Writability } from './writability.ts'

/** What a MySQL store is made of. */
export interface MySqlStoreOptions {
  readonly primary: MySqlSettings
  /** Domains are loaded from it when it has caught up; everything else goes to the primary as long as that answers. */
  readonly replica?: MySqlSettings
  /** Whether the operator has declared that nothing is written; never when absent. */
  readonly readOnly?: () => boolean
  readonly log?: (level: 'info' | 'warn', message: string) => void
  readonly pool: PoolLimits
  readonly retry: RetrySettings
  readonly write?: WriteSettings
  /** How many roles, members, assertions and so on are kept in memory before the least used domains go. */
  readonly maxCachedObjects?: number
  /** What changes are stamped by; undefined: the clock of the database. */
  readonly clock?: Clock
  /** Numbers from 0 to below 1, to spread retries. */
  readonly random?: () => number
}

/** Enough for a million memberships and all that belongs to them, and not more than a server has memory for. */
const MAX_CACHED_OBJECTS = 4_000_000

const READ_SETUP = 'SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ'

const openForStamps = async (settings: MySqlSettings, isReplica: boolean): Promise<StampConnection> => ({
  connection: await MySqlConnection.open(settings, READ_SETUP),
  isReplica,
})

/** There is another database to ask: a copy that hangs must not hold requests up for long. */
const impatient = (replica: MySqlSettings): MySqlSettings => ({
  ...replica,
  connectTimeoutMillis: Math.min(replica.connectTimeoutMillis, 3_000),
  statementTimeoutMillis: Math.min(replica.statementTimeoutMillis, 10_000),
})

/**
 * Script of connections for transactions. They lock rows, never gaps, so that transactions of different domains do not
 * meet; a transaction of a server that fell silent ends after twice the longest statement.
 */
const writeSetup = (settings: MySqlSettings) => `SET autocommit = 0;
  SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;
  SET SESSION wait_timeout = ${Math.max(60, Math.ceil((2 * settings.statementTimeoutMillis) / 1000))}`

/**
 * The store in a MySQL or MariaDB database with the tables of `schema/zms_server.sql`. Domains are kept in memory and used
 * after their stamp in the database was found unchanged; any number of servers may work on one database. Its binary log, if
 * it has one, must not be in the format STATEMENT.
 */
export class MySqlStore implements Store {
  readonly #cache: DomainCache
  readonly #stamps: StampReader
  readonly #reader: DomainReader
  readonly #source: ReadSource
  readonly #readPool: MySqlPool
  readonly #writePool: MySqlPool
  readonly #replicaPool: MySqlPool | undefined
  readonly #queries: MySqlQueries
  readonly #transactions: Transactions
  readonly #writability: Writability
  readonly #retry: RetrySettings
  readonly #random: () => number
  #reconnectingSince = Number.NEGATIVE_INFINITY

  /** Connects when it is first used. */
  constructor(options: MySqlStoreOptions) {
    const { primary, replica, pool, retry, readOnly = () => false, log = () => {} } = options
    this.#retry = retry
    this.#random = options.random ?? Math.random
    const sequence = new Sequence()
    this.#cache = new DomainCache(options.maxCachedObjects ?? MAX_CACHED_OBJECTS, sequence)
    this.#readPool = new MySqlPool(primary, pool, READ_SETUP)
    this.#writePool = new MySqlPool(primary, pool, writeSetup(primary))
    this.#replicaPool = replica && new MySqlPool(impatient(replica), pool, READ_SETUP)
    this.#source = new ReadSource({ primary: this.#readPool, replica: this.#replicaPool, readOnly, log })
    this.#stamps = new StampReader({
      sequence,
      open: () => this.#openForStamps(primary, replica),
      isRight: ({ connection, isReplica }) =>
        isReplica === this.#source.isReplica && (isReplica || connection.openedAt > this.#reconnectingSince),
      onReadOnly: () => this.#reconnect(),
    })
    this.#reader = new DomainReader(this.#cache, this.#stamps, sequence, this.#source)
    this.#queries = new MySqlQueries({
      rows: (sql, values) => this.#source.use((connection) => connection.rows(sql, values)),
      domain: (name) => this.#reader.domain(name),
      domains: (names) => this.#reader.domains(names),
    })
    this.#writability = new Writability(this.#writePool)
    this.#transactions = new Transactions({
      pool: this.#writePool,
      reader: this.#reader,
      retry,
      random: this.#random,
      onReadOnly: () => this.#reconnect(),
      parts: {
        cache: this.#cache,
        sequence,
        clock: options.clock ? new GivenClock(options.clock) : new DatabaseClock(),
        writeSettings: options.write ?? {},
        readDomain: (name) => this.#reader.domain(name),
        queriesOn: (connection, domain) =>
          new MySqlQueries({
            rows: (sql, values) => connection.rows(sql, values),
            domain,
            domains: (names) => this.#domainsBy(domain, names),
          }),
      },
    })
  }

  /** What the connections are doing. */
  pools(): Pools {
    const pools: [string, MySqlPool | undefined][] = [
      ['primary, reading', this.#readPool],
      ['primary, writing', this.#writePool],
      ['replica', this.#replicaPool],
    ]
    return pools.flatMap(([name, pool]) => (pool ? [[name, pool.state] as const] : []))
  }

  transact<T>(domains: readonly string[], decide: (transaction: Transaction) => Promise<T> | T): Promise<T> {
    return this.#writability.watch(this.#transactions.run(domains, decide))
  }

  async check(): Promise<boolean> {
    try {
      await this.#source.use((connection) => connection.rows('SELECT 1 FROM domain LIMIT 1'))
      return true
    } catch {
      return false
    }
  }

  remark(): string | undefined {
    return this.#source.remark() ?? this.#writability.remark()
  }

  async close(): Promise<void> {
    this.#source.close()
    this.#stamps.close()
    for (const pool of [this.#readPool, this.#writePool, this.#replicaPool]) pool?.close()
  }

  domain(name: string): Promise<Domain | undefined> {
    return this.#reader.domain(name, (error) => this.#again(error, () => this.#reader.domain(name)))
  }

  domains(names: readonly string[]): Promise<ReadonlyMap<string, Domain>> {
    return this.#ask(() => this.#reader.domains(names))
  }

  domainNames(filter?: DomainListFilter) {
    return this.#ask(() => this.#queries.domainNames(filter))
  }

  modifiedDomains(since: number) {
    return this.#ask(() => this.#queries.modifiedDomains(since))
  }

  domainsByAttribute(attribute: DomainAttribute, value: string | number) {
    return this.#ask(() => this.#queries.domainsByAttribute(attribute, value))
  }

  domainsByTag(key: string, value?: string) {
    return this.#ask(() => this.#queries.domainsByTag(key, value))
  }

  domainsByMember(member: string | undefined, role: string | undefined) {
    return this.#ask(() => this.#queries.domainsByMember(member, role))
  }

  similarDomain(name: string) {
    return this.#ask(() => this.#queries.similarDomain(name))
  }

  domainsByContact(name: string) {
    return this.#ask(() => this.#queries.domainsByContact(name))
  }

  domainsByTemplate(template: string) {
    return this.#ask(() => this.#queries.domainsByTemplate(template))
  }

  totalCounts() {
    return this.#ask(() => this.#queries.totalCounts())
  }

  dependentDomains(service: string) {
    return this.#ask(() => this.#queries.dependentDomains(service))
  }

  dependentServices(domain: string) {
    return this.#ask(() => this.#queries.dependentServices(domain))
  }

  rolesOfMember(member: string) {
    return this.#ask(() => this.#queries.rolesOfMember(member))
  }

  groupsOfMember(member: string) {
    return this.#ask(() => this.#queries.groupsOfMember(member))
  }

  rolesTrusting(domain: string) {
    return this.#ask(() => this.#queries.rolesTrusting(domain))
  }

  wildcardMemberships() {
    return this.#ask(() => this.#queries.wildcardMemberships())
  }

  domainsWithPendingRoleMembers(domain?: string) {
    return this.#ask(() => this.#queries.domainsWithPendingRoleMembers(domain))
  }

  domainsWithPendingGroupMembers(domain?: string) {
    return this.#ask(() => this.#queries.domainsWithPendingGroupMembers(domain))
  }

  expiredRoleMembers(before: number, limit: number) {
    return this.#ask(() => this.#queries.expiredRoleMembers(before, limit))
  }

  expiredGroupMembers(before: number, limit: number) {
    return this.#ask(() => this.#queries.expiredGroupMembers(before, limit))
  }

  noticeSubjects(kind: NoticeKind, from: number, until: number) {
    return this.#ask(() => this.#queries.noticeSubjects(kind, from, until))
  }

  async claimNotices(
    kind: NoticeKind,
    subjects: readonly FoundMembership[],
    claim: NoticeClaim,
  ): Promise<FoundMembership[]> {
    let repeated = false
    return this.#ask(() =>
      this.#writePool.use((connection) => {
        const options = { ...claim, repeated }
        repeated = true
        return claimSubjects(connection, kind, subjects, options)
      }),
    )
  }

  roleAudit(domain: string, role: string): Promise<MemberAudit[]> {
    return this.#ask(() => this.#queries.roleAudit(domain, role))
  }

  groupAudit(domain: string, group: string): Promise<MemberAudit[]> {
    return this.#ask(() => this.#queries.groupAudit(domain, group))
  }

  domainHistory(query: DomainHistoryQuery) {
    return this.#ask(() => this.#queries.domainHistory(query))
  }

  administeredDomains(query: DutyQuery) {
    return this.#ask(() => this.#queries.administeredDomains(query))
  }

  dueReviews(query: DutyQuery & { readonly percent: number }) {
    return this.#ask(() => this.#queries.dueReviews(query))
  }

  decidableRequests(query: DutyQuery & { readonly auditor: Auditor }) {
    return this.#ask(() => this.#queries.decidableRequests(query))
  }

  endingMemberships(principal: string, before: number) {
    return this.#ask(() => this.#queries.endingMemberships(principal, before))
  }

  searchServices(name: string, options: { substring: boolean; domain?: string; limit: number }) {
    return this.#ask(() => this.#queries.searchServices(name, options))
  }

  servicesOnHost(host: string) {
    return this.#ask(() => this.#queries.servicesOnHost(host))
  }

  principal(name: string) {
    return this.#ask(() => this.#queries.principal(name))
  }

  principalNames(prefix: string) {
    return this.#ask(() => this.#queries.principalNames(prefix))
  }

  suspendedPrincipals(bits: number) {
    return this.#ask(() => this.#queries.suspendedPrincipals(bits))
  }

  search(query: SearchQuery) {
    return this.#ask(() => this.#queries.search(query))
  }

  /**
   * Gives up all connections to the primary database: what its former server holds is older than what will be written
   * over new ones.
   */
  #reconnect(): void {
    this.#reconnectingSince = performance.now()
    this.#readPool.clear()
    this.#writePool.clear()
  }

  #openForStamps(primary: MySqlSettings, replica: MySqlSettings | undefined): Promise<StampConnection> {
    return this.#source.connect({
      primary: () => openForStamps(primary, false),
      replica: () => openForStamps(replica ?? primary, true),
    })
  }

  async #ask<T>(read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      return this.#again(error, read)
    }
  }

  /** Tries again what failed by a broken connection: reading twice does no harm. */
  async #again<T>(error: unknown, read: () => Promise<T>): Promise<T> {
    const attempts = new Attempts(this.#retry, this.#random)
    try {
      if (!(await attempts.next(error))) throw error
      return await readPatiently(attempts, read)
    } catch (last) {
      throw asServiceError(last)
    }
  }

  async #domainsBy(
    domain: (name: string) => Promise<Domain | undefined>,
    names: readonly string[],
  ): Promise<ReadonlyMap<string, Domain>> {
    const found = new Map<string, Domain>()
    for (const name of names) {
      const each = await domain(name)
      if (each) found.set(name, each)
    }
    return found
  }
}
