import { Members } from '#core/rbac/members.ts'
import type { MutableDomain, MutableGroup, MutablePolicy, MutableRole, MutableService } from '../store/change.ts'
import { emptyDomain } from '../store/empty-domain.ts'
import type {
  Assertion,
  DomainMeta,
  GroupMember,
  MemberAudit,
  PendingGroupMember,
  Quota,
  Tags,
} from '../store/model.ts'
import { MEMBER_COLUMNS, PENDING_COLUMNS, SETTING_COLUMNS } from '../store/mysql/collection-columns.ts'
import { type Column, type Row, readObject } from '../store/mysql/columns.ts'
import { DOMAIN_COLUMNS, QUOTA_COLUMNS } from '../store/mysql/domain.ts'
import { POLICY_COLUMNS } from '../store/mysql/policy.ts'
import { PENDING_ROLE_MEMBER_COLUMNS, ROLE_COLUMNS, ROLE_MEMBER_COLUMNS } from '../store/mysql/role.ts'
import { SERVICE_COLUMNS } from '../store/mysql/service.ts'
import type { DomainHistory } from './domain-rows.ts'
import { type ColumnKind, type PortableRow, type TableRow, tableOf } from './tables.ts'
import { TransferError } from './transfer-error.ts'

/** A domain put together from its rows, with the history of its members. */
export class DomainOfRows implements DomainHistory {
  readonly domain: MutableDomain
  readonly #history = { role: new Map<string, MemberAudit[]>(), group: new Map<string, MemberAudit[]>() }
  /** What was read last of each kind: what follows belongs to it. */
  #role: MutableRole | undefined
  #group: MutableGroup | undefined
  #policy: MutablePolicy | undefined
  #assertion: Assertion | undefined
  #conditions: Map<number, Map<string, { operator: string; value: string }>> = new Map()
  #service: MutableService | undefined

  /** @param row the row of table `domain` */
  constructor(row: PortableRow) {
    const values = valuesOf({ table: 'domain', row })
    this.domain = emptyDomain({
      ...(readObject(DOMAIN_COLUMNS, values) as DomainMeta),
      ...identityOf(values),
      id: textIn(row, 'uuid'),
    })
  }

  entries(kind: 'role' | 'group', name: string): readonly MemberAudit[] {
    return this.#history[kind].get(name) ?? []
  }

