import {
  allUnsupported,
  boolean,
  className,
  count,
  countFrom,
  type DerivedDefault,
  days,
  dynamic,
  integer,
  jdbcUrl,
  list,
  millis,
  minutes,
  ms,
  path,
  percent,
  sameAs,
  sameAsIfSet,
  seconds,
  secret,
  set,
  text,
  timeZone,
  unset,
  unsupported,
  uriList,
  url,
  wordSet,
  workers,
} from './property.ts'

const JDBC_STORE = 'com.yahoo.athenz.zms.store.impl.JDBCObjectStoreFactory'
const FILE_STORE = 'com.yahoo.athenz.zms.store.impl.FileObjectStoreFactory'

/** The original's default is its JDBC store; without a database to go to, ours is the embedded one. */
const OBJECT_STORE_DEFAULT: DerivedDefault<string> = {
  says: `${JDBC_STORE} when athenz.zms.jdbc_store is set, otherwise ${FILE_STORE}`,
  from: (property) => (property('athenz.zms.jdbc_store') === undefined ? FILE_STORE : JDBC_STORE),
}

/** The server itself. */
export const serverProperties = {
  root_dir: path('{root}', 'Base folder of the server; relative paths count from it.'),
  prop_file: path('{root}/conf/zms_server/zms.properties', 'File with the properties of the server.'),
  hostname: text(sameAs('athenz.hostname'), 'Name of this machine in tokens and in the audit log.'),
  workers: workers(
    '1',
    'Processes that share the ports: a number, or auto for one on each processor; 0 and 1 = a single one.',
  ),
  domain_admin: list('', 'First system administrators, e.g. user.joe,user.jane; needed at the very first start.'),
  server_region: text(unset, 'Region, told to plug-ins and in change messages.'),
  read_only_mode: dynamic(boolean(false, 'Refuse every write with status 400.')),
  secure_requests_only: boolean(true, 'Refuse requests without TLS with status 400.'),
  no_auth_uri_list: uriList(
    '/zms/v1/status,/zms/v1/schema',
    'Paths that need no credentials; one with a + is a regular expression for the whole path.',
  ),
  health_check_path: path(unset, 'File without which the status operation fails.'),
  status_checker_factory_class: className(unset, 'Plug-in asked by the status operation.'),
  store_operation_timeout: seconds(60, 'Longest time of one statement in the store.'),
  request_conflict_retry_count: count(120, 'How often a write that met another one is tried again.'),
  request_conflict_retry_sleep_time: millis(250, 'Time between these tries.'),
  db_health_check_frequency_seconds: seconds(10, 'Time between two probes of the store.'),
  disable_db_health_check_timer_task: boolean(false, 'Probe the store only at start.'),
  user_token_timeout: seconds(3600, 'Life of a user token.'),
  cors_origin_list: set('', 'Origins whose pages may ask for a user token; none or * = all.'),
  page_token_services: set('', 'Services whose web pages get user tokens for certificates; none when not set.'),
  cors_header_list: list('', 'Request headers that such pages may send.'),
  json_max_nesting_depth: count(1000, 'Deepest nesting of a JSON body.'),
  json_max_number_length: count(1000, 'Longest number in a JSON body, in characters.'),
  json_max_string_length: count(200_000_000, 'Longest string in a JSON body, in characters.'),
  metric_name: text('zms_api', 'Name of the metrics of requests.'),
  skip_error_metrics: unsupported(
    'the metrics tell errors apart by the label of their status',
    boolean(false, 'Count no errors in the metrics.'),
  ),
  monitor_identity: text('sys.auth.monitor', 'Who is named in the audit log for what jobs of the server change.'),
  user_authority_filter_documentation_url: text(
    'https://athenz.github.io/athenz/',
    'Page named in refusals of members.',
  ),
}

/** Domains. */
export const domainProperties = {
  virtual_domain_support: boolean(true, 'Let users create domains below their personal one.'),
  virtual_domain_limit: countFrom(0, 5, 'How many of them one user may have.'),
  allow_user_domains: boolean(true, 'Let users create their personal domain.'),
  domain_name_max_len: countFrom(10, 128, 'Longest domain name, in characters.'),
  product_id_support: boolean(false, 'Demand a product id for top-level domains.'),
  reserved_domain_names: dynamic(set('', 'Top-level names nobody may create.')),
  domain_contact_types: set('', 'Kinds of contacts a domain may have.'),
  domain_environments: set(
    'production,integration,staging,sandbox,qa,development',
    'Values allowed as environment of a domain.',
  ),
  domain_delete_meta_attributes: wordSet(
    ['account', 'gcpproject', 'azuresubscription'],
    '',
    'Attributes that must be empty before a domain may be deleted.',
  ),
  enforce_unique_aws_accounts: boolean(true, 'An AWS account belongs to one domain only.'),
  enforce_unique_azure_subscriptions: boolean(true, 'An Azure subscription belongs to one domain only.'),
  enforce_unique_gcp_projects: boolean(true, 'A Google project belongs to one domain only.'),
  enforce_unique_product_ids: boolean(true, 'A product id belongs to one domain only.'),
  allow_multiple_aws_accounts: boolean(false, 'A domain may have several AWS accounts.'),
  enforce_resource_ownership: dynamic(boolean(true, 'Refuse changes of objects that another tool owns.')),
  resource_owner_ignore_value: text('ignore', 'Owner header that leaves ownership as it is.'),
  resource_owner_force_suffix: text(':force', 'End of an owner header that takes an object over.'),
  master_copy_for_signed_domains: boolean(false, 'Read signed domains from the primary database.'),
  search_service_limit: dynamic(count(100, 'Most services in the answer to a search.')),
}

