import type { MariaDb } from '../../../support/mariadb.ts'

/** What the original's schema got on a date: `table.column`, a table, or statements that take a change back. */
interface Addition {
  readonly date: string
  readonly columns?: readonly string[]
  readonly tables?: readonly string[]
  /** Executed to get what was there before, when the added columns and tables are gone. */
  readonly before?: readonly string[]
}

/** The history of the ZMS tables, newest first. */
const ZMS_HISTORY: readonly Addition[] = [
  {
    date: '20260820',
    before: [
      "ALTER TABLE domain MODIFY account VARCHAR(128) NOT NULL DEFAULT ''",
      "ALTER TABLE domain MODIFY aws_account_name VARCHAR(128) NOT NULL DEFAULT ''",
    ],
  },
  { date: '20260610', columns: ['domain.client_id_self_update'] },
  { date: '20260513', columns: ['domain.cost_center'] },
  { date: '20260421', columns: ['service.feature_flags'] },
  { date: '20260323', columns: ['domain.external_member_validator'] },
  { date: '20260104', columns: ['domain.aws_account_name'] },
  { date: '20251119', columns: ['service.client_id'] },
  { date: '20250808', columns: ['domain.auto_delete_tenant_assume_role_assertions'] },
  { date: '20250604', columns: ['domain.on_call'] },
  {
    date: '20250513',
    before: ["UPDATE service SET creds = ''", "ALTER TABLE service MODIFY creds VARCHAR(64) NOT NULL DEFAULT ''"],
  },
  { date: '20250304', columns: ['service.x509_cert_signer_keyid', 'service.ssh_cert_signer_keyid', 'service.creds'] },
  { date: '20241107', columns: ['domain.slack_channel', 'role.notify_details', 'principal_group.notify_details'] },
  { date: '20240708', columns: ['domain.x509_cert_signer_keyid', 'domain.ssh_cert_signer_keyid'] },
  { date: '20240525', columns: ['role.principal_domain_filter', 'principal_group.principal_domain_filter'] },
  { date: '20240523', columns: ['domain.azure_tenant', 'domain.azure_client'] },
  {
    date: '20240325',
    columns: ['domain', 'role', 'policy', 'service', 'principal_group'].map((table) => `${table}.resource_owner`),
  },
  { date: '20240121', columns: ['domain.environment'] },
  {
    date: '20231127',
    columns: ['role', 'principal_group'].flatMap((table) => [`${table}.self_renew`, `${table}.self_renew_mins`]),
  },
  { date: '20231122', tables: ['domain_contacts'] },
  { date: '20231120', columns: ['role.max_members', 'principal_group.max_members'] },
  { date: '20230724', columns: ['domain.feature_flags'] },
  { date: '20230717', tables: ['service_tags'] },
  { date: '20230606', tables: ['policy_tags'] },
  { date: '20230528', columns: ['domain.product_id'] },
  { date: '20230326', columns: ['domain.gcp_project_number'] },
  {
    date: '20230308',
    before: ['domain_tags', 'role_tags', 'group_tags'].map(
      (table) => `ALTER TABLE ${table} MODIFY \`key\` VARCHAR(64) COLLATE utf8mb3_general_ci NOT NULL`,
    ),
  },
  {
    date: '20230207',
    columns: ['principal_group.delete_protection', 'pending_principal_group_member.pending_state'],
  },
  {
    date: '20230203',
    before: ['ALTER TABLE principal_group_member ADD INDEX fq_group_member_group_idx (group_id), DROP PRIMARY KEY'],
  },
  { date: '20230124', columns: ['role.delete_protection', 'pending_role_member.pending_state'] },
  { date: '20221122', columns: ['domain.gcp_project'] },
  { date: '20220717', columns: ['domain.member_purge_expiry_days', 'role.description', 'policy.description'] },
  { date: '20220124', tables: ['service_domain_dependency'] },
  { date: '20211021', tables: ['group_tags'] },
  {
    date: '20210723',
    columns: ['policy.version', 'policy.active'],
    before: ['ALTER TABLE policy ADD UNIQUE INDEX uq_domain_policy (name, domain_id)'],
  },
  {
    date: '20210708',
    before: ['domain_tags', 'role_tags'].map((table) => `ALTER TABLE ${table} MODIFY value VARCHAR(64) NOT NULL`),
  },
  { date: '20210621', tables: ['assertion_condition'] },
  { date: '20210407', columns: ['role.group_review_days'] },
  {
    date: '20210313',
    columns: ['domain.business_service', 'principal_group.member_expiry_days', 'principal_group.service_expiry_days'],
  },
  { date: '20210106', tables: ['domain_tags'] },
  { date: '20201109', tables: ['role_tags'] },
  { date: '20201030', columns: ['domain.azure_subscription'] },
  { date: '20201019', columns: ['principal.system_suspended'] },
  { date: '20200902', columns: ['domain.group_expiry_days', 'role.group_expiry_days'] },
  {
    date: '20200827',
    columns: ['quota.principal_group', 'quota.principal_group_member'],
    tables: [
      'principal_group_audit_log',
      'pending_principal_group_member',
      'principal_group_member',
      'principal_group',
    ],
  },
  { date: '20200630', columns: ['domain.user_authority_filter'] },
  { date: '20200609', columns: ['role_member.system_disabled'] },
  { date: '20200510', columns: ['role.member_review_days', 'role.service_review_days'] },
  { date: '20200507', columns: ['domain_template.current_version'] },
  { date: '20200506', columns: ['role.user_authority_filter', 'role.user_authority_expiration'] },
  {
    date: '20200420',
    columns: [
      'role_member.review_reminder',
      'role_member.review_last_notified_time',
      'role_member.review_server',
      'pending_role_member.review_reminder',
    ],
  },
  {
    date: '20200129',
    columns: [
      'role.review_enabled',
      'role.notify_roles',
      'role.last_reviewed_time',
      'role_member.req_principal',
      'pending_role_member.req_principal',
    ],
  },
  { date: '20191227', columns: ['domain.service_expiry_days', 'role.service_expiry_days'] },
  {
    date: '20191127',
    columns: [
      'domain.service_cert_expiry_mins',
      'domain.role_cert_expiry_mins',
      'domain.sign_algorithm',
      'role.cert_expiry_mins',
      'role.sign_algorithm',
    ],
  },
  { date: '20191106', columns: ['role_member.last_notified_time', 'role_member.server'] },
  {
    date: '20191025',
    columns: ['domain', 'role'].flatMap((table) => [`${table}.member_expiry_days`, `${table}.token_expiry_mins`]),
  },
  {
    date: '20191004',
    columns: ['pending_role_member.last_notified_time', 'pending_role_member.server'],
    before: [
      `ALTER TABLE pending_role_member MODIFY req_time DATETIME(3) NULL
       DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)`,
    ],
  },
  { date: '20191003', tables: ['pending_role_member'] },
  { date: '20190816', columns: ['role_member.audit_ref'] },
  { date: '20190702', columns: ['role_member.active', 'role.self_serve'] },
  { date: '20190606', columns: ['role.audit_enabled'] },
  { date: '20190107', columns: ['domain.cert_dns_domain'] },
]

