import {
  allUnsupported,
  boolean,
  className,
  count,
  dynamic,
  hours,
  list,
  minutes,
  path,
  sameAs,
  seconds,
  secret,
  set,
  text,
  unset,
  unsupported,
  uriList,
  url,
  word,
  workers,
} from './property.ts'

const KIND_SEEN = 'the kind of the file is seen from its contents'
const KEY_ALGORITHMS = ['EC', 'RSA'] as const

/** The server itself. */
export const serverProperties = {
  root_dir: path('{root}', 'Base folder of the server; relative paths count from it.'),
  prop_file: path('{root}/conf/zts_server/zts.properties', 'File with the properties of the server.'),
  hostname: text(sameAs('athenz.hostname'), 'Name of this machine in tokens; issuer unless one is set.'),
  workers: workers(
    '1',
    'Processes that share the ports: a number, or auto for one on each processor; 0 and 1 = a single one.',
  ),
  zms_url: url(unset, 'URL of ZMS, instead of the one in athenz.conf.'),
  read_only_mode: dynamic(boolean(false, 'Refuse what changes records with status 400.')),
  secure_requests_only: boolean(true, 'Refuse requests without TLS with status 400.'),
  no_auth_uri_list: uriList(
    '/zts/v1/status,/zts/v1/instance',
    'Paths that need no credentials; one with a + is a regular expression for the whole path.',
  ),
  health_check_path: path(unset, 'File without which the status operation fails.'),
  status_cert_signer: boolean(false, 'Let the status operation ask the certificate signer.'),
  status_checker_factory_class: className(unset, 'Plug-in asked by the status operation.'),
  server_region: text(unset, 'Region, told to plug-ins.'),
  validate_user_authority_principals: dynamic(boolean(false, 'Refuse users whom the user authority no longer knows.')),
  authorized_proxy_users: set('', 'Principals that may ask for tokens and certificates in the name of others.'),
  role_based_authz_support: boolean(false, 'Decide access by the roles in the credential when it has roles.'),
  principal_identity_issuer_map_fname: path(unset, 'JSON file that names the identity issuer by certificate issuer.'),
  json_max_nesting_depth: count(1000, 'Deepest nesting of a JSON body.'),
  json_max_number_length: count(1000, 'Longest number in a JSON body, in characters.'),
  json_max_string_length: count(200_000_000, 'Longest string in a JSON body, in characters.'),
  metric_name: text('zts_api', 'Name of the metrics of requests.'),
  skip_error_metrics: unsupported(
    'the metrics tell errors apart by the label of their status',
    set('', 'Status codes not counted in the metrics of errors.'),
  ),
  ...allUnsupported('client certificates are always asked for; the original does not use it either', {
    want_client_cert: boolean(false, 'Ask for client certificates.'),
  }),
}

/** Plug-ins: a class of the original that has a counterpart here, or an ES module. */
export const plugInProperties = {
  authority_classes: list(
    'com.yahoo.athenz.auth.impl.PrincipalAuthority',
    'Authorities that identify callers, in the order in which they are tried.',
  ),
  user_authority_class: className(unset, 'Authority that knows the users.'),
  private_key_store_factory_class: className(
    'com.yahoo.athenz.auth.impl.FilePrivateKeyStoreFactory',
    'Store of private keys and passwords.',
  ),
  metric_factory_class: className(
    'com.yahoo.athenz.common.metrics.impl.NoOpMetricFactory',
    'Receiver of metrics besides the operations port: a module, or that class for none.',
  ),
  audit_logger_factory_class: className(
    'file',
    'Audit log: file, or the class of the original that writes to the server log, or a module.',
  ),
  hostname_resolver_factory_class: className(unset, 'Judge of host names in certificate requests.'),
  notification_service_factory_class: list(
    '',
    'Senders of notifications: email, webhook, log, modules; none = no notifications.',
  ),
}

/** Which private key signs what. */
export const keyChoiceProperties = {
  key_algo_json_web_objects: word(KEY_ALGORITHMS, 'EC', 'Kind of key that signs JSON web tokens.'),
  key_algo_proprietary_objects: word(KEY_ALGORITHMS, 'EC', 'Kind of key that signs role tokens and policies.'),
  key_algo_plugins: word(KEY_ALGORITHMS, 'EC', 'Kind of key handed to plug-ins.'),
  key_algo_instance_providers: word(
    KEY_ALGORITHMS,
    sameAs('athenz.zts.key_algo_plugins'),
    'Kind of key handed to instance providers.',
  ),
}

