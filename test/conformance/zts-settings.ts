const KEYS = 'var/zts_server/keys'
const BUNDLES = 'conf/zts_server/ca_bundles.json'

/** Settings of ZTS for each set of recordings, besides those of `athenz dev`; COVERAGE.md lists them. */
export const ztsSettings = {
  default: {},
  extended: {
    'athenz.auth.private_key_store.private_ec_key': `${KEYS}/zts_ec_private.pem`,
    'athenz.auth.private_key_store.private_ec_key_id': 'ec0',
    'athenz.auth.private_key_store.private_rsa_key': `${KEYS}/zts_private.pem`,
    'athenz.auth.private_key_store.private_rsa_key_id': '0',
    'athenz.zts.no_auth_uri_list': '/zts/v1/status,/zts/v1/instance,/zts/v1/oauth2/token',
    'athenz.zts.authorized_proxy_users': 'user.proxyone,user.proxytwo',
    'athenz.zts.introspect_support_enabled': 'true',
    'athenz.zts.oauth_openid_scope': 'true',
    'athenz.zts.oauth_scope_role_without_domain': 'true',
    'athenz.zts.zms_domain_jws_support': 'true',
    'athenz.zts.cert_authority_bundles_fname': BUNDLES,
    'athenz.zts.cert_allowed_o_values': 'Athenz|Athenz Two',
    'athenz.zts.cert_request_verify_subject_ou': 'true',
    'athenz.zts.cert_allowed_ou_values': 'Athenz|Testing',
    'athenz.zts.cert_request_verify_ip': 'true',
    'athenz.zts.validate_role_cert_dns_names': 'true',
    'athenz.zts.validate_cert_uri_schemes': 'true',
    'athenz.zts.workload_enable_store_feature': 'true',
    'athenz.zts.id_token_max_domains': '2',
    'athenz.zts.role_token_max_timeout': '86400',
    'athenz.zts.id_token_max_timeout': '7200',
  },
} as const

/** Names of the sets of settings. */
export type ZtsSettingsName = keyof typeof ztsSettings

/** Files that the settings name, by path in the development folder. */
export const ztsFiles = {
  [BUNDLES]: JSON.stringify({
    certBundles: ['athenz', 'root'].map((name) => ({ name, type: 'x509', filename: 'ca/ca.pem' })),
  }),
}
