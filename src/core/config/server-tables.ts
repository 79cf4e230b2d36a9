import * as auth from './auth-properties.ts'
import { authProperties, furtherAuthProperties } from './auth-properties.ts'
import * as container from './container-properties.ts'
import { type commonContainerProperties, containerProperties } from './container-properties.ts'
import { datastoreProperties, poolProperties } from './database-properties.ts'
import * as history from './history-properties.ts'
import * as keyStore from './key-store-properties.ts'
import * as limit from './limit-properties.ts'
import * as notification from './notification-properties.ts'
import type { PropertyRows, SettingsOf } from './property.ts'
import * as shared from './shared-properties.ts'
import { uiLimitProperties, uiProperties } from './ui-properties.ts'
import * as zms from './zms-properties.ts'
import { zmsProperties } from './zms-properties.ts'
import * as ztsCertificate from './zts-certificate-properties.ts'
import * as zts from './zts-properties.ts'
import * as ztsProvider from './zts-provider-properties.ts'

/** The servers that have data of their own. */
export type DataServerName = 'zms' | 'zts'
/** These, and the web page for people. */
export type ServerName = DataServerName | 'ui'

/** Properties that share a prefix and a group of the configuration object. */
export interface PropertyTable {
  /** Member of the configuration object that holds the settings; empty for the object itself. */
  readonly group: string
  readonly prefix: string
  /** Which example file shows them. */
  readonly file: 'container' | 'server'
  readonly sections: readonly (readonly [title: string, rows: PropertyRows])[]
}

/** Settings that both servers with data have. */
export interface SharedConfig
  extends SettingsOf<typeof shared.domainNameProperties>,
    SettingsOf<typeof shared.publicKeyFileProperties> {
  readonly container: SettingsOf<typeof containerProperties>
  readonly auth: SettingsOf<typeof authProperties> & SettingsOf<typeof furtherAuthProperties>
  readonly crypto: SettingsOf<typeof shared.cryptoProperties>
  readonly db: SettingsOf<typeof poolProperties>
  readonly datastore: SettingsOf<typeof datastoreProperties>
  readonly notification: SettingsOf<typeof notification.notificationProperties> &
    SettingsOf<typeof notification.notificationPluginProperties> &
    SettingsOf<typeof notification.notificationSenderProperties>
  readonly externalMember: SettingsOf<typeof shared.externalMemberProperties>
  readonly sources: SettingsOf<typeof shared.sourceProperties> & SettingsOf<typeof shared.reloadProperties>
  readonly ts: SettingsOf<typeof shared.tsProperties> &
    SettingsOf<typeof shared.apiDocumentationProperties> &
    SettingsOf<typeof auth.ownAuthorityProperties> &
    SettingsOf<typeof history.ownHistoryProperties> &
    SettingsOf<typeof limit.ownLimitProperties> &
    SettingsOf<typeof limit.ownLoadProperties> &
    SettingsOf<typeof keyStore.ownKeyStoreProperties>
  readonly aws: SettingsOf<typeof keyStore.awsKeyStoreProperties>
}

/** All settings of ZMS. */
export interface ZmsConfig extends SharedConfig {
  readonly zms: SettingsOf<typeof zmsProperties> &
    SettingsOf<typeof zms.changeWebhookProperties> &
    SettingsOf<typeof zms.templateProperties>
}

