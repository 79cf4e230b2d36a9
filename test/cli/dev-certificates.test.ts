import assert from 'node:assert/strict'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { buildCertificate, selfIssuer } from '#core/crypto/certificate.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { CA_FILES, ensureCa, ensureCertificate, ensureSigningKey } from '../../src/cli/dev-certificates.ts'
import { DevFolder } from '../../src/cli/dev-folder.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const DAY_MILLIS = 86_400_000
const FILES = { certificate: 'x/leaf.pem', key: 'x/leaf.key' }
const LEAF = { commonName: 'sys.auth.zms', use: 'server', files: FILES } as const

const openFolder = () => DevFolder.open(temporaryFolder())
const text = (folder: DevFolder, file: string) => readFileSync(folder.file(file), 'utf8')
const newKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })

describe('ensureCa', () => {
  test('makes a CA once', async () => {
    const folder = await openFolder()
    const first = await ensureCa(folder)
    const second = await ensureCa(folder)
    assert.equal(second.pem, first.pem)
    assert.ok(first.certificate.ca)
    assert.ok(first.certificate.validToDate.getTime() > Date.now() + 3600 * DAY_MILLIS)
  })

  for (const [what, damage] of [
    ['its key is lost', (folder: DevFolder) => writeFileSync(folder.file(CA_FILES.key), '')],
    ['its certificate is damaged', (folder: DevFolder) => writeFileSync(folder.file(CA_FILES.certificate), 'x')],
    [
      'the key is another one',
      (folder: DevFolder) => {
        const { privateKey } = newKey()
        writeFileSync(folder.file(CA_FILES.key), privateKey.export({ type: 'pkcs8', format: 'pem' }))
      },
    ],
  ] as const) {
    test(`makes a new one when ${what}, and certificates of the old one are replaced`, async () => {
      const folder = await openFolder()
      const old = await ensureCa(folder)
      await ensureCertificate(folder, old, LEAF)
      damage(folder)
      const replaced = await ensureCa(folder)
      assert.notEqual(replaced.pem, old.pem)
      await ensureCertificate(folder, replaced, LEAF)
      const leaf = new X509Certificate(text(folder, FILES.certificate))
      assert.ok(leaf.verify(replaced.certificate.publicKey))
    })
  }

  test('makes a new one when it is about to expire', async () => {
    const folder = await openFolder()
    const { privateKey, publicKey } = newKey()
    const subject = [{ type: 'CN', value: 'short' }] as const
    const pem = await buildCertificate({
      subject,
      publicKey,
      issuer: selfIssuer(subject, createSigner(privateKey, 'ca', 'certificate')),
      notBefore: new Date(),
      notAfter: new Date(Date.now() + 29 * DAY_MILLIS),
      ca: {},
    })
    await folder.write(CA_FILES.certificate, pem)
    await folder.write(CA_FILES.key, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
    assert.notEqual((await ensureCa(folder)).pem, pem)
  })
})

describe('ensureCertificate', () => {
  test('leaves a good certificate alone', async () => {
    const folder = await openFolder()
    const ca = await ensureCa(folder)
    await ensureCertificate(folder, ca, LEAF)
    const before = text(folder, FILES.certificate)
    await ensureCertificate(folder, ca, LEAF)
    assert.equal(text(folder, FILES.certificate), before)
  })

  test('replaces a server certificate without the names of this machine', async () => {
    const folder = await openFolder()
    const ca = await ensureCa(folder)
    await ensureCertificate(folder, ca, { ...LEAF, use: 'client' })
    assert.equal(new X509Certificate(text(folder, FILES.certificate)).subjectAltName, undefined)
    await ensureCertificate(folder, ca, LEAF)
    const leaf = new X509Certificate(text(folder, FILES.certificate))
    assert.equal(leaf.checkHost('localhost'), 'localhost')
    assert.equal(leaf.checkIP('::1'), '::1')
  })
})

describe('ensureSigningKey', () => {
  test('makes a key once', async () => {
    const folder = await openFolder()
    await ensureSigningKey(folder, 'ec', 'keys/a.pem')
    const before = text(folder, 'keys/a.pem')
    await ensureSigningKey(folder, 'ec', 'keys/a.pem')
    assert.equal(text(folder, 'keys/a.pem'), before)
    assert.match(before, /^-----BEGIN PRIVATE KEY-----\n/)
  })
})
