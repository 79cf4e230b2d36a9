import {
  allUnsupported,
  boolean,
  className,
  count,
  days,
  headers,
  list,
  millis,
  path,
  port,
  seconds,
  secret,
  set,
  text,
  unset,
  unsupported,
} from './property.ts'

const NO_JETTY = 'there is no Jetty and no Java thread pool here'
const KIND_SEEN = 'the kind of the file is seen from its contents'

/** Where any server listens and what it is. */
export const commonListenerProperties = {
  root_dir: path('{root}', 'Base folder of the container; relative paths count from it.'),
  prop_file: path(
    '{root}/conf/{server}_server/athenz.properties',
    'File with the properties of ports, TLS, HTTP and logs.',
  ),
  hostname: text('{hostname}', 'Name of this machine in tokens, logs and the Host response header.'),
  listen_host: text(unset, 'Address to listen on; all when not set.'),
  port: port(4080, 'Port for plain HTTP, 0 = off.'),
  tls_port: port(4443, 'Port for HTTPS, 0 = off.'),
  port_uri_config: path(
    unset,
    'JSON file that lists ports and the endpoints each may serve, instead of the ports above.',
  ),
  proxy_protocol: boolean(false, 'Expect the PROXY protocol line of a load balancer before each connection.'),
}

/** The same of the servers with data, which have ports for operations of one kind. */
export const listenerProperties = {
  ...commonListenerProperties,
  status_port: port(0, 'Further port that serves only the status operation, 0 = off.'),
  oidc_port: port(0, 'Further port of ZTS that serves only the OpenID operations, 0 = off.'),
}

/** TLS of the server. */
export const tlsProperties = {
  ssl_key_store: path(unset, 'PKCS#12 file with private key and certificate of the server.'),
  ssl_key_store_type: unsupported(KIND_SEEN, text('PKCS12', 'Kind of that file.')),
  ssl_key_store_password: secret(unset, 'Its password, or the name of the password in the private key store.'),
  ssl_key_store_password_appname: text(unset, 'Application under which the private key store has that password.'),
  ssl_key_store_password_keygroupname: text(unset, 'Key group under which the private key store has that password.'),
  ssl_key_manager_password: secret(unset, 'Password of the key inside the key store when it has one of its own.'),
  ssl_key_manager_password_appname: text(unset, 'Application of that password.'),
  ssl_key_manager_password_keygroupname: text(unset, 'Key group of that password.'),
  ssl_trust_store: path(unset, 'File with the authorities whose client certificates are accepted.'),
  ssl_trust_store_type: unsupported(KIND_SEEN, text('PKCS12', 'Kind of that file: PKCS12, JKS or PEM.')),
  ssl_trust_store_password: secret(unset, 'Its password, or the name of the password in the private key store.'),
  ssl_trust_store_password_appname: text(unset, 'Application of that password.'),
  ssl_trust_store_password_keygroupname: text(unset, 'Key group of that password.'),
  ssl_key_store_reload_seconds: seconds(0, 'How often the TLS files are checked for a change; 0 = they are watched.'),
  ssl_included_cipher_suites: list('', 'Cipher suites to offer, by their Java names; none = those of the runtime.'),
  ssl_excluded_cipher_suites: list('', 'Cipher suites not to offer, by their Java names.'),
  ssl_excluded_protocols: set('SSLv2,SSLv3', 'TLS versions not to offer.'),
  ssl_need_client_auth: boolean(false, 'Refuse connections without client certificate; it is always asked for.'),
  ssl_sni_required: boolean(false, 'Refuse connections that do not name the server they want.'),
  ssl_sni_hostcheck: boolean(true, 'Compare the Host header with the name asked for in TLS.'),
  ssl_log_failures: boolean(false, 'Log failed TLS handshakes.'),
  ssl_logger_factory_class: unsupported(
    'failed handshakes go to the log, see ssl_log_failures',
    className(unset, 'Plug-in that is told of failed handshakes.'),
  ),
  private_keystore_factory_class: unsupported(
    'the passwords come from the private key store of the server, see athenz.zms.private_key_store_factory_class',
    className(
      'com.yahoo.athenz.auth.impl.FilePrivateKeyStoreFactory',
      'Private key store that has the passwords above.',
    ),
  ),
  ...allUnsupported('connections cannot be renegotiated', {
    ssl_renegotiation_allowed: boolean(false, 'Let clients renegotiate a TLS connection.'),
  }),
}

