import type { Domain, DomainBase, DomainMeta, Quota } from '../model.ts'
import { insertRows } from './bulk.ts'
import {
  assignmentsOf,
  columnsOf,
  identityOf,
  namesOf,
  places,
  type Row,
  readObject,
  timeOf,
  valuesOf,
} from './columns.ts'
import type { LoadStep } from './draft.ts'
import { readTags } from './draft.ts'
import type { Run, WriteScope } from './scope.ts'
import { sameTags, writeTags } from './tags.ts'

const column = columnsOf<DomainMeta>()
const quotaColumn = columnsOf<Quota>()

/** Columns of the settings of a domain. */
export const DOMAIN_COLUMNS = [
  column.text('description', 'description'),
  column.text('org', 'org'),
  column.plainFlag('enabled', 'enabled'),
  column.plainFlag('audit_enabled', 'auditEnabled'),
  column.plainNumber('ypm_id', 'ypmId'),
  column.text('account', 'account'),
  column.text('aws_account_name', 'awsAccountName'),
  column.text('application_id', 'applicationId'),
  column.text('cert_dns_domain', 'certDnsDomain'),
  column.number('member_expiry_days', 'memberExpiryDays'),
  column.number('service_expiry_days', 'serviceExpiryDays'),
  column.number('group_expiry_days', 'groupExpiryDays'),
  column.number('token_expiry_mins', 'tokenExpiryMins'),
  column.number('service_cert_expiry_mins', 'serviceCertExpiryMins'),
  column.number('role_cert_expiry_mins', 'roleCertExpiryMins'),
  column.text('sign_algorithm', 'signAlgorithm'),
  column.text('user_authority_filter', 'userAuthorityFilter'),
  column.text('azure_subscription', 'azureSubscription'),
  column.text('azure_tenant', 'azureTenant'),
  column.text('azure_client', 'azureClient'),
  column.text('gcp_project', 'gcpProject'),
  column.text('gcp_project_number', 'gcpProjectNumber'),
  column.text('business_service', 'businessService'),
  column.number('member_purge_expiry_days', 'memberPurgeExpiryDays'),
  column.text('product_id', 'productId'),
  column.number('feature_flags', 'featureFlags'),
  column.text('environment', 'environment'),
  column.ownership('resource_owner', 'resourceOwnership'),
  column.text('x509_cert_signer_keyid', 'x509CertSignerKeyId'),
  column.text('ssh_cert_signer_keyid', 'sshCertSignerKeyId'),
  column.text('slack_channel', 'slackChannel'),
  column.text('on_call', 'onCall'),
  column.plainFlag('auto_delete_tenant_assume_role_assertions', 'autoDeleteTenantAssumeRoleAssertions'),
  column.plainFlag('client_id_self_update', 'clientIdSelfUpdate'),
  column.text('external_member_validator', 'externalMemberValidator'),
  column.text('cost_center', 'costCenter'),
]

/** Columns of limits. */
export const QUOTA_COLUMNS = [
  quotaColumn.plainNumber('subdomain', 'subdomain'),
  quotaColumn.plainNumber('role', 'role'),
  quotaColumn.plainNumber('role_member', 'roleMember'),
  quotaColumn.plainNumber('policy', 'policy'),
  quotaColumn.plainNumber('assertion', 'assertion'),
  quotaColumn.plainNumber('entity', 'entity'),
  quotaColumn.plainNumber('service', 'service'),
  quotaColumn.plainNumber('service_host', 'serviceHost'),
  quotaColumn.plainNumber('public_key', 'publicKey'),
  quotaColumn.plainNumber('principal_group', 'group'),
  quotaColumn.plainNumber('principal_group_member', 'groupMember'),
]

const DOMAIN_TAGS = { table: 'domain_tags', id: 'domain_id' }

const INSERT_DOMAIN = `INSERT INTO domain (${namesOf(DOMAIN_COLUMNS)}, name, uuid, modified, created)
  VALUES (${places(DOMAIN_COLUMNS.length + 4)})`
const UPDATE_DOMAIN = `UPDATE domain SET ${assignmentsOf(DOMAIN_COLUMNS)}, uuid = ?, modified = ? WHERE domain_id = ?`
const PUT_QUOTA = `INSERT INTO quota (${namesOf(QUOTA_COLUMNS)}, modified, domain_id)
  VALUES (${places(QUOTA_COLUMNS.length + 2)})
  ON DUPLICATE KEY UPDATE ${assignmentsOf(QUOTA_COLUMNS)}, modified = ?`

/** Query for the row of a domain, by its key. */
export const LOAD_DOMAIN = `SELECT domain_id, name, uuid, modified, created, ${namesOf(DOMAIN_COLUMNS)} FROM domain WHERE domain_id = ?`

/** Settings of a domain from its row. */
export function readDomain(row: Row): DomainBase {
  const settings = readObject(DOMAIN_COLUMNS, row) as DomainMeta
  return { ...settings, ...identityOf(row), id: row['uuid'] as string, rowId: row['domain_id'] as number }
}