/** Where the domains come from. */
export const domainDataProperties = {
  change_log_store_factory_class: className(
    'com.yahoo.athenz.common.server.store.impl.ZMSFileChangeLogStoreFactory',
    'Source of the domains.',
  ),
  change_log_store_dir: path('{root}/var/zts_server', 'Folder of the local copy.'),
  zms_domain_update_timeout: seconds(60, 'Time between two questions to ZMS for changes.'),
  zms_domain_delete_timeout: seconds(3600, 'Time between two questions for deleted domains.'),
  zms_domain_check_timeout: seconds(600, 'Time between two comparisons with the list of ZMS.'),
  zms_domain_fetch_timeout: seconds(2_592_000, 'Domains older than this are fetched again.'),
  zms_domain_fetch_count: count(10, 'How many of them at one time.'),
  zms_domain_jws_support: boolean(false, 'Fetch domains as JSON web signatures.'),
  svc_creds_key_group: text(unset, 'Key group of the secret that encrypts credentials of services.'),
  svc_creds_key_name: secret(unset, 'Name of that secret in the private key store.'),
  svc_creds_encryption_algorithm: text('AES/GCM/NoPadding', 'Cipher for them.'),
  ...allUnsupported('domains come from ZMS; another source is a plug-in in change_log_store_factory_class', {
    aws_bucket_name: text(unset, 'Bucket that holds the domains.'),
    s3_change_log_store_local_cache: text(unset, 'Folder of the local copy of the bucket.'),
    s3_change_log_store_domain_filter: text(unset, 'Domains that are read from the bucket.'),
    aws_s3_endpoint: text(unset, 'Address of the storage service.'),
    aws_s3_ca_cert: path(unset, 'Authority that vouches for it.'),
    'bucket.threads': count(10, 'Threads that read the bucket.'),
    'bucket.threads.timeout': seconds(1800, 'Longest time for that.'),
  }),
}

/** The folder of the local copy (`athenz.server_common.`). */
export const serverCommonProperties = {
  data_store_subdir: text('zts_store', 'Folder of the domains inside change_log_store_dir.'),
}

/** Client certificate toward ZMS (`athenz.common.server.`). */
export const changeLogClientProperties = {
  'clog.zts_server_key_path': path(unset, 'PEM private key for mutual TLS with ZMS.'),
  'clog.zts_server_cert_path': path(unset, 'PEM certificate of that key.'),
  'clog.zts_server_trust_store_path': path(unset, 'File with the authorities that vouch for ZMS.'),
  'clog.zts_server_trust_store_password_name': secret('changeit', 'Its password, or the name of the password.'),
  'clog.zts_server_trust_store_password_app': text(unset, 'Application of that password.'),
  'clog.zts_server_trust_store_password_keygroup': text(unset, 'Key group of that password.'),
}

/** Role, access and id tokens. */
export const tokenProperties = {
  role_token_default_timeout: seconds(7200, 'Life of role and access tokens when none is asked for.'),
  role_token_max_timeout: seconds(2_592_000, 'Longest life of role and access tokens.'),
  id_token_default_timeout: seconds(3600, 'Life of id tokens when none is asked for.'),
  id_token_max_timeout: seconds(43_200, 'Longest life of id tokens.'),
  jag_token_user_max_timeout: seconds(3600, 'Life of access tokens that are given for a grant about a user.'),
  jag_token_service_max_timeout: seconds(21_600, 'Life of access tokens that are given for a grant about a service.'),
  instance_token_timeout: seconds(86_400, 'Life of the principal token that registration gives.'),
  signed_policy_timeout: seconds(604_800, 'Life of signed policies.'),
  role_complete_flag: boolean(true, 'Say in a role token that it holds all roles.'),
  least_privilege_principle: boolean(false, 'Refuse token requests that name no role.'),
  id_token_max_domains: count(10, 'Most domains in the scope of an id token.'),
  id_token_allowed_roles: dynamic(list('', 'Patterns of roles that do not count for that limit.')),
  oauth_issuer: text(sameAs('athenz.zts.hostname'), 'Issuer of access tokens.'),
  openid_issuer: text(sameAs('athenz.zts.oauth_issuer'), 'Issuer of id tokens.'),
  oidc_port_issuer: text(sameAs('athenz.zts.openid_issuer'), 'Issuer for requests on the OpenID port.'),
  host_issuer_mapping_file: path(unset, 'JSON file that names the issuer by host name of the request.'),
  oauth_openid_scope: boolean(false, 'Give an id token together with an access token.'),
  oauth_scope_role_without_domain: boolean(false, "Take a bare word in the scope as a role of the caller's domain."),
  oauth_provider_config_file: path(unset, 'JSON file of foreign issuers whose tokens are traded for ours.'),
  redirect_uri_suffix: text(unset, 'End that redirect addresses must have.'),
  introspect_support_enabled: boolean(false, 'Answer token introspection.'),
  system_authz_details_path: path(unset, 'File of the kinds of authorization details known everywhere.'),
  max_authz_details_length: count(1024, 'Longest authorization details, in characters.'),
  jwk_curve_rfc_support_only: boolean(false, 'Name elliptic curves only as the RFC does.'),
  jwk_update_interval_hours: unsupported(
    'athenz.conf is read again whenever it changes',
    hours(24, 'Time between two readings of the public keys.'),
  ),
  ...allUnsupported('the limits of users follow their roles at once', {
    user_identity_timeout_refresh_interval: minutes(10, 'How often the limits of users are computed.'),
  }),
}

