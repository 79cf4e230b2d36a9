/**
 * The tables of ZMS data as they are moved between stores: those of the original's database, column by column, because
 * that is what every store and the original itself agree about.
 */

/**
 * What a value in a column may be; in a portable row a time is a text in UTC: `2026-01-31T23:59:59.000Z`. Of a `second`
 * databases keep no fraction.
 */
export type ColumnKind = 'number' | 'text' | 'time' | 'second' | 'nullableText' | 'nullableTime'

/** A value of a portable row. */
export type PortableValue = string | number | null

/** A portable row: every column of its table, in the table's order. */
export type PortableRow = Readonly<Record<string, PortableValue>>

/** One table. */
export interface DataTable {
  readonly name: TableName
  /** Column → kind, in the order in which a row is written. */
  readonly columns: ReadonlyMap<string, ColumnKind>
  /** Column by which rows of other tables refer to a row; given anew wherever rows come from no database. */
  readonly key?: string
  /** The table whose rows hold those of this one, by its key. */
  readonly parent?: TableName
  /** Names that take the place of keys of other tables, column by column: they are written too, but belong to those. */
  readonly names?: Readonly<Record<string, { readonly table: TableName; readonly key: string }>>
}

/** A row with its table. */
export interface TableRow {
  readonly table: TableName
  readonly row: PortableRow
}

const KINDS = { n: 'number', t: 'text', d: 'time', s: 'second', T: 'nullableText', D: 'nullableTime' } as const

/** Columns written as `kind:name,…` for each kind, in order. */
const columnsOf = (list: string): ReadonlyMap<string, ColumnKind> =>
  new Map(
    list
      .trim()
      .split(/\s+/)
      .map((item): [string, ColumnKind] => {
        const [kind = '', name = ''] = item.split(':')
        return [name, KINDS[kind as keyof typeof KINDS]]
      }),
  )

const PRINCIPAL = { principal: { table: 'principal', key: 'principal_id' } } as const
const HOST = { host: { table: 'host', key: 'host_id' } } as const

const COLLECTION = `t:name d:modified d:created n:audit_enabled n:self_serve n:member_expiry_days n:service_expiry_days
  n:review_enabled t:notify_roles D:last_reviewed_time t:user_authority_filter t:user_authority_expiration
  n:delete_protection n:max_members n:self_renew n:self_renew_mins t:resource_owner t:principal_domain_filter
  t:notify_details`
const MEMBER = `n:principal_id t:principal D:expiration n:active n:system_disabled T:audit_ref D:last_notified_time T:server
  t:req_principal`
const PENDING = `n:principal_id t:principal D:expiration T:audit_ref D:req_time D:last_notified_time T:server t:req_principal
  t:pending_state`
const AUDIT = 't:admin t:member s:created t:action t:audit_ref'
const TAG = 't:key t:value'

