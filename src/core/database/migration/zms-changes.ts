import type { Demand, SchemaChange, SchemaStep } from './schema-change.ts'

const ID = 'INT UNSIGNED NOT NULL'
const FLAG = 'TINYINT(1) NOT NULL DEFAULT 0'
const NUMBER = 'INT NOT NULL DEFAULT 0'
const TIME = 'DATETIME(3) NULL'
const TIME_NOW = 'DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3)'
const MODIFIED = 'DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)'
const CREATED = 'DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)'
const EXACT_KEY = 'VARCHAR(64) CHARACTER SET {charset} COLLATE {charset}_bin NOT NULL'

const text = (length: number) => `VARCHAR(${length}) NOT NULL DEFAULT ''`
const name = (length: number) => `VARCHAR(${length}) NOT NULL`
const nullable = (length: number) => `VARCHAR(${length}) NULL`
const column = (of: string, definition: string): Demand => ({ column: of, definition })
const index = (of: string, ...columns: string[]): Demand => ({ index: of, columns })
const alter = (table: string, ...demands: Demand[]): SchemaStep => ({ table, alter: demands })

/** A table of tags of an object; its key is of the columns in that order. */
const tags = (table: string, owner: string, id: string, constraint: string): SchemaStep => ({
  table,
  create: {
    columns: { [id]: ID, key: EXACT_KEY, value: name(256) },
    primary: [id, 'key', 'value'],
    indexes: { tag_key_val_sec_idx: ['key', 'value'] },
    foreign: { [constraint]: [id, owner] },
  },
})

/**
 * How the tables of a ZMS database changed since the end of 2017, by the dates on which the original's did. Where the
 * original's updates and its complete schemas differ (lengths, defaults, keys), the later form is asked for. A released
 * change is never edited: its checksum is kept in the databases that have it.
 */