/** All settings of ZTS. */
export interface ZtsConfig extends SharedConfig {
  readonly zts: SettingsOf<typeof zts.serverProperties> &
    SettingsOf<typeof zts.plugInProperties> &
    SettingsOf<typeof zts.keyChoiceProperties> &
    SettingsOf<typeof zts.domainDataProperties> &
    SettingsOf<typeof zts.serverCommonProperties> &
    SettingsOf<typeof zts.changeLogClientProperties> &
    SettingsOf<typeof zts.tokenProperties> &
    SettingsOf<typeof zts.cloudCredentialProperties> &
    SettingsOf<typeof zts.clientProperties> &
    SettingsOf<typeof ztsCertificate.requestProperties> &
    SettingsOf<typeof ztsCertificate.signerProperties> &
    SettingsOf<typeof ztsCertificate.userCertificateProperties> &
    SettingsOf<typeof ztsCertificate.certificateRecordProperties> &
    SettingsOf<typeof ztsCertificate.sshProperties> &
    SettingsOf<typeof ztsCertificate.sshAuthorityProperties> &
    SettingsOf<typeof ztsCertificate.recordOutageProperties> &
    SettingsOf<typeof history.ztsHistoryProperties> &
    SettingsOf<typeof ztsCertificate.workloadProperties> &
    SettingsOf<typeof ztsCertificate.certificateNotificationProperties> &
    SettingsOf<typeof ztsProvider.ztsProviderProperties> &
    SettingsOf<typeof ztsProvider.ownProviderProperties> &
    SettingsOf<typeof ztsProvider.instanceClientProperties> &
    SettingsOf<typeof ztsProvider.awsProviderProperties> &
    SettingsOf<typeof ztsProvider.azureProviderProperties> &
    SettingsOf<typeof ztsProvider.gcpProviderProperties> &
    SettingsOf<typeof ztsProvider.kubernetesProviderProperties> &
    SettingsOf<typeof ztsProvider.buildProviderProperties> &
    SettingsOf<typeof ztsProvider.otherProviderProperties>
  readonly userCert: SettingsOf<typeof ztsProvider.userIdentityProviderProperties>
  readonly externalMemberCert: SettingsOf<typeof ztsProvider.memberIdentityProviderProperties>
}

/** Settings of ports, TLS, logs and limits, which every server has. */
export interface ContainerConfig {
  readonly container: SettingsOf<typeof commonContainerProperties>
  readonly ts: SettingsOf<typeof shared.ownServerProperties> &
    SettingsOf<typeof limit.ownLimitProperties> &
    SettingsOf<typeof limit.ownLoadProperties>
}

/** All settings of the web page. */
export interface UiConfig extends ContainerConfig {
  readonly ui: SettingsOf<typeof uiProperties>
  readonly auth: SettingsOf<typeof auth.privateKeyProperties>
  readonly sources: SettingsOf<typeof shared.sourceProperties> & SettingsOf<typeof shared.reloadProperties>
}

/** Configuration object of a server. */
export interface ConfigOf {
  readonly zms: ZmsConfig
  readonly zts: ZtsConfig
  readonly ui: UiConfig
}

const table = (
  group: string,
  prefix: string,
  sections: PropertyTable['sections'],
  file: PropertyTable['file'] = 'server',
): PropertyTable => ({ group, prefix, file, sections })

