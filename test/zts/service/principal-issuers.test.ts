import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ConfigError } from '#core/config/config-error.ts'
import { loadServerConfig } from '#core/config/server-config.ts'
import { CertificateBinding } from '#zts/service/certificate-binding.ts'
import { loadPrincipalIssuers, PrincipalIssuers } from '#zts/service/principal-issuers.ts'
import { TestCa } from '../../core/authority/support.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { principalOf } from './harness.ts'

const certificate = (await (await TestCa.create()).peer('sports.api')).leaf
const caller = principalOf('sports.api', { x509Certificate: certificate })

describe('PrincipalIssuers', () => {
  it('asks once for each certificate, also when there is no issuer', () => {
    let asked = 0
    const issuers = new PrincipalIssuers({ identityOf: () => void asked++ })
    assert.equal(issuers.issuerOf(caller), undefined)
    assert.equal(issuers.issuerOf(principalOf('media.ui', { x509Certificate: certificate })), undefined)
    assert.equal(asked, 1)
  })

  it('knows nobody without a certificate, or without a file', () => {
    assert.equal(new PrincipalIssuers({ identityOf: () => 'x' }).issuerOf(principalOf('sports.api')), undefined)
    assert.equal(new PrincipalIssuers().issuerOf(caller), undefined)
  })
})

describe('loadPrincipalIssuers', () => {
  const load = async (file?: string) => {
    const key = 'athenz.zts.principal_identity_issuer_map_fname'
    const overrides = file === undefined ? [] : [[key, file] as const]
    const options = { server: 'zts', rootDir: '/x', files: [], overrides, env: {}, hostname: 'h' } as const
    return loadPrincipalIssuers((await loadServerConfig(options)).config)
  }

  it('reads the file of issuers', async () => {
    const file = join(temporaryFolder(), 'issuers.json')
    const entry = { 'issuer-cert-dn': ['CN=Test CA'], 'issuer-identity': 'test', 'issuer-signer-key': ['k'] }
    await writeFile(file, JSON.stringify({ 'issuer-identities': [entry] }))
    assert.equal((await load(file)).issuerOf(caller), 'test')
    await writeFile(file, JSON.stringify({ 'default-issuer-identity': 'any' }))
    assert.equal((await load(file)).issuerOf(caller), 'any')
    assert.equal((await load()).issuerOf(caller), undefined)
  })

  it('refuses a file that is none', async () => {
    await assert.rejects(load('/nonexistent/issuers.json'), (error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /principal_identity_issuer_map_fname: .*ENOENT/)
      return true
    })
  })
})

describe('CertificateBinding', () => {
  it('computes a thumbprint once for each certificate', () => {
    const binding = new CertificateBinding()
    const { raw } = certificate
    let read = 0
    const counted = Object.create(certificate, { raw: { get: () => (read++, raw) } }) as typeof certificate
    const first = binding.confirmationOf(principalOf('sports.api', { x509Certificate: counted }), undefined)
    assert.deepEqual(binding.confirmationOf(principalOf('a.b', { x509Certificate: counted }), undefined), first)
    assert.equal(read, 1)
  })
})