const TABLE_LIST = [
  { name: 'principal', key: 'principal_id', columns: 'n:principal_id t:name n:system_suspended' },
  { name: 'host', key: 'host_id', columns: 'n:host_id t:name' },
  { name: 'service_domain_dependency', columns: 't:domain t:service' },
  {
    name: 'domain',
    key: 'domain_id',
    columns: `n:domain_id t:name t:description t:org t:uuid n:enabled n:audit_enabled n:ypm_id t:account d:modified d:created
      t:application_id t:cert_dns_domain n:member_expiry_days n:token_expiry_mins n:service_cert_expiry_mins
      n:role_cert_expiry_mins t:sign_algorithm n:service_expiry_days t:user_authority_filter n:group_expiry_days
      t:azure_subscription t:business_service n:member_purge_expiry_days t:gcp_project t:gcp_project_number t:product_id
      n:feature_flags t:environment t:resource_owner t:azure_tenant t:azure_client t:x509_cert_signer_keyid
      t:ssh_cert_signer_keyid t:slack_channel t:on_call n:auto_delete_tenant_assume_role_assertions n:client_id_self_update
      t:aws_account_name t:external_member_validator t:cost_center`,
  },
  { name: 'domain_tags', parent: 'domain', columns: `n:domain_id ${TAG}` },
  { name: 'domain_contacts', parent: 'domain', columns: 'n:domain_id t:type t:name' },
  { name: 'domain_template', parent: 'domain', columns: 'n:domain_id t:template n:current_version' },
  {
    name: 'quota',
    parent: 'domain',
    columns: `n:domain_id n:subdomain n:role n:role_member n:policy n:assertion n:entity n:service n:service_host
      n:public_key s:modified s:created n:principal_group n:principal_group_member`,
  },
  {
    name: 'role',
    parent: 'domain',
    key: 'role_id',
    columns: `n:role_id n:domain_id ${COLLECTION} t:trust t:description n:token_expiry_mins n:cert_expiry_mins
      t:sign_algorithm n:member_review_days n:service_review_days n:group_review_days n:group_expiry_days`,
  },
  { name: 'role_tags', parent: 'role', columns: `n:role_id ${TAG}` },
  {
    name: 'role_member',
    parent: 'role',
    names: PRINCIPAL,
    columns: `n:role_id ${MEMBER} D:review_reminder D:review_last_notified_time T:review_server`,
  },
  {
    name: 'pending_role_member',
    parent: 'role',
    names: PRINCIPAL,
    columns: `n:role_id ${PENDING} D:review_reminder`,
  },
  { name: 'role_audit_log', parent: 'role', columns: `n:audit_log_id n:role_id ${AUDIT}` },
  { name: 'principal_group', parent: 'domain', key: 'group_id', columns: `n:group_id n:domain_id ${COLLECTION}` },
  { name: 'group_tags', parent: 'principal_group', columns: `n:group_id ${TAG}` },
  { name: 'principal_group_member', parent: 'principal_group', names: PRINCIPAL, columns: `n:group_id ${MEMBER}` },
  {
    name: 'pending_principal_group_member',
    parent: 'principal_group',
    names: PRINCIPAL,
    columns: `n:group_id ${PENDING}`,
  },
  { name: 'principal_group_audit_log', parent: 'principal_group', columns: `n:audit_log_id n:group_id ${AUDIT}` },
  {
    name: 'policy',
    parent: 'domain',
    key: 'policy_id',
    columns: `n:policy_id n:domain_id t:name t:version n:active d:modified d:created t:description t:resource_owner`,
  },
  { name: 'policy_tags', parent: 'policy', columns: `n:policy_id ${TAG}` },
  {
    name: 'assertion',
    parent: 'policy',
    key: 'assertion_id',
    columns: 'n:assertion_id n:policy_id t:role t:resource t:action t:effect',
  },
  {
    name: 'assertion_condition',
    parent: 'assertion',
    columns: 'n:assertion_id n:condition_id t:key t:operator t:value',
  },
  {
    name: 'service',
    parent: 'domain',
    key: 'service_id',
    columns: `n:service_id n:domain_id t:name t:provider_endpoint t:executable t:svc_user t:svc_group d:modified d:created
      t:description t:resource_owner t:x509_cert_signer_keyid t:ssh_cert_signer_keyid t:creds t:client_id n:feature_flags`,
  },
  { name: 'service_tags', parent: 'service', columns: `n:service_id ${TAG}` },
  { name: 'public_key', parent: 'service', columns: 'n:service_id t:key_id t:key_value' },
  { name: 'service_host', parent: 'service', names: HOST, columns: 'n:service_id n:host_id t:host' },
  { name: 'entity', parent: 'domain', columns: 'n:domain_id t:name t:value d:modified d:created' },
] as const

/** Name of a table. */
export type TableName = (typeof TABLE_LIST)[number]['name']

/** All tables; one that refers to another comes behind it. */
export const TABLES: ReadonlyMap<TableName, DataTable> = new Map(
  TABLE_LIST.map(({ columns, ...table }): [TableName, DataTable] => [
    table.name,
    { ...table, columns: columnsOf(columns) },
  ]),
)

/** The table of that name. */
export function tableOf(name: TableName): DataTable {
  return TABLES.get(name) as DataTable
}

/** Columns of a table in a database: without the names that take the place of keys. */
export function storedColumns({ columns, names = {} }: DataTable): string[] {
  return [...columns.keys()].filter((column) => !Object.hasOwn(names, column))
}

/** Sorts texts by their characters, as bytes of UTF-8 are sorted: in one order, whatever a database thinks of letters. */
export function byText(a: string, b: string): number {
  // Only where characters take two units is the order of units another.
  if (SURROGATE.test(a) || SURROGATE.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b))
  return a < b ? -1 : Number(a > b)
}

const SURROGATE = /[\ud800-\udfff]/
