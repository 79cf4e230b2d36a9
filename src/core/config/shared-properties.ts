import {
  allUnsupported,
  boolean,
  count,
  days,
  list,
  millis,
  path,
  port,
  sameAs,
  seconds,
  secret,
  set,
  text,
  unset,
  unsupported,
  word,
} from './property.ts'

/** Names of the domains of people (`athenz.`), directly in the configuration object. */
export const domainNameProperties = {
  user_domain: text('user', 'Domain of human users.'),
  user_domain_alias: text(unset, 'Second name of the user domain; members under it are stored under the first.'),
  home_domain: text(sameAs('athenz.user_domain'), 'Domain above the personal domains of users.'),
  headless_user_domain: text(sameAs('athenz.user_domain'), 'Domain of users that are not people.'),
}

/** Files that name the public keys of both servers (`athenz.`). */
export const publicKeyFileProperties = {
  athenz_conf: path('{root}/conf/athenz/athenz.conf', 'JSON file with the URLs and public keys of ZMS and ZTS.'),
  jwk_athenz_conf: unsupported(
    'only clients read that file; servers read athenz_conf',
    path('/var/lib/sia/athenz.conf', 'JSON file with the same keys as JWK.'),
  ),
}

/** Members from outside (`athenz.external_member.`). */
export const externalMemberProperties = {
  valid_email_domains: set('', 'Domains that the shipped e-mail validator accepts for external members; none = any.'),
}

/** Where the configuration itself comes from (`athenz.config.`). */
export const sourceProperties = {
  source_paths: list('', 'Further sources, prop-file:///path each; they win over the properties files.'),
  ...allUnsupported('Java classes cannot be loaded; write the values to a file and name it in source_paths', {
    providers: list('', 'Classes that read configuration from other places.'),
  }),
}

/** How often they are read again; the key has no prefix. */
export const reloadProperties = {
  'reload-configs-seconds': seconds(60, 'Seconds between two readings of all sources; 0 = only at start.'),
}

/** Pages for people about the API: properties of ours (`athenz.ts.`). */
export const apiDocumentationProperties = {
  api_docs: boolean(
    true,
    'Show the API, but no data, at /docs and /docs/openapi.json to everybody who reaches the port.',
  ),
}

/** Encryption (`athenz.crypto.`). */
export const cryptoProperties = {
  restricted_ou: set('', 'Patterns (* and ?) of subject units whose certificates are refused every authorization.'),
  key_usage_critical: boolean(true, 'Mark the key usage of issued certificates as critical.'),
  authority_key_identifier: boolean(true, 'Name the key of the issuer in issued certificates.'),
  ...allUnsupported('names a part of the Java crypto library; keys decide their algorithm here', {
    algo_rsa: text('RSA', 'Java name of the algorithm of RSA keys.'),
    algo_ecdsa: text('ECDSA', 'Java name of the algorithm of EC keys.'),
    key_factory_provider: text(unset, 'Java provider that reads keys.'),
    signature_provider: text(unset, 'Java provider that signs.'),
    x509_certificate_signature_provider: text(unset, 'Java provider that signs certificates.'),
  }),
}

/** Where data and their audit log are kept: properties of ours (`athenz.ts.`), which the original ignores. */
export const storageProperties = {
  store_dir: path('{root}/var/{server}_server/store', 'Folder of the embedded file store.'),
  audit_log_dir: path('{root}/var/{server}_server/logs/audit', 'Folder of the files of the audit log.'),
  audit_log_max_bytes: count(67_108_864, 'Size at which a new file of the audit log is begun, at most 268435456.'),
  audit_log_daily: boolean(true, 'Begin a new file of the audit log with every day (UTC).'),
  audit_log_retain_days: days(365, 'Files of the audit log are deleted after this time; 0 = never.'),
  audit_log_required: boolean(false, 'Refuse changes with status 503 while the audit log cannot be written.'),
  audit_log_key_group: text(unset, 'Key group of the secret that protects the audit log against forgery.'),
  audit_log_key_name: secret(unset, 'Name of that secret in the private key store; 32 characters or more.'),
  domain_cache_max_objects: count(
    4_000_000,
    'Roles, members, policies and other objects of domains that a server on MySQL keeps in memory.',
  ),
}

/** Ports, limits and log of any server: properties of ours (`athenz.ts.`), which the original ignores. */
export const ownServerProperties = {
  tls_cert_file: path(unset, 'PEM certificate chain of the server, instead of a PKCS#12 key store.'),
  tls_key_file: path(unset, 'PEM private key of that certificate.'),
  tls_ca_file: path(unset, 'PEM certificates of the authorities whose client certificates are accepted.'),
  tls_session_timeout_seconds: seconds(300, 'How long a TLS session may be resumed.'),
  ops_port: port(0, 'Port for metrics and health, 0 = off.'),
  ops_host: text('127.0.0.1', 'Address on which that port listens.'),
  request_body_max_bytes: count(16_777_216, 'Longest request body; a longer one is refused with status 413.'),
  slow_request_millis: millis(1_000, 'Requests that take longer are logged as slow; 0 = none.'),
  log_level: word(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'Least level that is logged.',
  ),
  log_file: path(unset, 'File of the server log; standard output when not set.'),
}

/** Both. */
export const tsProperties = { ...storageProperties, ...ownServerProperties }
