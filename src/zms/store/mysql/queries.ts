import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlConnection, SqlValue } from '#core/database/mysql-connection.ts'
import { type DomainHistoryEntry, type DomainHistoryQuery, newestOf } from '../domain-history.ts'
import type { Auditor, DutyQuery } from '../duties.ts'
import type { Domain, MemberAudit } from '../model.ts'
import type { NoticeKind, NoticeSubject } from '../notices.ts'
import type { SearchFindings, SearchQuery } from '../search.ts'
import type { DomainAttribute, DomainListFilter, FoundMembership, ObjectCounts, StoreQueries } from '../store.ts'
import { readAudit } from './collection.ts'
import type { Row } from './columns.ts'
import { TableDuties } from './duties.ts'
import { readNoticeSubjects } from './notices.ts'
import { searchTables } from './search.ts'
import { beginsLike, byName, exactly, startingWith } from './sql-text.ts'

/** How the questions reach the database, and the domains. */
export interface QueryParts {
  rows: MySqlConnection['rows']
  domain(name: string): Promise<Domain | undefined>
  domains(names: readonly string[]): Promise<ReadonlyMap<string, Domain>>
}

const COLUMN_OF_ATTRIBUTE: Readonly<Record<Exclude<DomainAttribute, 'account'>, string>> = {
  azureSubscription: 'azure_subscription',
  gcpProject: 'gcp_project',
  ypmId: 'ypm_id',
  productId: 'product_id',
  businessService: 'business_service',
}

/** A name in which `.` and `-` are the same. */
const plain = (text: string) => `REPLACE(${byName(text)}, '.', '-')`

const count = (table: string) => `(SELECT COUNT(*) FROM ${table})`

/** Tables of the collections that members are in. */
interface MemberTables {
  readonly table: string
  readonly id: string
  readonly members: string
  readonly pending: string
  readonly audit: string
}
const ROLES: MemberTables = {
  table: 'role',
  id: 'role_id',
  members: 'role_member',
  pending: 'pending_role_member',
  audit: 'role_audit_log',
}
const GROUPS: MemberTables = {
  table: 'principal_group',
  id: 'group_id',
  members: 'principal_group_member',
  pending: 'pending_principal_group_member',
  audit: 'principal_group_audit_log',
}

const FOUND = 'd.name AS domain, c.name AS collection, p.name AS member'
const FOUND_ORDER = `${byName('d.name')}, ${byName('c.name')}, ${byName('p.name')}`
/** Members of collections with their collection `c`, domain `d` and principal `p`. */
const membersFrom = ({ table, id, members }: MemberTables) =>
  `principal p JOIN ${members} m ON m.principal_id = p.principal_id
   JOIN ${table} c ON c.${id} = m.${id} JOIN domain d ON d.domain_id = c.domain_id`

/** The questions of the store contract in SQL. */
export class MySqlQueries implements StoreQueries {
  readonly #parts: QueryParts
  readonly #duties = new TableDuties((sql, values) => this.#rows(sql, values))

  constructor(parts: QueryParts) {
    this.#parts = parts
  }

  domain(name: string): Promise<Domain | undefined> {
    return this.#parts.domain(name)
  }

  domains(names: readonly string[]): Promise<ReadonlyMap<string, Domain>> {
    return this.#parts.domains(names)
  }

  domainNames({ prefix, depth, after, modifiedSince, limit }: DomainListFilter = {}): Promise<string[]> {
    const conditions: string[] = []
    const values: SqlValue[] = []
    const add = (condition: string, ...given: SqlValue[]) => {
      conditions.push(condition)
      values.push(...given)
    }
    if (prefix) add(beginsLike('name'), ...startingWith(prefix))
    if (depth !== undefined) add("LENGTH(name) - LENGTH(REPLACE(name, '.', '')) <= ?", depth)
    if (after !== undefined) add(`${byName('name')} > ${byName('?')}`, after)
    if (modifiedSince !== undefined) add('modified > ?', new Date(modifiedSince))
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
    const most = limit === undefined ? '' : 'LIMIT ?'
    if (limit !== undefined) values.push(limit)
    return this.#names(`SELECT name FROM domain ${where} ORDER BY ${byName('name')} ${most}`, values)
  }