/** HTTP. */
export const httpProperties = {
  http_idle_timeout: millis(30_000, 'Connections without traffic are closed after this time.'),
  http_request_header_size: count(8192, 'Longest request head in bytes.'),
  http_send_server_version: boolean(false, 'Name the product in the Server response header.'),
  http_send_date_header: boolean(true, 'Send the Date response header.'),
  keep_alive: boolean(true, 'Keep connections open between requests.'),
  send_host_header: boolean(true, 'Send the name of this machine in the Host response header.'),
  response_headers_json: headers(
    '{"Strict-Transport-Security":"max-age=31536000; includeSubDomains"}',
    'Headers of every response, as JSON.',
  ),
  gzip_support: boolean(false, 'Compress JSON responses.'),
  gzip_min_size: count(1024, 'Shorter responses are not compressed.'),
  ...allUnsupported('that is how it always is here', {
    decode_ambiguous_uris: boolean(true, 'Accept encoded slashes in paths.'),
    disable_trace_track: boolean(true, 'Answer TRACE and TRACK with status 405.'),
  }),
  ratelimit_factory_class: className(unset, 'Module that limits the rate of requests, beside athenz.ts.rate_limit_*.'),
  'http.www-authenticate.multiple-headers': boolean(
    true,
    'One WWW-Authenticate header per challenge, not one for all.',
  ),
  'swagger.require_cert_auth': unsupported(
    'the API pages at /docs are the same for everybody and have no data',
    boolean(false, 'Show the API pages only to callers with a client certificate.'),
  ),
  ...allUnsupported(NO_JETTY, {
    http_max_threads: count(1024, 'Size of the thread pool.'),
    http_output_buffer_size: count(32_768, 'Bytes collected before they are sent.'),
    http_response_header_size: count(8192, 'Longest response head in bytes.'),
    jetty_home: path('{root}', 'Base folder of Jetty.'),
    debug: boolean(false, 'Let Jetty log more.'),
    dump_after_start: boolean(false, 'Print the state of Jetty after start.'),
  }),
}

/** Health, shutdown, access log. */
export const operationProperties = {
  health_check_uri_list: set('', 'Paths answered with status 200 while a file of that name exists, else with 404.'),
  health_check_path: path('{root}', 'Folder of those files.'),
  health_check_status_ok_body: boolean(true, 'Send OK as body of those answers.'),
  graceful_shutdown: unsupported(
    'requests in flight are always finished before a stop',
    boolean(false, 'Finish requests in flight before stopping.'),
  ),
  graceful_shutdown_timeout: millis(30_000, 'Longest time for the requests in flight at a stop.'),
  access_log_dir: path('{root}/logs/{server}_server', 'Folder of the access log.'),
  access_log_name: text('access.yyyy_MM_dd.log', 'Name of the access log; yyyy, MM and dd become the date.'),
  access_log_retain_days: days(31, 'Access logs older than this are deleted.'),
  log_forwarded_for_addr: boolean(false, 'Log the address in X-Forwarded-For instead of that of the connection.'),
  ...allUnsupported('there is no Java logger; set access_log_dir and access_log_name', {
    access_slf4j_logger: text(unset, 'Java logger that receives the access log.'),
  }),
}

/** Properties of the container around any server (`athenz.`). */
export const commonContainerProperties = {
  ...commonListenerProperties,
  ...tlsProperties,
  ...httpProperties,
  ...operationProperties,
}

/** The same around the servers with data. */
export const containerProperties = { ...listenerProperties, ...commonContainerProperties }