/** Queries for the tags, contacts, templates and quota of a domain. */
export const domainLoadSteps: LoadStep[] = [
  {
    sql: 'SELECT domain_id AS id, `key`, value FROM domain_tags WHERE domain_id = ?',
    read: (rows, { domain }) => readTags(rows, () => domain),
  },
  {
    sql: 'SELECT type, name FROM domain_contacts WHERE domain_id = ?',
    read(rows, { domain }) {
      const contacts = rows as readonly { type: string; name: string }[]
      if (rows.length > 0) domain.contacts = new Map(contacts.map(({ type, name }) => [type, name]))
    },
  },
  {
    sql: 'SELECT template, current_version AS version FROM domain_template WHERE domain_id = ?',
    read(rows, { domain }) {
      for (const { template, version } of rows as readonly { template: string; version: number }[]) {
        domain.templates.set(template, version)
      }
    },
  },
  {
    sql: `SELECT modified, ${namesOf(QUOTA_COLUMNS)} FROM quota WHERE domain_id = ?`,
    read(rows, { domain }) {
      const [row] = rows as readonly Row[]
      if (row === undefined) return
      domain.quota = { ...(readObject(QUOTA_COLUMNS, row) as Quota), modified: timeOf(row['modified']) ?? 0 }
    },
  },
]

/** Inserts the row of a new domain, with its tags and contacts, and remembers its key. */
export async function insertDomain(scope: WriteScope, value: Domain): Promise<void> {
  const { insertId } = await scope.connection.change(INSERT_DOMAIN, [
    ...valuesOf(DOMAIN_COLUMNS, value),
    value.name,
    value.id,
    scope.stamp,
    scope.at,
  ])
  scope.setDomainId(value.name, insertId)
  // Asked once, so that later changes in this transaction take them for unknown.
  scope.storedTags('tags', value.name, () => undefined)
  scope.storedContacts(value.name)
  if (value.tags?.size) await writeTags(scope, DOMAIN_TAGS, insertId, value.tags)
  await insertContacts(scope, insertId, value.contacts)
}

/** Writers of changes of domains themselves. A new domain's row only; what it holds is written as other changes. */
export const domainWriters = {
  async deleteDomain(scope: WriteScope, run: Run<'deleteDomain'>) {
    for (const { domain } of run) {
      await scope.connection.change('DELETE FROM domain WHERE domain_id = ?', [scope.domainId(domain)])
      scope.setDomainId(domain, undefined)
    }
  },
  async putDomain(scope: WriteScope, run: Run<'putDomain'>) {
    for (const { domain, value } of run) {
      const id = scope.domainId(domain)
      if (id === 0) continue
      await scope.connection.change(UPDATE_DOMAIN, [...valuesOf(DOMAIN_COLUMNS, value), value.id, scope.stamp, id])
      const storedTags = scope.storedTags('tags', domain, (before) => before)
      if (!sameTags(value.tags, storedTags)) await writeTags(scope, DOMAIN_TAGS, id, value.tags)
      if (sameContacts(value.contacts, scope.storedContacts(domain))) continue
      await scope.connection.change('DELETE FROM domain_contacts WHERE domain_id = ?', [id])
      await insertContacts(scope, id, value.contacts)
    }
  },
  async touchDomain() {
    // Every domain with changes gets the time of the commit.
  },
  async putTemplate(scope: WriteScope, run: Run<'putTemplate'>) {
    for (const { domain, template, version } of run) {
      await scope.connection.change(
        `INSERT INTO domain_template (domain_id, template, current_version)
         SELECT domain_id, ?, ? FROM domain WHERE domain_id = ? ON DUPLICATE KEY UPDATE current_version = ?`,
        [template, version, scope.domainId(domain), version],
      )
    }
  },
  async deleteTemplate(scope: WriteScope, run: Run<'deleteTemplate'>) {
    for (const { domain, template } of run) {
      await scope.connection.change('DELETE FROM domain_template WHERE domain_id = ? AND template = ?', [
        scope.domainId(domain),
        template,
      ])
    }
  },
  async putQuota(scope: WriteScope, run: Run<'putQuota'>) {
    for (const { domain, value } of run) {
      const id = scope.domainId(domain)
      if (id === 0) continue
      // The column has whole seconds and would round up.
      const at = new Date(Math.floor(scope.at.getTime() / 1000) * 1000)
      const values = valuesOf(QUOTA_COLUMNS, value as Quota)
      await scope.connection.change(PUT_QUOTA, [...values, at, id, ...values, at])
    }
  },
  async deleteQuota(scope: WriteScope, run: Run<'deleteQuota'>) {
    for (const { domain } of run)
      await scope.connection.change('DELETE FROM quota WHERE domain_id = ?', [scope.domainId(domain)])
  },
}

type Contacts = DomainBase['contacts']

async function insertContacts(scope: WriteScope, id: number, contacts: Contacts): Promise<void> {
  const rows = [...(contacts ?? [])].map(([type, name]) => [id, type, name])
  await insertRows(scope.connection, 'domain_contacts (domain_id, type, name)', rows)
}

function sameContacts(a: Contacts, b: Contacts | 'unknown'): boolean {
  if (b === 'unknown' || (a?.size ?? 0) !== (b?.size ?? 0)) return false
  return [...(a ?? [])].every(([type, name]) => b?.get(type) === name)
}