  /**
   * Stamps are given at the end of a transaction. So that who is told of a stamp has been told of all earlier ones, a
   * locking read waits for commits on their way, and changes in the millisecond of the question are told when it is over.
   */
  async modifiedDomains(since: number): Promise<{ name: string; modified: number; enabled: boolean }[]> {
    const first = await this.#stampsSince(since)
    const asked = first[0]?.now.getTime() ?? 0
    let stamps = first
    if (first.some(({ modified }) => modified.getTime() >= asked)) {
      await sleep(1)
      const second = await this.#stampsSince(since)
      const now = second[0]?.now.getTime() ?? 0
      // Stamps ahead of the clock were given by a server with another one; they are no younger than the question.
      stamps = second.filter(({ modified }) => modified.getTime() <= asked || modified.getTime() > now)
    }
    if (stamps.length === 0) return []
    const rows = await this.#rows<{ id: number; name: string; enabled: number }>(
      'SELECT domain_id AS id, name, enabled FROM domain WHERE modified >= ?',
      [new Date(since)],
    )
    const byId = new Map(rows.map((row) => [row.id, row]))
    return stamps.flatMap(({ id, modified }) => {
      const row = byId.get(id)
      // A domain may have been deleted in between.
      return row === undefined ? [] : [{ name: row.name, modified: modified.getTime(), enabled: row.enabled === 1 }]
    })
  }

  #stampsSince(since: number): Promise<{ id: number; modified: Date; now: Date }[]> {
    // All of it is in the index: rows that transactions have locked and not yet stamped are no obstacle.
    return this.#rows(
      `SELECT domain_id AS id, modified, NOW(3) AS now FROM domain FORCE INDEX (idx_modified) WHERE modified >= ?
       ORDER BY modified LOCK IN SHARE MODE`,
      [new Date(since)],
    )
  }

  domainsByAttribute(attribute: DomainAttribute, value: string | number): Promise<string[]> {
    const condition = attribute === 'account' ? 'FIND_IN_SET(?, account) > 0' : `${COLUMN_OF_ATTRIBUTE[attribute]} = ?`
    return this.#names(`SELECT name FROM domain WHERE ${condition} ORDER BY ${byName('name')}`, [value])
  }

  domainsByTag(key: string, value?: string): Promise<string[]> {
    const [condition, values] = value === undefined ? ['', []] : ['AND t.value = ?', [value]]
    return this.#names(
      `SELECT DISTINCT d.name FROM domain_tags t JOIN domain d ON d.domain_id = t.domain_id
       WHERE ${exactly('t.`key`')} ${condition} ORDER BY ${byName('d.name')}`,
      [key, key, ...values],
    )
  }

  domainsByMember(member: string | undefined, role: string | undefined): Promise<string[]> {
    const order = `ORDER BY ${byName('d.name')}`
    if (member === undefined) {
      return this.#names(
        `SELECT d.name FROM role c JOIN domain d ON d.domain_id = c.domain_id WHERE ${exactly('c.name')} ${order}`,
        [role ?? '', role ?? ''],
      )
    }
    const [condition, values] = role === undefined ? ['', []] : [`AND ${exactly('c.name')}`, [role, role]]
    return this.#names(
      `SELECT DISTINCT d.name FROM ${membersFrom(ROLES)} WHERE ${exactly('p.name')} ${condition} ${order}`,
      [member, member, ...values],
    )
  }

  async similarDomain(name: string): Promise<string | undefined> {
    const [found] = await this.#names(
      `SELECT name FROM domain WHERE ${plain('name')} = ${plain('?')}
       ORDER BY ${byName('name')} = ${byName('?')} DESC, ${byName('name')} LIMIT 1`,
      [name, name],
    )
    return found
  }

  domainsByContact(name: string): Promise<string[]> {
    return this.#names(
      `SELECT DISTINCT d.name FROM domain_contacts c JOIN domain d ON d.domain_id = c.domain_id
       WHERE ${exactly('c.name')} ORDER BY ${byName('d.name')}`,
      [name, name],
    )
  }

  domainsByTemplate(template: string): Promise<{ name: string; version: number }[]> {
    return this.#rows(
      `SELECT d.name, t.current_version AS version FROM domain_template t JOIN domain d ON d.domain_id = t.domain_id
       WHERE ${exactly('t.template')} ORDER BY ${byName('d.name')}`,
      [template, template],
    )
  }

  async totalCounts(): Promise<ObjectCounts> {
    const [counts] = await this.#rows<ObjectCounts>(
      `SELECT ${count('domain')} AS subdomain, ${count('role')} AS role, ${count('role_member')} AS roleMember,
       ${count('policy')} AS policy, ${count('assertion')} AS assertion, ${count('entity')} AS entity,
       ${count('service')} AS service, ${count('service_host')} AS serviceHost, ${count('public_key')} AS publicKey,
       ${count('principal_group')} AS \`group\`, ${count('principal_group_member')} AS groupMember`,
      [],
    )
    return { ...(counts as ObjectCounts) }
  }

  dependentDomains(service: string): Promise<string[]> {
    return this.#names(
      `SELECT domain AS name FROM service_domain_dependency WHERE ${exactly('service')}
       ORDER BY ${byName('domain')}`,
      [service, service],
    )
  }

  dependentServices(domain: string): Promise<string[]> {
    return this.#names(
      `SELECT service AS name FROM service_domain_dependency WHERE ${exactly('domain')}
       ORDER BY ${byName('service')}`,
      [domain, domain],
    )
  }

  rolesOfMember(member: string): Promise<FoundMembership[]> {
    return this.#membershipsOf(ROLES, member)
  }

  groupsOfMember(member: string): Promise<FoundMembership[]> {
    return this.#membershipsOf(GROUPS, member)
  }

  rolesTrusting(domain: string): Promise<{ domain: string; role: string }[]> {
    return this.#rows(
      `SELECT d.name AS domain, c.name AS role FROM role c JOIN domain d ON d.domain_id = c.domain_id
       WHERE ${exactly('c.trust')} ORDER BY ${byName('d.name')}, ${byName('c.name')}`,
      [domain, domain],
    )
  }

  wildcardMemberships(): Promise<FoundMembership[]> {
    return this.#rows(`SELECT ${FOUND} FROM ${membersFrom(ROLES)} WHERE p.name LIKE '%*' ORDER BY ${FOUND_ORDER}`, [])
  }

  domainsWithPendingRoleMembers(domain?: string): Promise<string[]> {
    return this.#domainsWithPending(ROLES, domain)
  }

  domainsWithPendingGroupMembers(domain?: string): Promise<string[]> {
    return this.#domainsWithPending(GROUPS, domain)
  }

  expiredRoleMembers(before: number, limit: number): Promise<(FoundMembership & { expiration: number })[]> {
    return this.#expired(ROLES, before, limit)
  }

  expiredGroupMembers(before: number, limit: number): Promise<(FoundMembership & { expiration: number })[]> {
    return this.#expired(GROUPS, before, limit)
  }

  noticeSubjects(kind: NoticeKind, from: number, until: number): Promise<NoticeSubject[]> {
    return readNoticeSubjects(this.#parts.rows, kind, { since: from, until })
  }

  roleAudit(domain: string, role: string): Promise<MemberAudit[]> {
    return this.#audit(ROLES, domain, role)
  }

  groupAudit(domain: string, group: string): Promise<MemberAudit[]> {
    return this.#audit(GROUPS, domain, group)
  }

  async domainHistory(query: DomainHistoryQuery): Promise<DomainHistoryEntry[]> {
    const roles = query.of?.kind === 'group' ? [] : await this.#history('role', ROLES, query)
    const groups = query.of?.kind === 'role' ? [] : await this.#history('group', GROUPS, query)
    return newestOf(roles, groups, query.limit)
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

  async searchServices(
    name: string,
    { substring, domain, limit }: { substring: boolean; domain?: string; limit: number },
  ): Promise<{ names: string[]; total: number }> {
    const matches = substring ? `LOCATE(${byName('?')}, ${byName('s.name')}) > 0` : exactly('s.name')
    const within = domain === undefined ? '' : `AND ${beginsLike('d.name')}`
    const values = [...(substring ? [name] : [name, name]), ...(domain === undefined ? [] : startingWith(domain))]
    const from = `service s JOIN domain d ON d.domain_id = s.domain_id WHERE ${matches} ${within}`
    const fullName = "CONCAT(d.name, '.', s.name)"
    const names = await this.#names(`SELECT ${fullName} AS name FROM ${from} ORDER BY ${byName(fullName)} LIMIT ?`, [
      ...values,
      limit,
    ])
    const [row] = await this.#rows<{ total: number }>(`SELECT COUNT(*) AS total FROM ${from}`, values)
    return { names, total: row?.total ?? 0 }
  }

  servicesOnHost(host: string): Promise<string[]> {
    const fullName = "CONCAT(d.name, '.', s.name)"
    return this.#names(
      `SELECT ${fullName} AS name FROM host h JOIN service_host sh ON sh.host_id = h.host_id
       JOIN service s ON s.service_id = sh.service_id JOIN domain d ON d.domain_id = s.domain_id
       WHERE ${exactly('h.name')} ORDER BY ${byName(fullName)}`,
      [host, host],
    )
  }

  async principal(name: string): Promise<number | undefined> {
    const [row] = await this.#rows<{ bits: number }>(
      `SELECT system_suspended AS bits FROM principal WHERE ${exactly('name')}`,
      [name, name],
    )
    return row?.bits
  }

  principalNames(prefix: string): Promise<string[]> {
    return this.#names(
      `SELECT name FROM principal WHERE ${beginsLike('name')} ORDER BY ${byName('name')}`,
      startingWith(prefix),
    )
  }

  suspendedPrincipals(bits: number): Promise<string[]> {
    return this.#names(`SELECT name FROM principal WHERE (system_suspended & ?) <> 0 ORDER BY ${byName('name')}`, [
      bits,
    ])
  }

  search(query: SearchQuery): Promise<SearchFindings> {
    return searchTables((sql, values) => this.#rows(sql, values), query)
  }

  #membershipsOf(tables: MemberTables, member: string): Promise<FoundMembership[]> {
    return this.#rows(
      `SELECT ${FOUND} FROM ${membersFrom(tables)} WHERE ${exactly('p.name')} ORDER BY ${FOUND_ORDER}`,
      [member, member],
    )
  }

  #domainsWithPending({ table, id, pending }: MemberTables, domain: string | undefined): Promise<string[]> {
    const [condition, values] = domain === undefined ? ['', []] : [`WHERE ${exactly('d.name')}`, [domain, domain]]
    return this.#names(
      `SELECT DISTINCT d.name FROM ${pending} m JOIN ${table} c ON c.${id} = m.${id}
       JOIN domain d ON d.domain_id = c.domain_id ${condition} ORDER BY ${byName('d.name')}`,
      values,
    )
  }

  async #expired(
    tables: MemberTables,
    before: number,
    limit: number,
  ): Promise<(FoundMembership & { expiration: number })[]> {
    const rows = await this.#rows<FoundMembership & { expiration: Date }>(
      `SELECT ${FOUND}, m.expiration FROM ${membersFrom(tables)} WHERE m.expiration < ? ORDER BY ${FOUND_ORDER} LIMIT ?`,
      [new Date(before), limit],
    )
    return rows.map((row) => ({ ...row, expiration: row.expiration.getTime() }))
  }

  async #audit({ table, id, audit }: MemberTables, domain: string, name: string): Promise<MemberAudit[]> {
    const rows = await this.#rows<Row>(
      `SELECT a.admin, a.member, a.created, a.action, a.audit_ref
       FROM domain d JOIN ${table} c ON c.domain_id = d.domain_id JOIN ${audit} a ON a.${id} = c.${id}
       WHERE ${exactly('d.name')} AND ${exactly('c.name')} ORDER BY a.audit_log_id`,
      [domain, domain, name, name],
    )
    return rows.map(readAudit)
  }

  async #history(
    kind: DomainHistoryEntry['kind'],
    { table, id, audit }: MemberTables,
    { domain, of, limit, before, filter }: DomainHistoryQuery,
  ): Promise<DomainHistoryEntry[]> {
    const place = before?.[kind]
    const rows = await this.#rows<Row>(
      `SELECT c.name AS collection, a.audit_log_id AS place, a.admin, a.member, a.created, a.action, a.audit_ref
       FROM domain d JOIN ${table} c ON c.domain_id = d.domain_id JOIN ${audit} a ON a.${id} = c.${id}
       WHERE ${exactly('d.name')}${of === undefined ? '' : ` AND ${exactly('c.name')}`}
       ${place === undefined ? '' : 'AND a.audit_log_id < ?'}
       ${filter === undefined ? '' : 'AND (LOCATE(?, a.member) > 0 OR LOCATE(?, a.admin) > 0)'}
       ORDER BY a.audit_log_id DESC LIMIT ?`,
      [
        domain,
        domain,
        ...(of === undefined ? [] : [of.collection, of.collection]),
        ...(place === undefined ? [] : [place]),
        ...(filter === undefined ? [] : [filter, filter]),
        limit,
      ],
    )
    return rows.map((row) => ({
      ...readAudit(row),
      kind,
      collection: String(row['collection']),
      place: Number(row['place']),
    }))
  }

  async #names(sql: string, values: readonly SqlValue[]): Promise<string[]> {
    return (await this.#rows<{ name: string }>(sql, values)).map(({ name }) => name)
  }

  async #rows<R>(sql: string, values: readonly SqlValue[]): Promise<R[]> {
    try {
      return await this.#parts.rows<R>(sql, values)
    } catch (error) {
      // A text with characters that no column can hold is in no row.
      if (error instanceof DatabaseError && error.fault === 'bad-value') return []
      throw error
    }
  }
}
