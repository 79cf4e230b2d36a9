import type {
  AssertionCondition,
  Domain,
  Group,
  MemberAudit,
  PendingRoleMember,
  Policy,
  Role,
  RoleMember,
  Service,
  Tags,
} from '../store/model.ts'
import { MEMBER_COLUMNS, PENDING_COLUMNS, SETTING_COLUMNS } from '../store/mysql/collection-columns.ts'
import type { Column } from '../store/mysql/columns.ts'
import { DOMAIN_COLUMNS, QUOTA_COLUMNS } from '../store/mysql/domain.ts'
import { POLICY_COLUMNS } from '../store/mysql/policy.ts'
import { PENDING_ROLE_MEMBER_COLUMNS, ROLE_COLUMNS, ROLE_MEMBER_COLUMNS } from '../store/mysql/role.ts'
import { SERVICE_COLUMNS } from '../store/mysql/service.ts'
import { byText, type PortableValue, type TableName, type TableRow, tableOf } from './tables.ts'

/** Numbers for rows that have none: counted up table by table, the same number again for the same name. */
export class RowIds {
  readonly #last = new Map<TableName, number>()
  readonly #principals = new Map<string, number>()
  readonly #hosts = new Map<string, number>()

  /** A number that no row of the table had. */
  next(table: TableName): number {
    const id = (this.#last.get(table) ?? 0) + 1
    this.#last.set(table, id)
    return id
  }

  principal(name: string): number {
    return this.#known('principal', this.#principals, name)
  }

  host(name: string): number {
    return this.#known('host', this.#hosts, name)
  }

  #known(table: TableName, ids: Map<string, number>, name: string): number {
    const id = ids.get(name) ?? this.next(table)
    ids.set(name, id)
    return id
  }
}

/** What belongs to a domain but is kept elsewhere. */
export interface DomainHistory {
  /** History of a role's or group's members, oldest first. */
  entries(kind: 'role' | 'group', name: string): Iterable<MemberAudit>
}

/** Values of a row that are not in the columns of a list. */
type Values = Readonly<Record<string, PortableValue | Date>>

/** The rows of a domain with all it holds, one by one, each before those that refer to it. */
export function* rowsOfDomain(domain: Domain, history: DomainHistory, ids: RowIds): Generator<TableRow> {
  const id = ids.next('domain')
  yield rowOf('domain', DOMAIN_COLUMNS, domain, { domain_id: id, uuid: domain.id, ...identity(domain) })
  yield* tagRows('domain_tags', domain.tags, { domain_id: id })
  for (const [type, name] of sorted(domain.contacts ?? [], keyOfPair)) {
    yield plainRow('domain_contacts', { domain_id: id, type, name })
  }
  for (const [template, version] of sorted(domain.templates, keyOfPair)) {
    yield plainRow('domain_template', { domain_id: id, template, current_version: version })
  }
  if (domain.quota) {
    // Nothing but the database of the original knows when limits were first set.
    const modified = new Date(domain.quota.modified)
    yield rowOf('quota', QUOTA_COLUMNS, domain.quota, { domain_id: id, modified, created: modified })
  }
  for (const role of sorted(domain.roles.values(), nameOf)) yield* roleRows(role, id, history, ids)
  for (const group of sorted(domain.groups.values(), nameOf)) yield* groupRows(group, id, history, ids)
  for (const versions of sorted(domain.policies.values(), policyName)) {
    for (const policy of sorted(versions.values(), ({ version }) => version)) yield* policyRows(policy, id, ids)
  }
  for (const service of sorted(domain.services.values(), nameOf)) yield* serviceRows(service, id, ids)
  for (const entity of sorted(domain.entities.values(), nameOf)) {
    yield plainRow('entity', { domain_id: id, value: entity.value, ...identity(entity) })
  }
}

function* roleRows(role: Role, domainId: number, history: DomainHistory, ids: RowIds): Generator<TableRow> {
  const id = { role_id: ids.next('role') }
  yield rowOf('role', ROLE_COLUMNS, role, { ...id, domain_id: domainId, ...identity(role) })
  yield* tagRows('role_tags', role.tags, id)
  yield* memberRows('role_member', ROLE_MEMBER_COLUMNS, role.members, { ...id, active: 1 }, ids)
  yield* memberRows('pending_role_member', PENDING_ROLE_MEMBER_COLUMNS, role.pending.values(), id, ids)
  yield* auditRows('role_audit_log', history.entries('role', role.name), id, ids)
}

