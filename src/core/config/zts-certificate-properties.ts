import {
  allUnsupported,
  barSet,
  boolean,
  className,
  count,
  dynamic,
  epochMillis,
  hours,
  integer,
  jdbcUrl,
  list,
  millis,
  mins,
  minutes,
  path,
  percent,
  sameAs,
  seconds,
  secret,
  set,
  text,
  unset,
  unsupported,
  url,
  word,
} from './property.ts'

const KIND_SEEN = 'the kind of the file is seen from its contents'
const NO_CLOUD_STORE = 'records are kept in files or in MySQL; another store is a plug-in in its factory class'

/** What a certificate request may contain. */
export const requestProperties = {
  cert_allowed_o_values: barSet('', 'Organizations a request may name, with | between; none = any.'),
  cert_allowed_ou_values: barSet('', 'Organizational units a request may name, with | between.'),
  cert_request_verify_subject_ou: boolean(false, 'Demand that the unit is the provider or an allowed one.'),
  cert_request_verify_ip: boolean(false, 'Demand that the address in a request is that of the caller.'),
  cert_request_token_type_jwt: boolean(false, 'Give a JWT instead of a principal token at registration.'),
  cert_dns_suffix: list('.athenz.cloud', 'Ends of the DNS names in certificates.'),
  cert_refresh_ip_fname: path(unset, 'JSON file of the networks from which services may refresh.'),
  instance_cert_ip_fname: path(unset, 'JSON file of the networks of each provider.'),
  cert_refresh_reset_time: dynamic(epochMillis(0, 'Older certificates may start a new record; epoch milliseconds.')),
  cert_data_validator_factory_class: className(unset, 'Judge of names in requests.'),
  validate_service_identity: dynamic(boolean(true, 'Give certificates only to services that are registered.')),
  validate_service_skip_domains: set('', 'Domains for which that does not hold; may end with *.'),
  validate_role_cert_dns_names: boolean(false, 'Refuse foreign DNS names in role certificates.'),
  validate_cert_uri_schemes: boolean(false, 'Refuse URIs other than spiffe and athenz.'),
  spiffe_trust_domain: text('athenz.io', 'Trust domain of SPIFFE ids.'),
  spiffe_default_user_namespace: text('default', 'Namespace of SPIFFE ids of users.'),
  spiffe_uri_validator_classes: list(
    'com.yahoo.athenz.common.server.spiffe.impl.SpiffeUriTrustDomain,' +
      'com.yahoo.athenz.common.server.spiffe.impl.SpiffeUriBasic',
    'Judges of SPIFFE ids, in order; one that agrees is enough.',
  ),
}