/** Credentials of clouds. */
export const cloudCredentialProperties = {
  external_creds_providers: set('gcp', 'Clouds for which credentials are given: gcp, azure.'),
  gcp_workload_pool_name: text(unset, 'Workload identity pool in Google projects.'),
  gcp_workload_provider_name: text(unset, 'Provider inside that pool.'),
  aws_enabled: boolean(false, 'Give temporary AWS credentials.'),
  aws_region_name: text(unset, 'AWS region.'),
  aws_role_session_name: text(unset, 'Session name for AWS; the caller when not set.'),
  aws_creds_cache_timeout: seconds(600, 'How long AWS credentials are kept.'),
  aws_creds_invalid_cache_timeout: seconds(120, 'How long a refusal of AWS is kept.'),
  aws_creds_update_timeout: seconds(900, 'How often kept answers of AWS that are over are thrown away.'),
  aws_creds_invalid_cache_all_errors: boolean(true, 'Keep every failure of AWS, not only refusals.'),
}

/** Client toward signers and providers. */
export const clientProperties = {
  ssl_key_store: path(unset, 'PKCS#12 file with key and certificate toward signers and providers.'),
  ssl_key_store_type: unsupported(KIND_SEEN, text('PKCS12', 'Kind of that file.')),
  ssl_key_store_password: secret(unset, 'Its password, or the name of the password in the private key store.'),
  ssl_key_store_password_appname: text(unset, 'Application of that password.'),
  ssl_key_store_password_keygroupname: text(unset, 'Key group of that password.'),
  ssl_key_manager_password: secret(unset, 'Password of the key inside the key store when it has one of its own.'),
  ssl_key_manager_password_appname: text(unset, 'Application of that password.'),
  ssl_key_manager_password_keygroupname: text(unset, 'Key group of that password.'),
  ssl_trust_store: path(unset, 'File with the authorities that vouch for signers and providers.'),
  ssl_trust_store_type: unsupported(KIND_SEEN, text('PKCS12', 'Kind of that file: PKCS12, JKS or PEM.')),
  ssl_trust_store_password: secret(unset, 'Its password, or the name of the password in the private key store.'),
  ssl_trust_store_password_appname: text(unset, 'Application of that password.'),
  ssl_trust_store_password_keygroupname: text(unset, 'Key group of that password.'),
  ssl_excluded_cipher_suites: list('', 'Cipher suites not to use, by their Java names.'),
  ssl_excluded_protocols: set('SSLv2,SSLv3', 'TLS versions not to use.'),
  'provider.ssl_client_private_key_path': path(unset, 'PEM private key toward providers that ask for athenz.client.'),
  'provider.ssl_client_public_cert_path': path(unset, 'PEM certificate of that key.'),
  'provider.ssl_client_trust_store': path(unset, 'File with the authorities that vouch for them.'),
  'provider.ssl_client_trust_store_password': secret(unset, 'Its password, or the name of the password.'),
  'provider.ssl_client_trust_store_password_appname': text(unset, 'Application of that password.'),
  'provider.ssl_client_trust_store_password_keygroupname': text(unset, 'Key group of that password.'),
}