export const ZMS_CHANGES: readonly SchemaChange[] = [
  {
    id: '20190107',
    title: 'DNS domain of certificates',
    steps: [alter('domain', column('cert_dns_domain', text(256)))],
  },
  { id: '20190606', title: 'audited roles', steps: [alter('role', column('audit_enabled', FLAG))] },
  {
    id: '20190702',
    title: 'self-service roles',
    steps: [
      alter('role_member', column('active', 'TINYINT(1) NOT NULL DEFAULT 1')),
      alter('role', column('self_serve', FLAG)),
    ],
  },
  {
    id: '20190816',
    title: 'reasons of memberships',
    steps: [alter('role_member', column('audit_ref', nullable(512)))],
  },
  {
    id: '20191003',
    title: 'pending members of roles',
    steps: [
      {
        table: 'pending_role_member',
        create: {
          columns: {
            role_id: ID,
            principal_id: ID,
            expiration: TIME,
            audit_ref: nullable(512),
            req_time: TIME_NOW,
          },
          primary: ['role_id', 'principal_id'],
          indexes: { idx_principal: ['principal_id', 'role_id'] },
          foreign: {
            fk_pending_role_member_role: ['role_id', 'role'],
            fk_pending_role_member_principal: ['principal_id', 'principal'],
          },
        },
      },
    ],
  },
  {
    id: '20191004',
    title: 'notices of pending members',
    steps: [
      alter(
        'pending_role_member',
        { untouched: 'req_time', definition: TIME_NOW },
        column('last_notified_time', TIME_NOW),
        column('server', nullable(255)),
      ),
    ],
  },
  {
    id: '20191025',
    title: 'expiry of members and tokens',
    steps: [
      alter('domain', column('member_expiry_days', NUMBER), column('token_expiry_mins', NUMBER)),
      alter('role', column('member_expiry_days', NUMBER), column('token_expiry_mins', NUMBER)),
    ],
  },
  {
    id: '20191106',
    title: 'notices of expiry',
    steps: [alter('role_member', column('last_notified_time', TIME), column('server', nullable(512)))],
  },
  {
    id: '20191127',
    title: 'expiry of certificates, algorithms of signatures',
    steps: [
      alter(
        'domain',
        column('service_cert_expiry_mins', NUMBER),
        column('role_cert_expiry_mins', NUMBER),
        column('sign_algorithm', text(64)),
      ),
      alter('role', column('cert_expiry_mins', NUMBER), column('sign_algorithm', text(64))),
    ],
  },
  {
    id: '20191227',
    title: 'expiry of services',
    steps: [
      alter('domain', column('service_expiry_days', NUMBER)),
      alter('role', column('service_expiry_days', NUMBER)),
    ],
  },
  {
    id: '20200129',
    title: 'reviewed roles, requesters of memberships',
    steps: [
      alter(
        'role',
        column('review_enabled', FLAG),
        column('notify_roles', text(512)),
        column('last_reviewed_time', TIME),
      ),
      alter('role_member', column('req_principal', text(512))),
      alter('pending_role_member', column('req_principal', text(512))),
    ],
  },
  {
    id: '20200420',
    title: 'reminders of reviews',
    steps: [
      alter(
        'role_member',
        column('review_reminder', TIME),
        column('review_last_notified_time', TIME),
        column('review_server', nullable(512)),
      ),
      alter('pending_role_member', column('review_reminder', TIME)),
    ],
  },
  {
    id: '20200506',
    title: 'members by attributes of the user authority',
    steps: [alter('role', column('user_authority_filter', text(512)), column('user_authority_expiration', text(64)))],
  },
  {
    id: '20200507',
    title: 'versions of templates',
    steps: [alter('domain_template', column('current_version', NUMBER))],
  },
  {
    id: '20200510',
    title: 'times of reviews',
    steps: [alter('role', column('member_review_days', NUMBER), column('service_review_days', NUMBER))],
  },
  { id: '20200609', title: 'disabled members', steps: [alter('role_member', column('system_disabled', NUMBER))] },
  {
    id: '20200630',
    title: 'user authority filter of domains',
    steps: [alter('domain', column('user_authority_filter', text(512)))],
  },
  {
    id: '20200827',
    title: 'groups',
    steps: [
      // Domains that have limits of their own get the original's usual ones for groups, not 0.
      alter(
        'quota',
        column('principal_group', 'INT UNSIGNED NOT NULL DEFAULT 100'),
        column('principal_group_member', 'INT UNSIGNED NOT NULL DEFAULT 100'),
      ),
      alter('quota', { withoutDefault: 'principal_group' }, { withoutDefault: 'principal_group_member' }),
      {
        table: 'principal_group',
        create: {
          columns: {
            group_id: `${ID} AUTO_INCREMENT`,
            domain_id: ID,
            name: name(512),
            modified: MODIFIED,
            created: CREATED,
            audit_enabled: FLAG,
            self_serve: FLAG,
            review_enabled: FLAG,
            notify_roles: text(512),
            last_reviewed_time: TIME,
            user_authority_filter: text(512),
            user_authority_expiration: text(64),
          },
          primary: ['group_id'],
          unique: { uq_domain_group: ['domain_id', 'name'] },
          foreign: { fk_group_domain: ['domain_id', 'domain'] },
        },
      },
      {
        table: 'principal_group_member',
        create: {
          columns: {
            group_id: ID,
            principal_id: ID,
            expiration: TIME,
            active: 'TINYINT(1) NOT NULL DEFAULT 1',
            system_disabled: NUMBER,
            audit_ref: nullable(512),
            last_notified_time: TIME,
            server: nullable(512),
            req_principal: text(512),
          },
          primary: ['group_id', 'principal_id'],
          indexes: { idx_principal: ['principal_id', 'group_id'] },
          foreign: {
            fk_group_member_group: ['group_id', 'principal_group'],
            fk_group_member_principal: ['principal_id', 'principal'],
          },
        },
      },
      {
        table: 'pending_principal_group_member',
        create: {
          columns: {
            group_id: ID,
            principal_id: ID,
            expiration: TIME,
            audit_ref: nullable(512),
            req_time: TIME_NOW,
            last_notified_time: TIME_NOW,
            server: nullable(255),
            req_principal: text(512),
          },
          primary: ['group_id', 'principal_id'],
          indexes: { idx_principal: ['principal_id', 'group_id'] },
          foreign: {
            fk_pending_group_member_group: ['group_id', 'principal_group'],
            fk_pending_group_member_principal: ['principal_id', 'principal'],
          },
        },
      },
      {
        table: 'principal_group_audit_log',
        create: {
          columns: {
            audit_log_id: `${ID} AUTO_INCREMENT`,
            group_id: ID,
            admin: name(512),
            member: name(512),
            created: 'DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP',
            action: name(32),
            audit_ref: name(512),
          },
          primary: ['audit_log_id'],
          indexes: { fk_group_audit_log_group_id_idx: ['group_id'] },
          foreign: { fk_group_audit_log_group: ['group_id', 'principal_group'] },
        },
      },
    ],
  },
  {
    id: '20200902',
    title: 'expiry of groups',
    steps: [alter('domain', column('group_expiry_days', NUMBER)), alter('role', column('group_expiry_days', NUMBER))],
  },
  {
    id: '20201019',
    title: 'suspended principals',
    steps: [
      // For some days the original's column had another name.
      alter('principal', {
        column: 'system_suspended',
        definition: 'INT UNSIGNED NOT NULL DEFAULT 0',
        formerly: 'system_disabled',
      }),
    ],
  },
  {
    id: '20201030',
    title: 'Azure subscriptions',
    steps: [alter('domain', column('azure_subscription', text(128)), index('idx_azure', 'azure_subscription'))],
  },
  {
    id: '20201109',
    title: 'tags of roles',
    steps: [
      tags('role_tags', 'role', 'role_id', 'fk_role_tag_role'),
      alter('role_tags', index('tag_key_val_sec_idx', 'key', 'value')),
    ],
  },
  {
    id: '20210106',
    title: 'tags of domains',
    steps: [
      {
        table: 'domain_tags',
        create: {
          columns: { domain_id: ID, key: EXACT_KEY, value: name(256) },
          primary: ['key', 'value', 'domain_id'],
          foreign: { fk_domain_tag_domain: ['domain_id', 'domain'] },
        },
      },
    ],
  },
  {
    id: '20210313',
    title: 'business services, expiry of members of groups',
    steps: [
      alter('domain', column('business_service', text(256)), index('idx_business_service', 'business_service')),
      alter('principal_group', column('member_expiry_days', NUMBER), column('service_expiry_days', NUMBER)),
    ],
  },
  { id: '20210407', title: 'times of reviews of groups', steps: [alter('role', column('group_review_days', NUMBER))] },
  {
    id: '20210621',
    title: 'conditions of assertions',
    steps: [
      {
        table: 'assertion_condition',
        create: {
          columns: {
            assertion_id: ID,
            condition_id: 'INT NOT NULL',
            key: name(64),
            operator: name(16),
            value: name(2048),
          },
          primary: ['assertion_id', 'condition_id', 'key'],
          indexes: { fk_condition_assertion_idx: ['assertion_id'] },
          foreign: { assertion_id: ['assertion_id', 'assertion'] },
        },
      },
    ],
  },
  {
    id: '20210708',
    title: 'longer tags',
    steps: [alter('role_tags', column('value', name(256))), alter('domain_tags', column('value', name(256)))],
  },
  {
    id: '20210723',
    title: 'versions of policies',
    steps: [
      alter(
        'policy',
        column('version', "VARCHAR(32) NOT NULL DEFAULT '0'"),
        column('active', 'TINYINT(1) NOT NULL DEFAULT 1'),
        { unique: 'uq_domain_policy', columns: ['name', 'domain_id', 'version'] },
      ),
    ],
  },
  {
    id: '20211021',
    title: 'tags of groups',
    steps: [tags('group_tags', 'principal_group', 'group_id', 'fk_group_tag_group')],
  },
  {
    id: '20220124',
    title: 'dependencies on services',
    steps: [
      {
        table: 'service_domain_dependency',
        create: {
          columns: { domain: name(512), service: name(1024) },
          primary: ['domain(128)', 'service(128)'],
          indexes: { idx_domain: ['domain(256)'], idx_service: ['service(256)'] },
        },
      },
    ],
  },
  {
    id: '20220717',
    title: 'removal of expired members, descriptions',
    steps: [
      alter('domain', column('member_purge_expiry_days', NUMBER)),
      alter('role', column('description', text(4096))),
      alter('policy', column('description', text(4096))),
    ],
  },
  {
    id: '20221122',
    title: 'GCP projects',
    steps: [alter('domain', column('gcp_project', text(128)), index('idx_gcp', 'gcp_project'))],
  },
  {
    id: '20230124',
    title: 'protected roles',
    steps: [
      alter('role', column('delete_protection', FLAG)),
      alter('pending_role_member', column('pending_state', "VARCHAR(12) NOT NULL DEFAULT 'ADD'")),
    ],
  },
  {
    id: '20230203',
    title: 'one membership of a principal in a group',
    steps: [alter('principal_group_member', { primary: ['group_id', 'principal_id'] })],
  },
  {
    id: '20230207',
    title: 'protected groups',
    steps: [
      alter('principal_group', column('delete_protection', FLAG)),
      alter('pending_principal_group_member', column('pending_state', "VARCHAR(12) NOT NULL DEFAULT 'ADD'")),
    ],
  },
  {
    id: '20230308',
    title: 'letter case of keys of tags',
    steps: ['domain_tags', 'role_tags', 'group_tags'].map((table) =>
      alter(table, { exact: 'key', definition: EXACT_KEY }),
    ),
  },
  {
    id: '20230326',
    title: 'numbers of GCP projects',
    steps: [alter('domain', column('gcp_project_number', text(64)))],
  },
  {
    id: '20230528',
    title: 'products',
    steps: [alter('domain', column('product_id', text(128)), index('idx_product_id', 'product_id'))],
  },
  {
    id: '20230606',
    title: 'tags of policies',
    steps: [tags('policy_tags', 'policy', 'policy_id', 'fk_policy_tag_policy')],
  },
  {
    id: '20230717',
    title: 'tags of services',
    steps: [tags('service_tags', 'service', 'service_id', 'fk_service_tag_service')],
  },
  { id: '20230724', title: 'feature flags of domains', steps: [alter('domain', column('feature_flags', NUMBER))] },
  {
    id: '20231120',
    title: 'most members',
    steps: [alter('role', column('max_members', NUMBER)), alter('principal_group', column('max_members', NUMBER))],
  },
  {
    id: '20231122',
    title: 'contacts',
    steps: [
      {
        table: 'domain_contacts',
        create: {
          columns: { domain_id: ID, type: name(64), name: name(512) },
          primary: ['domain_id', 'type'],
          unique: { uq_domain_contact: ['domain_id', 'type'] },
          indexes: { idx_contact_name: ['name'] },
          foreign: { fk_domain_contacts_domain: ['domain_id', 'domain'] },
        },
      },
    ],
  },
  {
    id: '20231127',
    title: 'members that renew themselves',
    steps: ['role', 'principal_group'].map((table) =>
      alter(table, column('self_renew', FLAG), column('self_renew_mins', NUMBER)),
    ),
  },
  { id: '20240121', title: 'environments', steps: [alter('domain', column('environment', text(32)))] },
  {
    id: '20240325',
    title: 'owners of objects',
    steps: ['domain', 'role', 'policy', 'service', 'principal_group'].map((table) =>
      alter(table, column('resource_owner', text(256))),
    ),
  },
  {
    id: '20240523',
    title: 'Azure tenants',
    steps: [alter('domain', column('azure_tenant', text(128)), column('azure_client', text(128)))],
  },
  {
    id: '20240525',
    title: 'domains of members',
    steps: ['role', 'principal_group'].map((table) => alter(table, column('principal_domain_filter', text(1024)))),
  },
  {
    id: '20240708',
    title: 'signers of a domain',
    steps: [alter('domain', column('x509_cert_signer_keyid', text(64)), column('ssh_cert_signer_keyid', text(64)))],
  },
  {
    id: '20241107',
    title: 'details of notices',
    steps: [
      alter('domain', column('slack_channel', text(80))),
      alter('role', column('notify_details', text(512))),
      alter('principal_group', column('notify_details', text(512))),
    ],
  },
  {
    id: '20250304',
    title: 'signers and credentials of services',
    steps: [
      alter(
        'service',
        column('x509_cert_signer_keyid', text(64)),
        column('ssh_cert_signer_keyid', text(64)),
        column('creds', text(64)),
      ),
    ],
  },
  { id: '20250513', title: 'longer credentials', steps: [alter('service', column('creds', text(256)))] },
  { id: '20250604', title: 'teams on call', steps: [alter('domain', column('on_call', text(128)))] },
  {
    id: '20250808',
    title: 'removal of assertions of tenants',
    steps: [alter('domain', column('auto_delete_tenant_assume_role_assertions', FLAG))],
  },
  { id: '20251119', title: 'client ids of services', steps: [alter('service', column('client_id', text(256)))] },
  { id: '20260104', title: 'names of AWS accounts', steps: [alter('domain', column('aws_account_name', text(128)))] },
  {
    id: '20260323',
    title: 'validators of external members',
    steps: [alter('domain', column('external_member_validator', text(256)))],
  },
  { id: '20260421', title: 'feature flags of services', steps: [alter('service', column('feature_flags', NUMBER))] },
  { id: '20260513', title: 'cost centers', steps: [alter('domain', column('cost_center', text(64)))] },
  {
    id: '20260610',
    title: 'client ids that services change',
    steps: [alter('domain', column('client_id_self_update', FLAG))],
  },
  {
    id: '20260820',
    title: 'several accounts',
    steps: [alter('domain', column('account', text(512)), column('aws_account_name', text(2048)))],
  },
]