/** Who signs, and for how long. */
export const signerProperties = {
  cert_signer_factory_class: className(
    'com.yahoo.athenz.zts.cert.impl.crypki.HttpCertSignerFactory',
    'Signer of certificates.',
  ),
  certsign_base_uri: url(unset, 'URL of the remote signer.'),
  certsign_request_timeout: seconds(25, 'Longest wait for the answer of the signer.'),
  certsign_connect_timeout: seconds(10, 'Longest wait for a connection to it.'),
  certsign_handshake_timeout: millis(30_000, 'Longest TLS handshake with it.'),
  certsign_retry_count: count(2, 'How often a failed request to it is tried again.'),
  certsign_retry_conn_failures_only: dynamic(boolean(true, 'Only when no connection came about.')),
  certsign_max_expiry_time: minutes(43_200, 'Longest life of a certificate.'),
  certsign_conn_max_per_route: count(20, 'Most connections to one signer.'),
  certsign_conn_max_total: count(30, 'Most connections in all.'),
  certsign_conn_time_to_live: minutes(10, 'Connections older than this are closed.'),
  certsign_provider_keys_fname: path(unset, 'JSON file that names the signing key by provider.'),
  self_signer_private_key_fname: path(unset, 'PEM private key of the local authority.'),
  self_signer_private_key_password: secret(unset, 'Password of that key.'),
  self_signer_cert_dn: text('CN=Self Signed Athenz CA, O=Athenz, C=US', 'Name of the local authority.'),
  'keystore_signer.keystore_path': path(unset, 'PKCS#12 file with key and certificate of the local authority.'),
  'keystore_signer.keystore_password': secret(unset, 'Its password.'),
  'keystore_signer.keystore_type': unsupported(KIND_SEEN, text('PKCS12', 'Kind of that file.')),
  'keystore_signer.keystore_ca_alias': text('1', 'Alias of the key inside it.'),
  x509_ca_cert_fname: path(unset, 'PEM file of the authorities given to clients.'),
  x509_ca_cert_keyid_fname: list('', 'Such files by signing key: KEY:FILE,KEY:FILE.'),
  ssh_host_ca_cert_fname: path(unset, 'File of the SSH authority for hosts.'),
  ssh_host_ca_cert_keyid_fname: list('', 'Such files by signing key: KEY:FILE,KEY:FILE.'),
  ssh_user_ca_cert_fname: path(unset, 'File of the SSH authority for users.'),
  ssh_user_ca_cert_keyid_fname: list('', 'Such files by signing key: KEY:FILE,KEY:FILE.'),
  resp_x509_signer_certs: boolean(true, 'Give the authority together with a certificate.'),
  resp_ssh_signer_certs: boolean(true, 'Give the SSH authority together with an SSH certificate.'),
  cert_authority_bundles_fname: path(unset, 'JSON file of the bundles of authorities by name.'),
  cert_priority_min_percent_low_priority: percent(75, 'Remaining life from which a refresh is not urgent.'),
  cert_priority_max_percent_high_priority: percent(25, 'Remaining life up to which a refresh is urgent.'),
  service_cert_default_expiry_mins: dynamic(mins(0, 'Life of service certificates; 0 = the signer decides.')),
  svc_cert_signer_key_id_list: set('', 'Signing keys that services may ask for; none = any.'),
  user_cert_signer_key_id_list: set('', 'Signing keys that users may ask for.'),
  external_member_cert_signer_key_id_list: set('', 'Signing keys that external members may ask for.'),
}

/** Certificates of people. */
export const userCertificateProperties = {
  user_cert_provider: text(unset, 'Provider that vouches for users; none = no certificates for users.'),
  user_cert_default_timeout: minutes(60, 'Life of their certificates when no role says otherwise.'),
  user_cert_max_timeout: minutes(60, 'Longest life of their certificates; at least the default.'),
  external_member_cert_provider: text(unset, 'Provider that vouches for external members.'),
  external_member_cert_default_timeout: minutes(60, 'Life of their certificates when no role says otherwise.'),
  external_member_cert_max_timeout: minutes(60, 'Longest life of their certificates; at least the default.'),
  external_member_cert_allowed_domains: set('', 'Domains whose external members get certificates.'),
}

