import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlConnection, SqlValue } from '#core/database/mysql-connection.ts'
import type { Domain, MemberAudit } from '../model.ts'
import type {
  DomainAttribute,
  DomainListFilter,
  DomainQueries,
  FoundMembership,
  MemberQueries,
  ObjectCounts,
  PrincipalQueries,
  ServiceQueries,
} from '../store.ts'
import { readAudit } from './collection.ts'
import type { Row } from './columns.ts'

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

/** Order of names by their characters, not by the collation of the column: the same in every store. */
const byName = (column: string) => `CAST(${column} AS BINARY)`

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
export class MySqlQueries implements DomainQueries, MemberQueries, ServiceQueries, PrincipalQueries {
  readonly #parts: QueryParts

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
    if (prefix) add("name LIKE ? ESCAPE '!'", startingWith(prefix))
    if (depth !== undefined) add("LENGTH(name) - LENGTH(REPLACE(name, '.', '')) <= ?", depth)
    if (after !== undefined) add(`${byName('name')} > ${byName('?')}`, after)
    if (modifiedSince !== undefined) add('modified > ?', new Date(modifiedSince))
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
    const most = limit === undefined ? '' : 'LIMIT ?'
    if (limit !== undefined) values.push(limit)
    return this.#names(`SELECT name FROM domain ${where} ORDER BY ${byName('name')} ${most}`, values)
  }

  async modifiedDomains(since: number): Promise<{ name: string; modified: number; enabled: boolean }[]> {
    // The locking read waits for commits on their way: a caller that was told of a later stamp would never ask for theirs.
    const rows = await this.#rows<{ name: string; modified: Date; enabled: number }>(
      `SELECT d.name, d.modified, d.enabled
       FROM (SELECT domain_id FROM domain FORCE INDEX (idx_modified) WHERE modified >= ? LOCK IN SHARE MODE) changed
       JOIN domain d ON d.domain_id = changed.domain_id ORDER BY d.modified, ${byName('d.name')}`,
      [new Date(since)],
    )
    return rows.map(({ name, modified, enabled }) => ({ name, modified: modified.getTime(), enabled: enabled === 1 }))
  }

  domainsByAttribute(attribute: DomainAttribute, value: string | number): Promise<string[]> {
    const condition = attribute === 'account' ? 'FIND_IN_SET(?, account) > 0' : `${COLUMN_OF_ATTRIBUTE[attribute]} = ?`
    return this.#names(`SELECT name FROM domain WHERE ${condition} ORDER BY ${byName('name')}`, [value])
  }

  domainsByTag(key: string, value?: string): Promise<string[]> {
    const [condition, values] = value === undefined ? ['', [key]] : ['AND t.value = ?', [key, value]]
    return this.#names(
      `SELECT DISTINCT d.name FROM domain_tags t JOIN domain d ON d.domain_id = t.domain_id
       WHERE t.\`key\` = ? ${condition} ORDER BY ${byName('d.name')}`,
      values,
    )
  }

  domainsByMember(member: string | undefined, role: string | undefined): Promise<string[]> {
    const order = `ORDER BY ${byName('d.name')}`
    if (member === undefined) {
      return this.#names(
        `SELECT d.name FROM role c JOIN domain d ON d.domain_id = c.domain_id WHERE c.name = ? ${order}`,
        [role ?? ''],
      )
    }
    const [condition, values] = role === undefined ? ['', [member]] : ['AND c.name = ?', [member, role]]
    return this.#names(
      `SELECT DISTINCT d.name FROM ${membersFrom(ROLES)} WHERE p.name = ? ${condition} ${order}`,
      values,
    )
  }

  async similarDomain(name: string): Promise<string | undefined> {
    const [found] = await this.#names(
      `SELECT name FROM domain WHERE REPLACE(name, '.', '-') = REPLACE(?, '.', '-')
       ORDER BY name = ? DESC, ${byName('name')} LIMIT 1`,
      [name, name],
    )
    return found
  }

  domainsByContact(name: string): Promise<string[]> {
    return this.#names(
      `SELECT DISTINCT d.name FROM domain_contacts c JOIN domain d ON d.domain_id = c.domain_id
       WHERE c.name = ? ORDER BY ${byName('d.name')}`,
      [name],
    )
  }

  domainsByTemplate(template: string): Promise<{ name: string; version: number }[]> {
    return this.#rows(
      `SELECT d.name, t.current_version AS version FROM domain_template t JOIN domain d ON d.domain_id = t.domain_id
       WHERE t.template = ? ORDER BY ${byName('d.name')}`,
      [template],
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
      `SELECT domain AS name FROM service_domain_dependency WHERE service = ? ORDER BY ${byName('domain')}`,
      [service],
    )
  }

  dependentServices(domain: string): Promise<string[]> {
    return this.#names(
      `SELECT service AS name FROM service_domain_dependency WHERE domain = ? ORDER BY ${byName('service')}`,
      [domain],
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
       WHERE c.trust = ? ORDER BY ${byName('d.name')}, ${byName('c.name')}`,
      [domain],
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

  roleAudit(domain: string, role: string): Promise<MemberAudit[]> {
    return this.#audit(ROLES, domain, role)
  }

  groupAudit(domain: string, group: string): Promise<MemberAudit[]> {
    return this.#audit(GROUPS, domain, group)
  }

  async searchServices(
    name: string,
    { substring, domain, limit }: { substring: boolean; domain?: string; limit: number },
  ): Promise<{ names: string[]; total: number }> {
    const matches = substring ? 'LOCATE(?, s.name) > 0' : 's.name = ?'
    const [within, values] = domain === undefined ? ['', [name]] : ['AND d.name = ?', [name, domain]]
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
       WHERE h.name = ? ORDER BY ${byName(fullName)}`,
      [host],
    )
  }

  async principal(name: string): Promise<number | undefined> {
    const [row] = await this.#rows<{ bits: number }>('SELECT system_suspended AS bits FROM principal WHERE name = ?', [
      name,
    ])
    return row?.bits
  }

  principalNames(prefix: string): Promise<string[]> {
    return this.#names(`SELECT name FROM principal WHERE name LIKE ? ESCAPE '!' ORDER BY ${byName('name')}`, [
      startingWith(prefix),
    ])
  }

  suspendedPrincipals(bits: number): Promise<string[]> {
    return this.#names(`SELECT name FROM principal WHERE (system_suspended & ?) <> 0 ORDER BY ${byName('name')}`, [
      bits,
    ])
  }

  #membershipsOf(tables: MemberTables, member: string): Promise<FoundMembership[]> {
    return this.#rows(`SELECT ${FOUND} FROM ${membersFrom(tables)} WHERE p.name = ? ORDER BY ${FOUND_ORDER}`, [member])
  }

  #domainsWithPending({ table, id, pending }: MemberTables, domain: string | undefined): Promise<string[]> {
    const [condition, values] = domain === undefined ? ['', []] : ['WHERE d.name = ?', [domain]]
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
       WHERE d.name = ? AND c.name = ? ORDER BY a.audit_log_id`,
      [domain, name],
    )
    return rows.map(readAudit)
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

/** The pattern of texts that begin with the prefix, with `!` as escape character. */
const startingWith = (prefix: string) => `${prefix.replace(/[!%_]/g, '!$&')}%`
