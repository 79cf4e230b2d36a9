import {
  allUnsupported,
  boolean,
  className,
  integer,
  list,
  millis,
  path,
  pattern,
  port,
  seconds,
  set,
  text,
  unset,
  unsupported,
  url,
  word,
} from './property.ts'

/** Private keys of the server (`athenz.auth.`). */
export const privateKeyProperties = {
  'private_key_store.private_key': path(
    '{root}/var/{server}_server/keys/{server}_private.pem',
    'PEM private key, RSA or EC; used when neither of the two below is set.',
  ),
  'private_key_store.private_key_id': text('0', 'Its id, under which the public key is registered.'),
  'private_key_store.private_ec_key': path(unset, 'PEM EC private key.'),
  'private_key_store.private_ec_key_id': text('0', 'Its id.'),
  'private_key_store.private_rsa_key': path(unset, 'PEM RSA private key.'),
  'private_key_store.private_rsa_key_id': text('0', 'Its id.'),
}

/** Tokens of principals and roles as credentials (`athenz.auth.`). */
export const tokenAuthorityProperties = {
  'principal.header': text('Athenz-Principal-Auth', 'Header with the principal token.'),
  'principal.token_allowed_offset': integer(300, 'Seconds a token may be issued in the future; negative = 300.'),
  'principal.remote_ip_check_mode': word(
    ['OPS_ALL', 'OPS_WRITE', 'OPS_NONE'],
    'OPS_WRITE',
    'Operations on which a user token must come from the address inside it.',
  ),
  'role.header': text('Athenz-Role-Auth', 'Header with the role token.'),
  'role.token_allowed_offset': integer(300, 'Seconds a role token may be issued in the future; negative = 300.'),
  'access_token.oauth_issuer': text('https://athenz.io', 'Issuer of the access tokens that are credentials here.'),
}

/** Client certificates (`athenz.auth.`). */
export const certificateAuthorityProperties = {
  'certificate.excluded_principals': set('', 'Common names whose certificates are refused.'),
  'certificate.exclude_role_certificates': boolean(false, 'Refuse role certificates.'),
  'certificate.identity_issuer_map_fname': path(
    unset,
    'JSON file that names the identity issuer by certificate issuer.',
  ),
}

/** People: system accounts, LDAP, Kerberos, OpenID Connect (`athenz.auth.`). */
export const userAuthorityProperties = {
  'user.pam_service_name': text('login', 'PAM service that checks passwords.'),
  'ldap.hostname': text('localhost', 'LDAP server.'),
  'ldap.port': port(389, 'Its port.'),
  'ldap.base_dn': text('o=Athenz', 'Name under which users are found.'),
  'kerberos.service_principal': text(unset, 'Kerberos principal of this server: HTTP/zms.example.com@EXAMPLE.COM.'),
  'kerberos.keytab_location': path(unset, 'Key table of that principal.'),
  'kerberos.user_realm': text('USER_REALM', 'Realm of clients that belong to the user domain, or parts of it.'),
  'kerberos.krb_user_realm': text('KRB_REALM', 'Realm of clients that belong to the domain below.'),
  'kerberos.krb_user_domain': text('krb', 'Domain of those clients.'),
  'oidc.issuer': url(unset, 'OpenID provider; exactly the issuer of its tokens.'),
  'oidc.audience': text(unset, 'Audience that its tokens must name.'),
  'oidc.email_domain': text(unset, 'End of the e-mail addresses that are accepted, e.g. @example.com.'),
  'oidc.claim_mapping': text('email', 'Claim that names the user.'),
  'oidc.domain': text('user', 'Domain of the users.'),
  'oidc.name': text(unset, 'Name of the provider in the access log.'),
  'oidc.username_pattern': pattern('[a-z][a-z0-9]*', 'Regular expression that a user name must match.'),
  ...allUnsupported('a server accepts tickets with its key table and needs no ticket of its own', {
    'kerberos.login_window': millis(60_000, 'Least time between two logins of the server.'),
    'kerberos.renewTGT': boolean(true, 'Renew the ticket of the server.'),
    'kerberos.use_ticket_cache': boolean(true, 'Take the ticket of the server from the ticket cache.'),
    'kerberos.ticket_cache_name': text(unset, 'Ticket cache; the environment variable KRB5CCNAME wins.'),
  }),
  ...allUnsupported('the access log says why a ticket was refused', {
    'kerberos.debug': boolean(false, 'Log the steps of Kerberos.'),
  }),
  ...allUnsupported('Java login modules cannot be loaded; Kerberos reads service_principal and keytab_location', {
    'kerberos.jaas_cfg_section': text(unset, 'Section of the Java login configuration.'),
    'kerberos.login_callback_handler_class': className(unset, 'Java class asked for the password.'),
    'kerberos.krb_privileged_action_class': className(unset, 'Java class that accepts tickets.'),
  }),
}

