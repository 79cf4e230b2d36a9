import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadServerConfig } from '#core/config/server-config.ts'
import { openKeyStoreCertificateSigner } from '#zts/cert/signers/key-store-certificate-signer.ts'
import { REQUEST_KEY, requestFor } from '../../../support/certificate-requests.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { authorityKeys, DEFAULT_RULES, signingRequest, testAuthority } from '../signing-support.ts'

const folder = temporaryFolder()
let count = 0

/** A PKCS#12 file that openssl has made. */
function keyStore(certificate: string, key: string, options: readonly string[] = []): string {
  const [certificateFile, keyFile, store] = ['cert', 'key', 'p12'].map((end) => join(folder, `${++count}.${end}`)) as [
    string,
    string,
    string,
  ]
  writeFileSync(certificateFile, certificate)
  writeFileSync(keyFile, key)
  const files = ['-in', certificateFile, '-inkey', keyFile, '-out', store]
  execFileSync('openssl', ['pkcs12', '-export', ...files, '-passout', 'pass:secret', ...options], { stdio: 'pipe' })
  return store
}

async function open(properties: Readonly<Record<string, string>>) {
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir: folder,
    files: [],
    overrides: Object.entries(properties).map(([key, value]) => [`athenz.zts.keystore_signer.${key}`, value] as const),
    env: {},
    hostname: 'zts.example.com',
  })
  return openKeyStoreCertificateSigner(config, DEFAULT_RULES)
}

const authorityStore = async (kind: string, options: readonly string[] = []) => {
  const { pem, key } = await testAuthority(authorityKeys[kind]?.())
  return { pem, store: keyStore(pem, key.export({ type: 'pkcs8', format: 'pem' }) as string, options) }
}

describe('the key store signer', () => {
  for (const kind of Object.keys(authorityKeys)) {
    it(`signs with a key of kind ${kind}`, async () => {
      const { pem, store } = await authorityStore(kind, ['-name', '1'])
      const signer = await open({ keystore_path: store, keystore_password: 'secret' })
      assert.equal(await signer.caCertificate(), pem)
      const certificate = new X509Certificate(await signer.sign(await signingRequest(requestFor('sports.api'))))
      assert.ok(certificate.verify(new X509Certificate(pem).publicKey))
      assert.ok(certificate.checkPrivateKey(REQUEST_KEY))
    })
  }

  it('finds a key by its name in any letter case, and by its number when it has none', async () => {
    const named = await authorityStore('P-256', ['-name', 'Athenz-CA'])
    const byName = { keystore_path: named.store, keystore_password: 'secret', keystore_ca_alias: 'athenz-ca' }
    assert.equal(await (await open(byName)).caCertificate(), named.pem)
    const nameless = await authorityStore('P-256')
    const byNumber = { keystore_path: nameless.store, keystore_password: 'secret' }
    assert.equal(await (await open(byNumber)).caCertificate(), nameless.pem)
  })

  it('refuses to start with what it cannot use', async () => {
    const { store } = await authorityStore('P-256', ['-name', 'other'])
    const { signer } = await testAuthority()
    const leaf = await signer.sign(await signingRequest(requestFor('a.b')))
    const notAnAuthority = keyStore(leaf, REQUEST_KEY.export({ type: 'pkcs8', format: 'pem' }) as string, [
      '-name',
      '1',
    ])
    const property = 'athenz.zts.keystore_signer.keystore_path'
    const cases: readonly [Readonly<Record<string, string>>, string][] = [
      [{}, `${property}: not set, and the key store signer needs a key store`],
      [
        { keystore_path: store, keystore_password: 'secret' },
        `${property}: ${store} cannot be used: there is no private key "1", only other`,
      ],
      [
        { keystore_path: store, keystore_password: 'wrong' },
        `${property}: ${store} cannot be used: ${store}: it is damaged, or the password is wrong`,
      ],
      [{ keystore_path: store }, `${property}: ${store} cannot be used: ${store}: its password is not configured`],
      [
        { keystore_path: notAnAuthority, keystore_password: 'secret' },
        `${property}: ${notAnAuthority} cannot be used: the certificate is not that of a CA`,
      ],
    ]
    for (const [properties, message] of cases) await assert.rejects(open(properties), { name: 'ConfigError', message })
  })
})