/** Roles, groups, members. */
export const memberProperties = {
  validate_user_members: dynamic(boolean(false, 'Accept only members that the user authority knows.')),
  validate_service_members: dynamic(boolean(false, 'Accept only services that exist as members.')),
  validate_service_members_skip_domains: set('', 'Domains whose services are not checked.'),
  validate_user_authority_principals: dynamic(boolean(false, 'Refuse users whom the user authority no longer knows.')),
  addl_user_check_domains: set('', 'Further domains whose members count as users.'),
  disallow_groups_in_admin_role: dynamic(boolean(true, 'Refuse groups in the admin role of a domain.')),
  review_days_percentage: dynamic(percent(68, 'Share of the review period after which a review is proposed.')),
  review_date_offset_days_new_objects: count(365, 'Days until a new object is to be reviewed.'),
  review_date_offset_days_updated_objects: count(7, 'Days until a changed object is to be reviewed.'),
  audit_ref_check_objects: wordSet(
    ['role', 'group', 'policy', 'service', 'domain', 'entity', 'tenancy', 'template'],
    'role,group',
    'Kinds of objects whose change needs an audit reference in audited domains.',
  ),
  default_max_user_expiry_days: days(0, 'Longest membership of a user; 0 = no limit.'),
  default_max_service_expiry_days: days(0, 'Longest membership of a service; 0 = no limit.'),
  default_max_group_expiry_days: days(0, 'Longest membership of a group; 0 = no limit.'),
  purge_member_expiry_days: dynamic(days(180, 'Expired members are removed after this time; 0 = never.')),
  purge_task_max_db_calls_per_run: dynamic(count(20, 'Batches removed at one time.')),
  purge_task_limit_per_call: dynamic(count(500, 'Members in one batch.')),
  pending_role_member_lifespan: days(
    30,
    'Requests for membership are rejected after this time, if notifications are on.',
  ),
  enable_principal_state_updater: boolean(false, 'Suspend members whom the user authority reports as suspended.'),
  principal_state_updater_frequency: minutes(30, 'How often it is asked.'),
  disable_principal_state_updater_timer_task: boolean(false, 'Ask it only once, at start.'),
  external_member_validator_frequency_minutes: unsupported(
    'the validators keep nothing that could grow old',
    minutes(60, 'How often the validators of external members are loaded.'),
  ),
}

/** Policies, services, tenants, templates. */
export const objectProperties = {
  validate_policy_assertion_roles: dynamic(boolean(false, 'Refuse policies about roles that do not exist.')),
  max_policy_versions: count(3, 'Versions a policy may have.'),
  auto_delete_tenant_assume_role_assertions: boolean(false, 'Delete what tenants granted on a role together with it.'),
  assertion_resource_updaters: list('', 'Plug-ins that rewrite resources in resource access lists.'),
  aws_assume_role_action: text('assume_aws_role', 'Action that maps a resource to an AWS role.'),
  gcp_assume_role_action: text('assume_gcp_role', 'Action that maps a resource to a Google role.'),
  gcp_assume_service_action: text('assume_gcp_service', 'Action that maps a resource to a Google service account.'),
  reserved_service_names: set('com,net,org,edu,biz,gov,mil,info,name,mobi,cloud', 'Names no service may have.'),
  service_name_min_length: count(3, 'Shortest service name, in characters.'),
  allow_underscore_in_service_names: dynamic(boolean(false, 'Accept underscores in service names.')),
  provider_endpoints: list('', 'Ends of the host names that provider endpoints may have.'),
  client_id_self_update: boolean(false, 'Let the administrators of a domain set client ids of its services.'),
  svc_creds_key_group: text(unset, 'Key group of the secret that encrypts credentials of services.'),
  svc_creds_key_name: secret(unset, 'Name of that secret in the private key store.'),
  svc_creds_encryption_algorithm: text('AES/GCM/NoPadding', 'Cipher for them.'),
  service_provider_manager_domain: text('sys.auth', 'Domain of the role of service providers.'),
  service_provider_manager_role: text('service_providers', 'Role of the services that may register tenants.'),
  service_provider_manager_frequency_seconds: unsupported(
    'that role is read whenever it is needed',
    seconds(300, 'How often that role is read.'),
  ),
  authz_service_fname: path(
    '{root}/conf/zms_server/authorized_services.json',
    'File of the services that may act for users, and their operations.',
  ),
  solution_templates_fname: path('{root}/conf/zms_server/solution_templates.json', 'File of the templates.'),
  auto_update_template_feature_flag: boolean(false, 'Apply new versions of templates at start.'),
}