/** Records of the certificates given out. */
export const certificateRecordProperties = {
  cert_record_store_factory_class: className(
    'com.yahoo.athenz.zts.cert.impl.FileCertRecordStoreFactory',
    'Store of the records.',
  ),
  cert_file_store_path: path('{root}/var/zts_server', 'Folder of the file store.'),
  cert_file_store_name: text('zts_cert_records', 'Folder of the records inside it.'),
  cert_op_timeout: seconds(10, 'Longest time of one statement.'),
  cert_jdbc_store: jdbcUrl(unset, 'Database of the records: jdbc:mysql://host:3306/zts_store.'),
  cert_jdbc_user: text(unset, 'User of the database.'),
  cert_jdbc_password: secret('', 'Its password, or the name of the password in the private key store.'),
  cert_jdbc_app_name: text('jdbc', 'Application under which the private key store has the password.'),
  cert_jdbc_keygroup_name: text('', 'Key group under which the private key store has the password.'),
  cert_jdbc_use_ssl: boolean(false, 'Encrypt the connection to the database.'),
  cert_jdbc_verify_server_certificate: boolean(false, 'Verify the certificate of the database.'),
  cert_record_cleaner_limit: count(0, 'Most old records removed at one time; 0 = no limit.'),
  cert_record_cleaner_duration: count(1, 'Time between two removals, in the unit below.'),
  cert_record_cleaner_timeunit: word(['minute', 'hour', 'day'], 'day', 'Unit of that time.'),
  schema_migration_dir: path(unset, 'Folder of schema updates; none = the schema is not touched.'),
  ...allUnsupported(NO_CLOUD_STORE, {
    cert_dynamodb_table_name: text(unset, 'DynamoDB table of the records.'),
    cert_dynamodb_item_ttl_hours: hours(720, 'Life of a record there.'),
    cert_dynamodb_index_current_time_name: text(unset, 'Index by time.'),
    cert_dynamodb_index_host_name: text(unset, 'Index by host.'),
    cert_dynamodb_retries: count(10, 'How often a failed request is tried again.'),
    cert_dynamodb_retries_sleep_millis: millis(1000, 'Time between these tries.'),
    dynamodb_key_path: path(unset, 'Private key toward DynamoDB.'),
    dynamodb_cert_path: path(unset, 'Certificate of that key.'),
    dynamodb_aws_domain: text(unset, 'Domain of the AWS role.'),
    dynamodb_aws_role: text(unset, 'AWS role that may use the tables.'),
    dynamodb_trust_store_path: path(unset, 'Authorities that vouch for ZTS.'),
    dynamodb_trust_store_password: secret(unset, 'Password of that file.'),
    dynamodb_trust_store_app_name: text(unset, 'Application of that password.'),
    dynamodb_zts_url: url(unset, 'ZTS that gives the AWS credentials.'),
    dynamodb_region: text(unset, 'AWS region.'),
    dynamodb_external_id: text(unset, 'External id of the AWS role.'),
    dynamodb_min_expiry_time: integer(0, 'Least life of the credentials.'),
    dynamodb_max_expiry_time: integer(0, 'Longest life of the credentials.'),
    cert_firestore_project_id: text(unset, 'Google project of the records.'),
    cert_firestore_collection_name: text(unset, 'Collection of the records.'),
    cert_firestore_database_id: text('(default)', 'Database of the records.'),
    cert_firestore_item_ttl_hours: hours(720, 'Life of a record there.'),
    ssh_firestore_project_id: text(unset, 'Google project of the SSH records.'),
    ssh_firestore_collection_name: text(unset, 'Collection of the SSH records.'),
    ssh_firestore_database_id: text('(default)', 'Database of the SSH records.'),
    ssh_firestore_item_ttl_hours: hours(720, 'Life of an SSH record there.'),
  }),
  ...allUnsupported('there is no AWS store factory; set cert_jdbc_store to the endpoint of the database', {
    aws_rds_user: text(unset, 'User of the AWS database.'),
    aws_rds_iam_role: text(unset, 'AWS role that may connect.'),
    aws_rds_engine: text('mysql', 'Kind of the AWS database.'),
    aws_rds_database: text('zts_store', 'Name of the AWS database.'),
    aws_rds_master_instance: text(unset, 'Host of the AWS database.'),
    aws_rds_master_port: integer(3306, 'Its port.'),
    aws_rds_creds_refresh_time: seconds(300, 'Life of a connection token.'),
  }),
}

/** SSH certificates and their records. */
export const sshProperties = {
  ssh_signer_factory_class: className(unset, 'Signer of SSH certificates.'),
  ssh_cert_validate_ip: dynamic(boolean(false, 'Demand that the address in an SSH request is that of the caller.')),
  ssh_record_store_factory_class: className(unset, 'Store of the SSH records.'),
  ssh_file_store_path: path('{root}/var/zts_server', 'Folder of the file store.'),
  ssh_file_store_name: text('zts_ssh_records', 'Folder of the records inside it.'),
  ssh_op_timeout: seconds(10, 'Longest time of one statement.'),
  ssh_jdbc_store: jdbcUrl(unset, 'Database of the records.'),
  ssh_jdbc_user: text(unset, 'User of the database.'),
  ssh_jdbc_password: secret('', 'Its password, or the name of the password in the private key store.'),
  ssh_jdbc_app_name: text('jdbc', 'Application under which the private key store has the password.'),
  ssh_jdbc_keygroup_name: text('', 'Key group under which the private key store has the password.'),
  ssh_jdbc_use_ssl: boolean(false, 'Encrypt the connection to the database.'),
  ssh_jdbc_verify_server_certificate: boolean(false, 'Verify the certificate of the database.'),
  ...allUnsupported(NO_CLOUD_STORE, {
    ssh_dynamodb_table_name: text(unset, 'DynamoDB table of the records.'),
    ssh_dynamodb_item_ttl_hours: hours(720, 'Life of a record there.'),
  }),
}