const sharedTables: readonly PropertyTable[] = [
  table('', 'athenz.', [
    ['Domains of people', shared.domainNameProperties],
    ['Public keys of both servers', shared.publicKeyFileProperties],
  ]),
  table('auth', 'athenz.auth.', [
    ['Private keys', auth.privateKeyProperties],
    ['Authorities: principal tokens, role tokens, access tokens', auth.tokenAuthorityProperties],
    ['Authorities: client certificates', auth.certificateAuthorityProperties],
    ['Authorities: people', auth.userAuthorityProperties],
    ['Authorities: certificate-bound access tokens of other issuers', auth.oauthAuthorityProperties],
  ]),
  table('auth', 'athenz.', [['Authorities: further settings', furtherAuthProperties]]),
  table('externalMember', 'athenz.external_member.', [['External members', shared.externalMemberProperties]]),
  table('crypto', 'athenz.crypto.', [['Certificates', shared.cryptoProperties]]),
  table('db', 'athenz.db.', [['Database connections', poolProperties]]),
  table('datastore', 'athenz.datastore.', [['Database network', datastoreProperties]]),
  table('notification', 'athenz.notification_', [['Notifications', notification.notificationProperties]]),
  table('notification', 'athenz.notification.', [
    ['Notifications: plug-ins and subjects', notification.notificationPluginProperties],
  ]),
  table('notification', 'athenz.ts.notification.', [
    ['Notifications: settings that the original does not have', notification.notificationSenderProperties],
  ]),
  table('sources', 'athenz.config.', [['Sources of configuration', shared.sourceProperties]]),
  table('sources', '', [['Reading them again', shared.reloadProperties]]),
  table('ts', 'athenz.ts.', [
    ['Settings that the original does not have', shared.tsProperties],
    ['Pages about the API: settings that the original does not have', shared.apiDocumentationProperties],
    ['Authorities: settings that the original does not have', auth.ownAuthorityProperties],
    ['Private key stores: settings that the original does not have', keyStore.ownKeyStoreProperties],
    ['History of authentication: settings that the original does not have', history.ownHistoryProperties],
    ['Limits of rates: settings that the original does not have', limit.ownLimitProperties],
    ['Overload: settings that the original does not have', limit.ownLoadProperties],
  ]),
  table('aws', 'athenz.aws.', [['Private key stores of AWS', keyStore.awsKeyStoreProperties]]),
  table(
    'container',
    'athenz.',
    [
      ['Ports and addresses', container.listenerProperties],
      ['TLS', container.tlsProperties],
      ['HTTP', container.httpProperties],
      ['Health, shutdown, access log', container.operationProperties],
    ],
    'container',
  ),
]

const zmsTables: readonly PropertyTable[] = [
  table('zms', 'athenz.zms.', [
    ['Server', zms.serverProperties],
    ['Plug-ins', zms.plugInProperties],
    ['Database', zms.databaseProperties],
    ['Domains', zms.domainProperties],
    ['Roles, groups, members', zms.memberProperties],
    ['Policies, services, tenants, templates', zms.objectProperties],
    ['Limits per domain', zms.quotaProperties],
    ['Client toward service providers', zms.providerClientProperties],
  ]),
  table('zms', 'athenz.ts.', [
    ['Messages about changes: settings that the original does not have', zms.changeWebhookProperties],
    ['Templates: settings that the original does not have', zms.templateProperties],
  ]),
]

const ztsTables: readonly PropertyTable[] = [
  table('zts', 'athenz.zts.', [
    ['Server', zts.serverProperties],
    ['Plug-ins', zts.plugInProperties],
    ['Choice of private keys', zts.keyChoiceProperties],
    ['Domains from ZMS', zts.domainDataProperties],
  ]),
  table('zts', 'athenz.server_common.', [['Local copy of the domains', zts.serverCommonProperties]]),
  table('zts', 'athenz.common.server.', [['Client certificate toward ZMS', zts.changeLogClientProperties]]),
  table('zts', 'athenz.zts.', [
    ['Tokens', zts.tokenProperties],
    ['Credentials of clouds', zts.cloudCredentialProperties],
    ['Certificate requests', ztsCertificate.requestProperties],
    ['Certificate signers', ztsCertificate.signerProperties],
    ['Certificates of people', ztsCertificate.userCertificateProperties],
    ['Certificate records', ztsCertificate.certificateRecordProperties],
    ['SSH certificates', ztsCertificate.sshProperties],
    ['Workloads', ztsCertificate.workloadProperties],
    ['Notifications about certificates', ztsCertificate.certificateNotificationProperties],
    ['Client toward signers and providers', zts.clientProperties],
    ['Providers', ztsProvider.ztsProviderProperties],
  ]),
  table('zts', 'athenz.ts.', [
    [
      'Instances: settings that the original does not have',
      {
        ...ztsCertificate.recordOutageProperties,
        ...ztsCertificate.sshAuthorityProperties,
        ...ztsProvider.ownProviderProperties,
      },
    ],
  ]),
  table('zts', 'athenz.ts.', [['History of authentication: whether there is one', history.ztsHistoryProperties]]),
  table('zts', 'athenz.instance.', [['Providers asked by HTTP', ztsProvider.instanceClientProperties]]),
  table('zts', 'athenz.zts.', [
    ['Provider AWS', ztsProvider.awsProviderProperties],
    ['Provider Azure', ztsProvider.azureProviderProperties],
    ['Provider Google', ztsProvider.gcpProviderProperties],
    ['Provider Kubernetes', ztsProvider.kubernetesProviderProperties],
    ['Providers for build services', ztsProvider.buildProviderProperties],
    ['Other providers', ztsProvider.otherProviderProperties],
  ]),
  table('userCert', 'athenz.zts.user_cert.', [
    ['Identity provider of users', ztsProvider.userIdentityProviderProperties],
  ]),
  table('externalMemberCert', 'athenz.zts.external_member_cert.', [
    ['Identity provider of external members', ztsProvider.memberIdentityProviderProperties],
  ]),
]