/** Limits per domain, unless it has its own. */
export const quotaProperties = {
  quota_check: boolean(true, 'Apply the limits.'),
  quota_subdomain: count(100, 'Sub domains of a top-level domain.'),
  quota_role: count(1000, 'Roles.'),
  quota_role_member: count(100, 'Members of a role.'),
  quota_policy: count(1000, 'Policies.'),
  quota_assertion: count(100, 'Assertions of a policy.'),
  quota_assertion_conditions: count(10, 'Conditions of an assertion.'),
  quota_service: count(250, 'Services.'),
  quota_service_host: count(10, 'Hosts of a service.'),
  quota_public_key: count(100, 'Public keys of a service.'),
  quota_entity: count(100, 'Entities.'),
  quota_group: count(100, 'Groups.'),
  quota_group_member: count(100, 'Members of a group.'),
  quota_domain_tag: count(25, 'Tags of a domain.'),
  quota_role_tag: count(25, 'Tags of a role.'),
  quota_group_tag: count(25, 'Tags of a group.'),
  quota_policy_tag: count(25, 'Tags of a policy.'),
  quota_service_tag: count(25, 'Tags of a service.'),
}

/** Plug-ins: a class of the original that has a counterpart here, or an ES module. */
export const plugInProperties = {
  authority_classes: list(
    'com.yahoo.athenz.auth.impl.PrincipalAuthority',
    'Authorities that identify callers, in the order in which they are tried.',
  ),
  principal_authority_class: className(unset, 'Which of them issues user tokens.'),
  user_authority_class: className(unset, 'Which of them knows the users.'),
  object_store_factory_class: className(OBJECT_STORE_DEFAULT, 'Store of the domains.'),
  private_key_store_factory_class: className(
    'com.yahoo.athenz.auth.impl.FilePrivateKeyStoreFactory',
    'Store of private keys and passwords.',
  ),
  domain_meta_store_factory_class: className(
    'com.yahoo.athenz.common.server.metastore.impl.NoOpDomainMetaStoreFactory',
    'Judge of attributes of domains.',
  ),
  resource_validator_factory_class: className(unset, 'Judge of objects before they are stored.'),
  audit_logger_factory_class: className(
    'file',
    'Audit log: file, or the class of the original that writes to the server log, or a module.',
  ),
  domain_change_publisher_factory_class: className(
    'com.yahoo.athenz.common.messaging.impl.NoOpDomainChangePublisherFactory',
    'Publisher of messages about changes: that class for none, log, webhook, or a module.',
  ),
  domain_changes_topic_names: list('', 'Topics it publishes to, every message to each; none = no messages.'),
  auth_history_store_factory_class: className(
    unset,
    'Where the history of authentication is: file, mysql, or a module; none = nowhere.',
  ),
  audit_ref_validator_factory_class: className(unset, 'Judge of audit references where they are needed.'),
  metric_factory_class: className(
    'com.yahoo.athenz.common.metrics.impl.NoOpMetricFactory',
    'Receiver of metrics besides the operations port: a module, or that class for none.',
  ),
  notification_service_factory_class: list(
    '',
    'Senders of notifications: email, webhook, log, modules; none = no notifications.',
  ),
  notification_object_store_factory_class: unsupported(
    'what is to be reviewed is read from the data themselves',
    className(unset, 'Index of what is to be reviewed.'),
  ),
}