/** The history of the ZTS tables, newest first. */
const ZTS_HISTORY: readonly Addition[] = [
  { date: '20241022', columns: ['certificates.siaProvider'] },
  { date: '20210420', columns: ['workloads.hostname', 'workloads.certExpiryTime'] },
  { date: '20210325', tables: ['workloads'] },
  { date: '20201102', before: ['ALTER TABLE certificates DROP INDEX idx_hostName'] },
  { date: '20200428', tables: ['ssh_certificates'] },
  {
    date: '20200302',
    columns: ['lastNotifiedTime', 'lastNotifiedServer', 'expiryTime', 'hostName'].map((name) => `certificates.${name}`),
  },
  {
    date: '20190208',
    columns: ['certificates.clientCert'],
    before: [
      `ALTER TABLE certificates DROP PRIMARY KEY, ADD PRIMARY KEY (provider, instanceId),
       MODIFY provider VARCHAR(512) NOT NULL, MODIFY instanceId VARCHAR(512) NOT NULL,
       MODIFY service VARCHAR(512) NOT NULL`,
    ],
  },
]

/** Dates on which the schemas changed, oldest first. */
export const DATES = {
  zms: ZMS_HISTORY.map(({ date }) => date).toReversed(),
  zts: ZTS_HISTORY.map(({ date }) => date).toReversed(),
} as const

/**
 * Makes of a database with the current schema, or that of another date, what it was before a date; the rows stay as far
 * as they fit.
 */
export async function turnBack(
  db: MariaDb,
  database: string,
  server: 'zms' | 'zts',
  date: string,
  from = '99999999',
): Promise<void> {
  const history = server === 'zms' ? ZMS_HISTORY : ZTS_HISTORY
  const statements = history.filter((addition) => addition.date >= date && addition.date < from).flatMap(statementsOf)
  await db.query(`USE ${database}; ${statements.join('; ')}`)
}

function statementsOf({ columns = [], tables = [], before = [] }: Addition): string[] {
  // Without versions there could be only one policy of a name.
  const isVersioned = columns.includes('policy.version')
  return [
    ...(isVersioned
      ? ["DELETE FROM policy WHERE version <> '0'", 'ALTER TABLE policy DROP INDEX uq_domain_policy']
      : []),
    ...columns.map((column) => {
      const [table, name] = column.split('.')
      return `ALTER TABLE ${table} DROP COLUMN ${name}`
    }),
    ...tables.map((table) => `DROP TABLE ${table}`),
    ...before,
  ]
}