const uiTables: readonly PropertyTable[] = [
  table('ui', 'athenz.ui.', [['Web page', uiProperties]]),
  table('auth', 'athenz.auth.', [['Private key of the service', auth.privateKeyProperties]]),
  table('sources', 'athenz.config.', [['Sources of configuration', shared.sourceProperties]]),
  table('sources', '', [['Reading them again', shared.reloadProperties]]),
  table('ts', 'athenz.ts.', [
    ['TLS files, metrics and health, logs', { ...shared.ownServerProperties, ...uiLimitProperties }],
    ['Limits of rates', limit.ownLimitProperties],
    ['Overload', limit.ownLoadProperties],
  ]),
  table(
    'container',
    'athenz.',
    [
      ['Ports and addresses', container.commonListenerProperties],
      ['TLS', container.tlsProperties],
      ['HTTP', container.httpProperties],
      ['Health, shutdown, access log', container.operationProperties],
    ],
    'container',
  ),
]

const TABLES: Readonly<Record<ServerName, readonly PropertyTable[]>> = {
  zms: [...zmsTables, ...sharedTables],
  zts: [...ztsTables, ...sharedTables],
  ui: uiTables,
}

/** Every table that a server reads. */
export const tablesOf = (server: ServerName): readonly PropertyTable[] => TABLES[server]

/** Misspelled keys of the original's example files, and the keys they mean. */
export const KEY_ALIASES: ReadonlyMap<string, string> = new Map([
  ['athenz.zms.athenz.zms.mysql_server_timezone', 'athenz.zms.mysql_server_timezone'],
])

/** Keys of the original's example files that nothing reads any more, with what to do instead. */
export const OBSOLETE_KEYS: ReadonlyMap<string, string> = new Map([
  ['athenz.zms.conflict_retry_timeout', 'use athenz.zms.request_conflict_retry_count'],
  ['athenz.zms.retry_delay_timeout', 'use athenz.zms.request_conflict_retry_sleep_time'],
  ['athenz.zms.file_store_path', 'use athenz.ts.store_dir'],
  ['athenz.zms.file_store_name', 'use athenz.ts.store_dir'],
  ['athenz.zms.file_store_quota', 'use athenz.zms.quota_check'],
  ['athenz.zms.signed_policy_timeout', 'remove the line'],
  ['athenz.zts.key_instance_providers', 'use athenz.zts.key_algo_instance_providers'],
])

/** Keys that cannot be listed: their rest is chosen by the operator or belongs to a plug-in. */
export interface KeyFamily {
  readonly prefix: string
  /** True, or why they have no effect. */
  readonly supported: true | string
}

/** Every such family; the first that fits a key counts. */
export const KEY_FAMILIES: readonly KeyFamily[] = [
  { prefix: 'athenz.notification.email.', supported: true },
  { prefix: 'athenz.auth.oidc.', supported: true },
  { prefix: 'athenz.auth.oauth.jwt.parser.', supported: true },
  { prefix: 'athenz.otel_', supported: 'domains are no labels of the metrics here, so there is nothing to leave out' },
]