function* groupRows(group: Group, domainId: number, history: DomainHistory, ids: RowIds): Generator<TableRow> {
  const id = { group_id: ids.next('principal_group') }
  yield rowOf('principal_group', SETTING_COLUMNS, group, { ...id, domain_id: domainId, ...identity(group) })
  yield* tagRows('group_tags', group.tags, id)
  yield* memberRows('principal_group_member', MEMBER_COLUMNS, group.members, { ...id, active: 1 }, ids)
  yield* memberRows('pending_principal_group_member', PENDING_COLUMNS, group.pending.values(), id, ids)
  yield* auditRows('principal_group_audit_log', history.entries('group', group.name), id, ids)
}

function* policyRows(policy: Policy, domainId: number, ids: RowIds): Generator<TableRow> {
  const id = { policy_id: ids.next('policy') }
  const { version } = policy
  yield rowOf('policy', POLICY_COLUMNS, policy, { ...id, domain_id: domainId, version, ...identity(policy) })
  yield* tagRows('policy_tags', policy.tags, id)
  for (const [assertionId, assertion] of [...policy.assertions].sort(([a], [b]) => a - b)) {
    const { role, resource, action, effect, conditions = NO_CONDITIONS } = assertion
    yield plainRow('assertion', { assertion_id: assertionId, ...id, role, resource, action, effect })
    for (const [conditionId, keys] of [...conditions].sort(([a], [b]) => a - b)) {
      for (const [key, { operator, value }] of sorted(keys, keyOfPair)) {
        const place = { assertion_id: assertionId, condition_id: conditionId }
        yield plainRow('assertion_condition', { ...place, key, operator, value })
      }
    }
  }
}

function* serviceRows(service: Service, domainId: number, ids: RowIds): Generator<TableRow> {
  const id = { service_id: ids.next('service') }
  yield rowOf('service', SERVICE_COLUMNS, service, { ...id, domain_id: domainId, ...identity(service) })
  yield* tagRows('service_tags', service.tags, id)
  for (const [keyId, key] of sorted(service.publicKeys, keyOfPair)) {
    yield plainRow('public_key', { ...id, key_id: keyId, key_value: key })
  }
  for (const host of sorted(service.hosts, (name) => name)) {
    yield plainRow('service_host', { ...id, host_id: ids.host(host), host })
  }
}

function* tagRows(table: TableName, tags: Tags | undefined, owner: Values): Generator<TableRow> {
  for (const [key, values] of sorted(tags ?? [], keyOfPair)) {
    for (const value of sorted(values, (text) => text)) yield plainRow(table, { ...owner, key, value })
  }
}

function* memberRows<M extends RoleMember | PendingRoleMember>(
  table: TableName,
  columns: readonly Column<M>[],
  members: Iterable<M>,
  owner: Values,
  ids: RowIds,
): Generator<TableRow> {
  for (const member of sorted(members, ({ memberName }) => memberName)) {
    const principal = member.memberName
    yield rowOf(table, columns, member, { ...owner, principal_id: ids.principal(principal), principal })
  }
}

function* auditRows(table: TableName, entries: Iterable<MemberAudit>, owner: Values, ids: RowIds): Generator<TableRow> {
  for (const { admin, member, created, action, auditRef = '' } of entries) {
    const entry = { admin, member, created: new Date(created), action, audit_ref: auditRef }
    yield plainRow(table, { ...owner, audit_log_id: ids.next(table), ...entry })
  }
}

const NO_CONDITIONS: ReadonlyMap<number, AssertionCondition> = new Map()

/** A row of values that are all given. */
export function plainRow(table: TableName, values: Values): TableRow {
  const row: Record<string, PortableValue> = {}
  for (const name of tableOf(table).columns.keys()) {
    const value = values[name]
    if (value === undefined) throw new Error(`${table}.${name} has no value`)
    row[name] = value instanceof Date ? value.toISOString() : value
  }
  return { table, row }
}

function rowOf<T extends object>(table: TableName, columns: readonly Column<T>[], object: T, values: Values): TableRow {
  const all: Record<string, PortableValue | Date> = { ...values }
  for (const column of columns) all[column.name] = column.toSql(object)
  return plainRow(table, all)
}

const identity = ({ name, modified, created }: { name: string; modified: number; created: number }) => ({
  name,
  modified: new Date(modified),
  created: new Date(created),
})

const nameOf = ({ name }: { name: string }) => name
const keyOfPair = ([key]: readonly [string, unknown]) => key
const policyName = (versions: ReadonlyMap<string, Policy>) => versions.values().next().value?.name ?? ''

/** The items in the order of their names. */
function sorted<T>(items: Iterable<T>, name: (item: T) => string): T[] {
  return [...items].sort((a, b) => byText(name(a), name(b)))
}