/** MySQL or MariaDB. */
export const databaseProperties = {
  jdbc_store: jdbcUrl(
    unset,
    'Primary database: jdbc:mysql://host:3306/zms_server; of host1,host2 the first that takes writes.',
  ),
  jdbc_user: text(unset, 'User of the database.'),
  jdbc_password: secret(unset, 'Its password, or the name of the password in the private key store.'),
  jdbc_app_name: text('jdbc', 'Application under which the private key store has the password.'),
  jdbc_keygroup_name: text('', 'Key group under which the private key store has the password.'),
  jdbc_ro_store: jdbcUrl(unset, 'Replica to read from; none = the primary database.'),
  jdbc_ro_user: text(sameAsIfSet('athenz.zms.jdbc_user'), 'User of the replica.'),
  jdbc_ro_password: secret(sameAsIfSet('athenz.zms.jdbc_password'), 'Its password, or the name of the password.'),
  jdbc_use_ssl: boolean(false, 'Encrypt the connection to the database.'),
  jdbc_verify_server_certificate: boolean(false, 'Verify the certificate of the database.'),
  jdbc_tls_versions: list('TLSv1.2,TLSv1.3', 'TLS versions for that connection.'),
  mysql_server_timezone: unsupported(
    'connections are told to use UTC, whatever the zone of the database',
    timeZone('GMT', 'Time zone of the times in the database.'),
  ),
  mysql_server_trust_roles_update_timeout: unsupported(
    'delegated roles are read at every use',
    millis(600_000, 'How long the map of delegated roles is kept.'),
  ),
  'jdbc.notify_details_self_serve_role': text('self-serve role', 'Note in notifications about self-serve roles.'),
  'jdbc.notify_details_self_serve_group': text('self-serve group', 'Note in notifications about self-serve groups.'),
  schema_migration_dir: path(unset, 'Folder of schema updates, update-YYYYMMDD.sql; none = the schema is not touched.'),
  'jdbc.audit_log_role_max_limit': count(0, 'Audit entries per role at which the oldest are deleted; 0 = never.'),
  'jdbc.audit_log_role_keep_count': count(0, 'Audit entries per role that are kept then.'),
  'jdbc.audit_log_group_max_limit': count(0, 'Audit entries per group at which the oldest are deleted; 0 = never.'),
  'jdbc.audit_log_group_keep_count': count(0, 'Audit entries per group that are kept then.'),
  ...allUnsupported('there is no AWS store factory; set jdbc_store to the endpoint of the database', {
    aws_rds_user: text(unset, 'User of the AWS database.'),
    aws_rds_iam_role: text(unset, 'AWS role that may connect.'),
    aws_rds_engine: text('mysql', 'Kind of the AWS database.'),
    aws_rds_database: text('zms_store', 'Name of the AWS database.'),
    aws_rds_master_instance: text(unset, 'Host of the AWS database.'),
    aws_rds_master_port: integer(3306, 'Its port.'),
    aws_rds_replica_instance: text(unset, 'Host of its replica.'),
    aws_rds_creds_refresh_time: seconds(300, 'Life of a connection token.'),
  }),
}

/** Client that asks service providers about their tenants. */
export const providerClientProperties = {
  'provider.client.cert_path': path(unset, 'PEM certificate of the client.'),
  'provider.client.key_path': path(unset, 'PEM private key of the client.'),
  'provider.client.truststore': path(unset, 'File with the authorities that vouch for providers.'),
  'provider.client.truststore_password': secret(unset, 'Its password, or the name of the password.'),
  'provider.client.app_name': text(unset, 'Application under which the private key store has the password.'),
  'provider.client.keygroup_name': text(unset, 'Key group under which the private key store has the password.'),
  'provider.client.max_pool_route': count(45, 'Most connections to one provider.'),
  'provider.client.max_pool_total': count(50, 'Most connections in all.'),
  'provider.client.retry_interval_ms': ms(1000, 'Time between two tries.'),
  'provider.client.max_retries': count(2, 'How often a failed request is tried again.'),
  'provider.client.connect_timeout_ms': ms(5000, 'Longest wait for a connection.'),
  'provider.client.read_timeout_ms': ms(15_000, 'Longest wait for the answer.'),
}

/** Webhook for messages about changes (`athenz.ts.`), which the original does not have. */
export const changeWebhookProperties = {
  change_webhook_url: url(unset, 'Where webhook posts messages to: an https URL, or http on this machine.'),
  change_webhook_secret: secret(unset, 'Secret that signs them, or its name in the private key store.'),
  change_webhook_key_group: text(unset, 'Key group of that secret in the private key store.'),
  change_webhook_ca_file: path(
    unset,
    'PEM certificates of the authorities of the receiver; those of Node.js if not set.',
  ),
  change_webhook_timeout_millis: millis(5000, 'Longest wait for an answer of the receiver.'),
  change_webhook_retries: count(10, 'How often a failed delivery is tried again, at growing intervals.'),
  change_webhook_queue_max: count(10_000, 'Messages that wait for delivery; further ones are dropped.'),
}

/** Templates beside those of the file that the original has too (`athenz.ts.`). */
export const templateProperties = {
  further_templates_fname: path(unset, 'One more file of templates, beside solution_templates_fname.'),
}

/** Properties of ZMS (`athenz.zms.`). */
export const zmsProperties = {
  ...serverProperties,
  ...domainProperties,
  ...memberProperties,
  ...objectProperties,
  ...quotaProperties,
  ...plugInProperties,
  ...databaseProperties,
  ...providerClientProperties,
}