/** The built-in signer of SSH certificates (`athenz.ts.`); the original has none. */
export const sshAuthorityProperties = {
  ssh_host_ca_key_file: path(
    unset,
    'Private key that signs SSH certificates of hosts: PEM, or as ssh-keygen writes it.',
  ),
  ssh_user_ca_key_file: path(unset, 'Private key that signs SSH certificates of users.'),
  ssh_ca_key_password: secret(unset, 'Password of these keys when they are encrypted PEM.'),
  ssh_host_cert_expiry_minutes: minutes(43_200, 'Life of SSH certificates of hosts.'),
  ssh_user_cert_expiry_minutes: minutes(720, 'Life of SSH certificates of users.'),
}

/** What is done while the store of certificate records cannot be reached (`athenz.ts.`). */
export const recordOutageProperties = {
  cert_records_away: word(
    ['refuse', 'register'],
    'refuse',
    'While their database is away: refuse, or register instances and write their records later.',
  ),
}

/** Workloads: which service runs where. */
export const workloadProperties = {
  workload_enable_store_feature: boolean(false, 'Record where services run.'),
  workload_record_store_factory_class: className(unset, 'Store of these records.'),
  workload_file_store_path: path('{root}/var/zts_server', 'Folder of the file store.'),
  workload_file_store_name: text('zts_workload_records', 'Folder of the records inside it.'),
  workload_op_timeout: seconds(10, 'Longest time of one statement.'),
  workload_jdbc_store: jdbcUrl(unset, 'Database of the records.'),
  workload_jdbc_user: text(unset, 'User of the database.'),
  workload_jdbc_password: secret('', 'Its password, or the name of the password in the private key store.'),
  workload_jdbc_app_name: text('jdbc', 'Application under which the private key store has the password.'),
  workload_jdbc_keygroup_name: text('', 'Key group under which the private key store has the password.'),
  workload_jdbc_use_ssl: boolean(false, 'Encrypt the connection to the database.'),
  workload_jdbc_verify_server_certificate: boolean(false, 'Verify the certificate of the database.'),
  ...allUnsupported(NO_CLOUD_STORE, {
    workload_dynamodb_table_name: text(unset, 'DynamoDB table of the records.'),
    workload_dynamodb_index_ip_name: text(unset, 'Index by address.'),
    workload_dynamodb_index_service_name: text(unset, 'Index by service.'),
    workload_dynamodb_item_ttl_hours: hours(720, 'Life of a record there.'),
  }),
}

/** Notifications about certificates that are not refreshed. */
export const certificateNotificationProperties = {
  notification_cert_fail_provider_list: list('', 'Providers whose certificates are watched.'),
  notification_cert_fail_ignored_services_list: list('', 'Services that are not watched: full names, * and ? allowed.'),
  notification_cert_fail_grace_hours: hours(336, 'Time after the last refresh until somebody is told.'),
  notification_cert_fail_athenz_guide: url(
    'https://athenz.github.io/athenz/',
    'Page with advice, for links in messages.',
  ),
  notification_api_hostname: text(sameAs('athenz.zts.hostname'), 'Name of this server in messages.'),
  ...allUnsupported('nobody is told of it; the log and the metrics show when credentials of AWS cannot be had', {
    notification_aws_health_domain: text(
      'sys.auth',
      'Domain whose administrators are told when AWS cannot be reached.',
    ),
  }),
}
