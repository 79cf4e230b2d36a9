import type { SchemaChange } from './schema-change.ts'
import type { SchemaFacts } from './schema-facts.ts'
import { ZMS_CHANGES } from './zms-changes.ts'
import { ZTS_CHANGES } from './zts-changes.ts'

/** The schema of one server's database: how it was before the first change, and the changes. */
export interface KnownSchema {
  readonly server: 'zms' | 'zts'
  /** As people write it. */
  readonly title: string
  /** The schema file that makes a new one. */
  readonly file: string
  /** Tables and columns that even the oldest database has; by the first of the tables it is recognized. */
  readonly base: Readonly<Record<string, readonly string[]>>
  readonly changes: readonly SchemaChange[]
}

const stamped = (...columns: string[]) => [...columns, 'modified', 'created']

const ZMS_SCHEMA: KnownSchema = {
  server: 'zms',
  title: 'ZMS',
  file: 'schema/zms_server.sql',
  base: {
    domain: stamped(
      'domain_id',
      'name',
      'description',
      'org',
      'uuid',
      'enabled',
      'audit_enabled',
      'ypm_id',
      'account',
      'application_id',
    ),
    role: stamped('role_id', 'domain_id', 'name', 'trust'),
    principal: ['principal_id', 'name'],
    policy: stamped('policy_id', 'domain_id', 'name'),
    assertion: ['assertion_id', 'policy_id', 'role', 'resource', 'action', 'effect'],
    service: stamped(
      'service_id',
      'domain_id',
      'name',
      'provider_endpoint',
      'executable',
      'svc_user',
      'svc_group',
      'description',
    ),
    public_key: ['service_id', 'key_id', 'key_value'],
    host: ['host_id', 'name'],
    service_host: ['service_id', 'host_id'],
    entity: stamped('name', 'domain_id', 'value'),
    role_member: ['role_id', 'principal_id', 'expiration'],
    domain_template: ['domain_id', 'template'],
    role_audit_log: ['audit_log_id', 'role_id', 'admin', 'member', 'created', 'action', 'audit_ref'],
    quota: stamped(
      'domain_id',
      'subdomain',
      'role',
      'role_member',
      'policy',
      'assertion',
      'entity',
      'service',
      'service_host',
      'public_key',
    ),
  },
  changes: ZMS_CHANGES,
}

const ZTS_SCHEMA: KnownSchema = {
  server: 'zts',
  title: 'ZTS',
  file: 'schema/zts_server.sql',
  base: {
    certificates: [
      'provider',
      'instanceId',
      'service',
      'currentSerial',
      'currentTime',
      'currentIP',
      'prevSerial',
      'prevTime',
      'prevIP',
    ],
  },
  changes: ZTS_CHANGES,
}

/** The schemas that can be brought up to date. */
export const KNOWN_SCHEMAS: readonly KnownSchema[] = [ZMS_SCHEMA, ZTS_SCHEMA]

/** Whether the tables of a database are those of the schema, however old. */
export function isOfSchema(schema: SchemaFacts, { base }: KnownSchema): boolean {
  const [first = ''] = Object.keys(base)
  return schema.has(first)
}

/** Tables and columns (`table.column`) of the base that a database lacks. */
export function missingParts(schema: SchemaFacts, { base }: KnownSchema): string[] {
  return Object.entries(base).flatMap(([table, columns]) => {
    const facts = schema.get(table)
    if (facts === undefined) return [table]
    return columns.filter((column) => !facts.columns.has(column)).map((column) => `${table}.${column}`)
  })
}

/** Every column of the schema, after all changes and, with their old names, before: table → names. */
export function knownColumns({ base, changes }: KnownSchema): Map<string, Set<string>> {
  const known = new Map(Object.entries(base).map(([table, columns]) => [table, new Set(columns)]))
  const add = (table: string, columns: readonly string[]) => {
    const names = known.get(table) ?? new Set()
    for (const column of columns) names.add(column)
    known.set(table, names)
  }
  for (const { steps } of changes) {
    for (const step of steps) {
      if ('create' in step) add(step.table, Object.keys(step.create.columns))
      else {
        for (const demand of step.alter) {
          if ('column' in demand) add(step.table, [demand.column, ...(demand.formerly ? [demand.formerly] : [])])
        }
      }
    }
  }
  return known
}

/** Columns (`table.column`) in tables of the schema that it does not know. */
export function unknownColumns(schema: SchemaFacts, known: KnownSchema): string[] {
  return [...knownColumns(known)].flatMap(([table, columns]) =>
    [...(schema.get(table)?.columns.keys() ?? [])]
      .filter((column) => !columns.has(column))
      .map((column) => `${table}.${column}`),
  )
}
