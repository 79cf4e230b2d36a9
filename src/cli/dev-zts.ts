import type { DistinguishedName } from '#core/crypto/certificate-name.ts'
import { bundleWithCa, type DevCa, ensureServerCa, type ServerCa } from './dev-certificates.ts'
import { adminCredential, publishedKeys } from './dev-credentials.ts'
import type { DevFolder } from './dev-folder.ts'
import { registerZts } from './dev-registration.ts'
import type { DevPair, DevServerPaths } from './dev-server.ts'
import { DevZmsClient } from './dev-zms-client.ts'
import { serverLayout, ZTS } from './server-kind.ts'

const { confFolder, keysFolder } = serverLayout(ZTS, '')

/** Signing keys of ZTS, by file in its folder of keys. It signs with the first; the second waits to be chosen. */
export const ZTS_KEYS = [
  { id: '0', file: 'zts_private.pem', kind: 'rsa' },
  { id: 'ec0', file: 'zts_ec_private.pem', kind: 'ec' },
] as const

// Encoded as the signer does, which then finds its certificate beside its key.
const SUBJECT: DistinguishedName = [
  { type: 'C', value: 'US', encoding: 'printable' },
  { type: 'O', value: 'Athenz', encoding: 'printable' },
  { type: 'CN', value: 'Self Signed Athenz CA', encoding: 'printable' },
]

/** The authority whose certificates ZTS issues. */
export const ZTS_CA: ServerCa = {
  subject: SUBJECT,
  files: { certificate: `${keysFolder}/zts_ca_private.pem.certificate.pem`, key: `${keysFolder}/zts_ca_private.pem` },
}

/** Where the servers are and their public keys, for ZTS and for clients; written at each start. */
export const ATHENZ_CONF = `${confFolder}/athenz.conf`
/** Settings that hold the port of ZTS; written at each start. The other properties files win over it. */
export const ADDRESS_PROPERTIES = `${confFolder}/addresses.properties`

/** Makes the authority of ZTS, and has both servers and their clients trust it. */
export async function prepareZts(folder: DevFolder, ca: DevCa): Promise<void> {
  await ensureServerCa(folder, ZTS_CA)
  await bundleWithCa(folder, ca, [ZTS_CA.files.certificate])
}

/** Registers ZTS in ZMS, and writes down where both are. */
export async function connectZts({ folder, ca, zmsUrl, port }: DevPair): Promise<void> {
  const [keys, credential] = await Promise.all([
    publishedKeys(folder, keysFolder, ZTS_KEYS),
    adminCredential(folder, ca),
  ])
  const client = new DevZmsClient(zmsUrl, credential)
  try {
    const zmsKeys = await registerZts(client, keys)
    const ztsUrl = `https://localhost:${port}`
    const conf = {
      zmsUrl: `${new URL(zmsUrl).origin}/`,
      ztsUrl: `${ztsUrl}/`,
      zmsPublicKeys: zmsKeys,
      ztsPublicKeys: keys,
    }
    await Promise.all([
      folder.write(ATHENZ_CONF, `${JSON.stringify(conf, undefined, 2)}\n`),
      folder.write(ADDRESS_PROPERTIES, addressProperties(`${ztsUrl}${ZTS.basePath}`)),
    ])
  } finally {
    client.close()
  }
}

const addressProperties = (url: string): string => `\
# Addresses of this development folder. Written by athenz dev at each start; what zts.properties says wins.

athenz.zts.oauth_issuer=${url}
athenz.zts.openid_issuer=${url}
athenz.zts.provider_jwks_uri=${url}/oauth2/keys?rfc=true
`

/** Kinds of authorization details that every domain knows. */
export const AUTHORIZATION_DETAILS = `${JSON.stringify(
  { entities: [{ type: 'proxy_access', fields: [{ name: 'principal' }] }] },
  undefined,
  2,
)}\n`

const CLASSES = 'com.yahoo.athenz.auth.impl'

/** The properties of ZTS itself. */
export const ztsProperties = ({ ca }: DevServerPaths): string => `\
# ZTS of this development folder. Made by athenz dev when absent; change it as you like.
# Relative paths count from the development folder. Every property: conf/zts_server of the project.

athenz.zts.authority_classes=${CLASSES}.PrincipalAuthority,${CLASSES}.CertificateAuthority,${CLASSES}.RoleAuthority
athenz.zts.no_auth_uri_list=/zts/v1/status,/zts/v1/instance
athenz.athenz_conf=${ATHENZ_CONF}
athenz.zts.zms_domain_update_timeout=5
athenz.zts.ssl_trust_store=${ca}

# To sign with the EC key as well:
#athenz.auth.private_key_store.private_ec_key=${keysFolder}/${ZTS_KEYS[1].file}
#athenz.auth.private_key_store.private_ec_key_id=${ZTS_KEYS[1].id}
#athenz.auth.private_key_store.private_rsa_key=${keysFolder}/${ZTS_KEYS[0].file}
#athenz.auth.private_key_store.private_rsa_key_id=${ZTS_KEYS[0].id}

athenz.zts.redirect_uri_suffix=.athenz.cloud
athenz.zts.system_authz_details_path=${confFolder}/authz_details.json

athenz.zts.cert_signer_factory_class=com.yahoo.athenz.zts.cert.impl.SelfCertSignerFactory
athenz.zts.self_signer_private_key_fname=${ZTS_CA.files.key}
athenz.zts.self_signer_cert_dn=CN=Self Signed Athenz CA,O=Athenz,C=US
athenz.zts.cert_record_store_factory_class=com.yahoo.athenz.zts.cert.impl.FileCertRecordStoreFactory
`
