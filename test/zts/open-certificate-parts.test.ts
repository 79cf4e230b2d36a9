import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadServerConfig } from '#core/config/server-config.ts'
import { silentLogger } from '#core/log/logger.ts'
import { openCertificateParts } from '#zts/open-certificate-parts.ts'
import { TestCa } from '../core/authority/support.ts'
import { requestFor } from '../support/certificate-requests.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { signingRequest } from './cert/signing-support.ts'

const SIGNERS = 'com.yahoo.athenz.zts.cert.impl'
const folder = temporaryFolder()
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const key = file(
  'ca.pem',
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
)
const SELF = {
  'athenz.zts.cert_signer_factory_class': `${SIGNERS}.SelfCertSignerFactory`,
  'athenz.zts.self_signer_private_key_fname': key,
}

async function open(properties: Readonly<Record<string, string>>) {
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir: folder,
    files: [],
    overrides: Object.entries({ 'athenz.zts.root_dir': folder, ...properties }),
    env: {},
    hostname: 'zts.example.com',
  })
  const privateKeyStore = {
    privateKey: async () => undefined,
    applicationSecret: async (_app: string | undefined, _group: string | undefined, name: string) => name,
  }
  return openCertificateParts({ config, privateKeyStore, log: silentLogger(), now: Date.now })
}

describe('openCertificateParts', () => {
  it('opens the self signer and all files', async () => {
    file('own.pem', 'own authority')
    file('bundles.json', '{"certBundles":[{"name":"athenz","filename":"own.pem"}]}')
    file('networks.json', '{"prefixes":[{"ip_prefix":"10.0.0.0/8"}]}')
    const parts = await open({
      ...SELF,
      'athenz.zts.x509_ca_cert_fname': 'own.pem',
      'athenz.zts.cert_authority_bundles_fname': 'bundles.json',
      'athenz.zts.cert_refresh_ip_fname': 'networks.json',
      'athenz.zts.cert_dns_suffix': 'athenz.cloud,.other.cloud',
    })
    assert.match(await parts.certificateIssuer.issue(await signingRequest(requestFor('a.b'))), /BEGIN CERTIFICATE/)
    assert.equal(await parts.certificateIssuer.caCertificate(undefined, undefined), 'own authority')
    assert.equal(parts.caBundles.get('athenz'), 'own authority')
    assert.equal(parts.allowedAddresses.allowsService('11.0.0.1'), false)
    assert.deepEqual(parts.requestRules.dnsSuffixes, ['.athenz.cloud', '.other.cloud'])
    assert.ok(parts.requestRules.spiffe.isServiceUri('spiffe://sports/sa/api', 'sports', 'api', undefined))
    await parts.close()
  })

  it('opens plug-ins by their modules', async () => {
    file(
      'signer.mjs',
      'export default { maxExpiryMins: 7, sign: async () => "signed", caCertificate: async () => "ca" }',
    )
    file('names.mjs', 'export default { acceptsServiceDnsName: () => true, acceptsRoleDnsName: () => false }')
    file('hosts.mjs', 'export default { isHostname: () => true, areCnames: () => true, addressesOf: () => [] }')
    file('ids.mjs', 'export default { isServiceUri: (uri) => uri === "spiffe://mine", isRoleUri: () => false }')
    const parts = await open({
      'athenz.zts.cert_signer_factory_class': './signer.mjs',
      'athenz.zts.cert_data_validator_factory_class': './names.mjs',
      'athenz.zts.hostname_resolver_factory_class': './hosts.mjs',
      'athenz.zts.spiffe_uri_validator_classes': './ids.mjs',
    })
    assert.equal(await parts.certificateIssuer.issue(await signingRequest(requestFor('a.b'))), 'signed')
    assert.equal(parts.certificateIssuer.maxExpiryMins, 7)
    assert.equal(await parts.requestRules.dataValidator?.acceptsServiceDnsName('a', 'b', 'c'), true)
    assert.equal(await parts.requestRules.hostnames?.isHostname('a'), true)
    assert.equal(parts.requestRules.spiffe.isServiceUri('spiffe://mine', 'a', 'b', undefined), true)
    assert.equal(parts.requestRules.spiffe.isServiceUri('spiffe://a/sa/b', 'a', 'b', undefined), false)
    await parts.close()
  })

  it('opens the HTTP signer with the certificate of this server', async () => {
    const ca = await TestCa.create()
    const own = await ca.issue({ subject: [{ type: 'CN', value: 'sys.auth.zts' }] })
    const parts = await open({
      'athenz.zts.certsign_base_uri': 'https://signer.example.com/v3',
      'athenz.ts.tls_key_file': file('tls.key', own.key),
      'athenz.ts.tls_cert_file': file('tls.pem', own.cert),
      'athenz.zts.ssl_trust_store': file('trust.pem', ca.cert),
    })
    assert.equal(parts.certificateIssuer.maxExpiryMins, 43_200)
    await parts.close()
  })

  const refused: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    ['an HTTP signer without an address', {}, /^athenz\.zts\.certsign_base_uri: not set/],
    [
      'an HTTP signer without a certificate',
      { 'athenz.zts.certsign_base_uri': 'https://x' },
      /^athenz\.zts\.ssl_key_store: not set/,
    ],
    [
      'an HTTP signer with which no TLS is left',
      { 'athenz.zts.certsign_base_uri': 'https://x', 'athenz.zts.ssl_excluded_protocols': 'TLSv1.2,TLSv1.3' },
      /^athenz\.zts\.ssl_excluded_…: no version of TLS remains/,
    ],
    [
      'a class that nobody knows',
      { 'athenz.zts.cert_signer_factory_class': 'com.example.Signer' },
      /"com\.example\.Signer" is neither a known class nor a module/,
    ],
    [
      'a signer that is none',
      { 'athenz.zts.cert_signer_factory_class': './none.mjs' },
      /is no certificate signer: it lacks maxExpiryMins \(a number above 0\), method sign, method caCertificate/,
    ],
    [
      'a judge of SPIFFE ids that is none',
      { ...SELF, 'athenz.zts.spiffe_uri_validator_classes': './none.mjs' },
      /is no judge of SPIFFE ids/,
    ],
    [
      'a validator that is none',
      { ...SELF, 'athenz.zts.cert_data_validator_factory_class': './none.mjs' },
      /is no certificate data validator/,
    ],
    [
      'a file of networks that is none',
      { ...SELF, 'athenz.zts.instance_cert_ip_fname': 'none.mjs' },
      /instance_cert_ip_fname/,
    ],
  ]
  for (const [what, properties, reason] of refused) {
    it(`refuses ${what}`, async () => {
      file('none.mjs', 'export default {}')
      await assert.rejects(open(properties), { name: 'ConfigError', message: reason })
    })
  }
})