  /** Adds a row that belongs to the domain, behind the one that holds it. */
  add({ table, row }: TableRow): void {
    const values = valuesOf({ table, row })
    const { domain } = this
    switch (table) {
      case 'domain_tags':
        addTag(domain, row)
        return
      case 'domain_contacts': {
        const contacts = (domain.contacts ?? new Map()) as Map<string, string>
        contacts.set(textIn(row, 'type'), textIn(row, 'name'))
        domain.contacts = contacts
        return
      }
      case 'domain_template':
        domain.templates.set(textIn(row, 'template'), numberIn(row, 'current_version'))
        return
      case 'quota':
        domain.quota = { ...(readObject(QUOTA_COLUMNS, values) as Quota), modified: timeIn(values, 'modified') }
        return
      case 'role':
        this.#role = { ...readObject(ROLE_COLUMNS, values), ...identityOf(values), ...held() }
        put(domain.roles, this.#role, table)
        return
      case 'role_tags':
        addTag(holder(this.#role, table), row)
        return
      case 'role_member':
        holder(this.#role, table).members.set(memberOf(ROLE_MEMBER_COLUMNS, values))
        return
      case 'pending_role_member':
        addPending(holder(this.#role, table).pending, memberOf(PENDING_ROLE_MEMBER_COLUMNS, values))
        return
      case 'role_audit_log':
        this.#addAudit('role', holder(this.#role, table).name, values)
        return
      case 'principal_group':
        this.#group = { ...readObject(SETTING_COLUMNS, values), ...identityOf(values), ...held() }
        put(domain.groups, this.#group, table)
        return
      case 'group_tags':
        addTag(holder(this.#group, table), row)
        return
      case 'principal_group_member':
        holder(this.#group, table).members.set(memberOf<GroupMember>(MEMBER_COLUMNS, values))
        return
      case 'pending_principal_group_member':
        addPending(holder(this.#group, table).pending, memberOf<PendingGroupMember>(PENDING_COLUMNS, values))
        return
      case 'principal_group_audit_log':
        this.#addAudit('group', holder(this.#group, table).name, values)
        return
      case 'policy':
        this.#addPolicy(row, values)
        return
      case 'policy_tags':
        addTag(holder(this.#policy, table), row)
        return
      case 'assertion':
        this.#addAssertion(row)
        return
      case 'assertion_condition':
        this.#addCondition(row)
        return
      case 'service': {
        const service = { ...readObject(SERVICE_COLUMNS, values), ...identityOf(values) }
        this.#service = { ...service, publicKeys: new Map(), hosts: new Set() }
        put(domain.services, this.#service, table)
        return
      }
      case 'service_tags':
        addTag(holder(this.#service, table), row)
        return
      case 'public_key':
        holder(this.#service, table).publicKeys.set(textIn(row, 'key_id'), textIn(row, 'key_value'))
        return
      case 'service_host':
        ;(holder(this.#service, table).hosts as Set<string>).add(textIn(row, 'host'))
        return
      case 'entity':
        put(domain.entities, { ...identityOf(values), value: textIn(row, 'value') }, table)
        return
      case 'domain':
      case 'principal':
      case 'host':
      case 'service_domain_dependency':
        throw new TransferError(`a row of ${table} is no part of a domain`)
    }
  }

  #addPolicy(row: PortableRow, values: Row): void {
    const identity = identityOf(values)
    const version = textIn(row, 'version')
    const settings = readObject(POLICY_COLUMNS, values) as Pick<MutablePolicy, 'active'>
    this.#policy = { ...settings, ...identity, version, assertions: new Map() }
    const versions = this.domain.policies.get(identity.name) ?? new Map<string, MutablePolicy>()
    if (versions.has(version)) throw new TransferError(`policy ${identity.name} has version ${version} twice`)
    versions.set(version, this.#policy)
    this.domain.policies.set(identity.name, versions)
  }

  #addAssertion(row: PortableRow): void {
    const id = numberIn(row, 'assertion_id')
    this.#assertion = {
      id,
      role: textIn(row, 'role'),
      resource: textIn(row, 'resource'),
      action: textIn(row, 'action'),
      // As the servers do with what a database holds: only what is plainly an ALLOW grants anything.
      effect: row['effect'] === 'ALLOW' ? 'ALLOW' : 'DENY',
    }
    holder(this.#policy, 'assertion').assertions.set(id, this.#assertion)
  }

  #addCondition(row: PortableRow): void {
    const assertion = holder(this.#assertion, 'assertion_condition')
    if (assertion.conditions === undefined) this.#conditions = new Map()
    assertion.conditions = this.#conditions
    const id = numberIn(row, 'condition_id')
    const keys = this.#conditions.get(id) ?? new Map<string, { operator: string; value: string }>()
    keys.set(textIn(row, 'key'), { operator: textIn(row, 'operator'), value: textIn(row, 'value') })
    this.#conditions.set(id, keys)
  }

  #addAudit(kind: 'role' | 'group', name: string, values: Row): void {
    const { admin, member, action, audit_ref: auditRef } = values as Record<string, string>
    const entry: MemberAudit = {
      admin: admin ?? '',
      member: member ?? '',
      created: timeIn(values, 'created'),
      action: action as MemberAudit['action'],
      ...(auditRef ? { auditRef } : {}),
    }
    const entries = this.#history[kind].get(name)
    if (entries) entries.push(entry)
    else this.#history[kind].set(name, [entry])
  }
}

const TIMES: ReadonlySet<ColumnKind> = new Set<ColumnKind>(['time', 'second', 'nullableTime'])

/** A row with its times as dates. */
function valuesOf({ table, row }: TableRow): Row {
  const values: Record<string, unknown> = { ...row }
  for (const [name, kind] of tableOf(table).columns) {
    const value = row[name]
    if (TIMES.has(kind) && typeof value === 'string') values[name] = new Date(value)
  }
  return values
}

const held = () => ({ members: new Members<never>(), pending: new Map() })

const identityOf = (values: Row) => ({
  name: values['name'] as string,
  modified: timeIn(values, 'modified'),
  created: timeIn(values, 'created'),
})

function memberOf<T extends { memberName: string }>(columns: readonly Column<T>[], values: Row): T {
  return { ...(readObject(columns, values) as T), memberName: values['principal'] as string }
}

function addPending<P extends { memberName: string; requestTime: number }>(pending: Map<string, P>, member: P): void {
  // The column may be NULL.
  pending.set(member.memberName, { ...member, requestTime: member.requestTime ?? 0 })
}

function addTag(owner: { tags?: Tags }, row: PortableRow): void {
  const tags = (owner.tags ?? new Map()) as Map<string, string[]>
  const key = textIn(row, 'key')
  const values = tags.get(key)
  if (values) values.push(textIn(row, 'value'))
  else tags.set(key, [textIn(row, 'value')])
  owner.tags = tags
}

function put<T extends { name: string }>(objects: Map<string, T>, object: T, table: string): void {
  if (objects.has(object.name)) throw new TransferError(`${table} ${object.name} is there twice`)
  objects.set(object.name, object)
}

function holder<T>(object: T | undefined, table: string): T {
  if (object === undefined) throw new TransferError(`a row of ${table} comes before what holds it`)
  return object
}

const textIn = (row: PortableRow, column: string) => row[column] as string
const numberIn = (row: PortableRow, column: string) => row[column] as number
const timeIn = (values: Row, column: string) => (values[column] as Date).getTime()