/** Certificate-bound access tokens of a foreign issuer (`athenz.auth.`). */
export const oauthAuthorityProperties = {
  'oauth.jwt.authn_challenge_realm': text('https://athenz.io', 'Realm in the challenge.'),
  'oauth.jwt.cert.excluded_principals': set('', 'Common names whose certificates are refused.'),
  'oauth.jwt.cert.exclude_role_certificates': boolean(false, 'Refuse role certificates.'),
  'oauth.jwt.parser_factory_class': className(
    'com.yahoo.athenz.auth.oauth.parser.DefaultOAuthJwtAccessTokenParserFactory',
    'What reads the tokens; the one for Auth0 means the same.',
  ),
  'oauth.jwt.parser.jwks_url': url(unset, 'Address of the keys of the issuer; those of ZTS when not set.'),
  'oauth.jwt.auth0.claim_client_id': text('client_id', 'Claim that names the client of the issuer.'),
  'oauth.jwt.auth0.claim_confirm': text('cnf', 'Claim that names the client certificate.'),
  'oauth.jwt.verify_cert_thumbprint': boolean(true, 'Demand that the token names the client certificate.'),
  'oauth.jwt.claim.iss': text('https://athenz.io', 'Issuer that a token must name.'),
  'oauth.jwt.claim.aud': text(
    'https://zms.athenz.io',
    'Audiences that a token must name, all of these, between commas or blanks.',
  ),
  'oauth.jwt.claim.scope': text(
    'sys.auth:role.admin',
    'Scopes that a token must have, all of these, between commas or blanks.',
  ),
  'oauth.jwt.authorized_client_ids_path': path(
    unset,
    'File of client ids, the principal and the service they act for.',
  ),
  jwk_connect_timeout: millis(10_000, 'Longest wait for a connection when keys of an issuer are fetched.'),
  jwk_read_timeout: millis(20_000, 'Longest wait for the answer.'),
}

/** Authorities: settings of ours (`athenz.ts.`). */
export const ownAuthorityProperties = {
  forwarded_certificate_proxies: list(
    '',
    'Addresses and networks of proxies whose forwarded certificates are believed.',
  ),
  forwarded_certificate_ca_file: path(unset, 'PEM certificates of the authorities of forwarded client certificates.'),
  forwarded_certificate_header: text('Client-Cert', 'Header in which proxies forward the certificate of the client.'),
  identity_provider_ca_file: path(unset, 'PEM certificates that identity providers are trusted by, beside the usual.'),
  kerberos_config_file: path(unset, 'Settings of the Kerberos library, instead of /etc/krb5.conf.'),
  ldap_tls: word(['off', 'ldaps', 'starttls'], 'off', 'How the connection to the LDAP server is protected.'),
  ldap_ca_file: path(unset, 'PEM certificates that the LDAP server is trusted by, instead of the usual.'),
}

/** Properties of the authorities (`athenz.auth.`). */
export const authProperties = {
  ...privateKeyProperties,
  ...tokenAuthorityProperties,
  ...certificateAuthorityProperties,
  ...userAuthorityProperties,
  ...oauthAuthorityProperties,
}

/** Properties of the authorities with other prefixes (`athenz.`). */
export const furtherAuthProperties = {
  'authority.truststore.path': path(unset, 'File with the authorities whose certificates identify principals.'),
  token_max_expiry: seconds(2_592_000, 'Longest life of a principal token that is accepted.'),
  token_no_expiry: boolean(false, 'Accept principal tokens that never expire, for reading.'),
  'common.server.debug.krb_tkt_user_name': unsupported(
    'the debug authorities check nothing and are left out',
    text('anonymous', 'User that the debug Kerberos authority reports.'),
  ),
}
