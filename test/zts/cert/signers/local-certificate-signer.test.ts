import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import { LocalCertificateSigner } from '#zts/cert/signers/local-certificate-signer.ts'
import { requestFor } from '../../../support/certificate-requests.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { authorityKeys, DEFAULT_RULES, signingRequest, testAuthority } from '../signing-support.ts'

const NAMES = [
  'DNS:api.sports.athenz.cloud',
  'IP:10.1.2.3',
  'IP:2001:db8::1',
  'URI:spiffe://sports/sa/api',
  'email:sports.api@athenz.cloud',
]

const folder = temporaryFolder()
let files = 0
function file(content: string): string {
  const path = join(folder, `${++files}.pem`)
  writeFileSync(path, content)
  return path
}
const openssl = (...options: readonly string[]): string => execFileSync('openssl', options, { encoding: 'utf8' })

const minutesOf = (pem: string): number => {
  const { validFromDate, validToDate } = new X509Certificate(pem)
  return (validToDate.getTime() - validFromDate.getTime()) / 60_000
}

describe('a certificate of a local authority', () => {
  const algorithms: Readonly<Record<string, string>> = { RSA: 'sha256WithRSAEncryption' }
  for (const [kind, newKey] of Object.entries(authorityKeys)) {
    it(`with a key of kind ${kind} is good for openssl, as server and as client`, async () => {
      const { pem, signer } = await testAuthority(newKey())
      for (const key of [
        generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
        generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
      ]) {
        const certificate = await signer.sign(await signingRequest(requestFor('sports.api', NAMES, { key })))
        const [caFile, leafFile] = [file(pem), file(certificate)]
        for (const purpose of ['sslserver', 'sslclient']) {
          const options = ['-x509_strict', '-purpose', purpose, '-CAfile', caFile, leafFile]
          assert.match(openssl('verify', ...options), /: OK\n$/)
        }
        assert.ok(openssl('x509', '-in', leafFile, '-noout', '-text').includes(algorithms[kind] ?? 'ecdsa-with-SHA256'))
        assert.ok(new X509Certificate(certificate).checkPrivateKey(key))
      }
    })
  }

  it('has exactly these fields', async () => {
    const { signer } = await testAuthority()
    const certificate = await signer.sign(await signingRequest(requestFor('sports.api', NAMES)))
    const text = openssl(
      'x509',
      '-in',
      file(certificate),
      '-noout',
      '-text',
      '-certopt',
      'no_pubkey,no_sigdump,no_serial,no_validity',
    )
    assert.deepEqual(
      text
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '' && !/^([0-9A-F]{2}:)+[0-9A-F]{2}$/.test(line)),
      [
        'Certificate:',
        'Data:',
        'Version: 3 (0x2)',
        'Signature Algorithm: ecdsa-with-SHA256',
        'Issuer: C = US, O = Athenz, CN = Test CA',
        'Subject: O = Athenz, CN = sports.api',
        'X509v3 extensions:',
        'X509v3 Basic Constraints:',
        'CA:FALSE',
        'X509v3 Key Usage: critical',
        'Digital Signature, Key Encipherment',
        'X509v3 Extended Key Usage:',
        'TLS Web Client Authentication, TLS Web Server Authentication',
        'X509v3 Subject Alternative Name:',
        'DNS:api.sports.athenz.cloud, IP Address:10.1.2.3, IP Address:2001:DB8:0:0:0:0:0:1, URI:spiffe://sports/sa/api, email:sports.api@athenz.cloud',
        'X509v3 Authority Key Identifier:',
      ],
    )
  })

  it('keeps the bytes of the subject, however they are encoded', async () => {
    const { signer } = await testAuthority()
    const subject = [
      { type: 'O', value: 'Athenz Tëst' },
      { type: 'CN', value: 'sports.api', encoding: 'printable' },
    ] as const
    const request = await signingRequest(requestFor(undefined, [], { subject }))
    const certificate = new X509Certificate(await signer.sign(request))
    assert.ok(certificate.raw.includes(request.request.subjectDer))
    assert.equal(certificate.subject, 'O=Athenz Tëst\nCN=sports.api')
  })

  it('marks the names as critical when there is no subject', async () => {
    const { pem, signer } = await testAuthority()
    const request = await signingRequest(requestFor(undefined, ['URI:spiffe://sports/sa/api'], { subject: [] }))
    const [caFile, leafFile] = [file(pem), file(await signer.sign(request))]
    assert.match(openssl('x509', '-in', leafFile, '-noout', '-ext', 'subjectAltName'), /critical/)
    assert.match(openssl('verify', '-x509_strict', '-CAfile', caFile, leafFile), /: OK\n$/)
  })

  it('leaves out and weakens what the settings say', async () => {
    const { signer } = await testAuthority(undefined, { keyUsageCritical: false, authorityKeyIdentifier: false })
    const certificate = await signer.sign(await signingRequest(requestFor('sports.api')))
    const text = openssl('x509', '-in', file(certificate), '-noout', '-text')
    assert.doesNotMatch(text, /critical|Authority Key Identifier/)
  })

  it('has a random serial number of 20 bytes', async () => {
    const { signer } = await testAuthority()
    const request = await signingRequest(requestFor('sports.api'))
    const serials = await Promise.all(
      Array.from({ length: 20 }, async () => new X509Certificate(await signer.sign(request)).serialNumber),
    )
    assert.equal(new Set(serials).size, 20)
    for (const serial of serials) assert.match(serial, /^[4-7][0-9A-F]{39}$/)
  })

  for (const [asked, given] of [
    [60, 60],
    [43_199, 43_199],
    [43_200, 43_200],
    [43_201, 43_200],
    [0, 43_200],
    [-5, 43_200],
  ] as const) {
    it(`lives for ${given} minutes when ${asked} are asked for`, async () => {
      const { signer } = await testAuthority()
      assert.equal(minutesOf(await signer.sign(await signingRequest(requestFor('a.b'), { expiryMins: asked }))), given)
    })
  }

  it('begins now, at the whole second', async () => {
    const { signer } = await testAuthority(undefined, { now: () => Date.parse('2026-05-06T07:08:09.876Z') })
    const certificate = new X509Certificate(await signer.sign(await signingRequest(requestFor('a.b'))))
    assert.equal(certificate.validFromDate.toISOString(), '2026-05-06T07:08:09.000Z')
  })

  it('has the same usages whatever is asked for', async () => {
    const { signer } = await testAuthority()
    for (const usage of ['client', 'server', 'codeSigning', 'timestamping', undefined] as const) {
      const certificate = new X509Certificate(await signer.sign(await signingRequest(requestFor('a.b'), { usage })))
      assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'])
    }
  })
})

describe('LocalCertificateSigner', () => {
  it('tells the certificate of its authority, whoever asks', async () => {
    const { pem, signer } = await testAuthority()
    assert.equal(await signer.caCertificate(), pem)
    assert.equal(signer.maxExpiryMins, 43_200)
  })

  it('refuses the key of somebody else, and a certificate that is not that of a CA', async () => {
    const { pem, signer } = await testAuthority()
    const other = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'ca', 'certificate')
    assert.throws(() => new LocalCertificateSigner(new X509Certificate(pem), other, DEFAULT_RULES), /does not fit/)
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const leaf = new X509Certificate(await signer.sign(await signingRequest(requestFor('a.b', [], { key }))))
    const leafSigner = createSigner(key, 'ca', 'certificate')
    assert.throws(() => new LocalCertificateSigner(leaf, leafSigner, DEFAULT_RULES), /not that of a CA/)
  })
})
