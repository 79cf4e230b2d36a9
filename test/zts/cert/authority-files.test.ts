import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { AuthorityTexts } from '#zts/cert/authority-texts.ts'
import { CaBundles } from '#zts/cert/ca-bundles.ts'
import { CertificateIssuer } from '#zts/cert/certificate-issuer.ts'
import type { CertificateSigner } from '#zts/cert/certificate-signer.ts'
import { requestFor } from '../../support/certificate-requests.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { signingRequest, testAuthority } from './signing-support.ts'

const folder = temporaryFolder()
const fileOf = (name: string, content: string): string => {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}
const texts = (all: string | undefined, ...byKeyId: readonly string[]) =>
  AuthorityTexts.read({ properties: { all: 'p.all', byKeyId: 'p.keys' }, all, byKeyId, rootDirectory: folder })
const request = await signingRequest(requestFor('a.b'))

describe('AuthorityTexts', () => {
  it('has a text by signing key, and one for all others', async () => {
    const all = fileOf('all.pem', 'all')
    fileOf('aws.pem', 'aws')
    const read = await texts(all, 'aws:aws.pem')
    assert.deepEqual([read.of('aws'), read.of('other'), read.of(undefined)], ['aws', 'all', 'all'])
    assert.equal((await texts(undefined)).of('aws'), undefined)
  })

  it('refuses files that cannot be read, and entries that name none', async () => {
    await assert.rejects(texts(join(folder, 'absent')), {
      message: `p.all: ${join(folder, 'absent')} cannot be used: no such file`,
    })
    for (const entry of ['aws', 'aws:', ':x']) {
      await assert.rejects(texts(undefined, entry), {
        name: 'ConfigError',
        message: `p.keys: "${entry}" does not name a key and a file (write KEY:FILE)`,
      })
    }
  })
})

describe('CertificateIssuer', () => {
  const issuerOf = async (signer: Partial<CertificateSigner>, all?: string) => {
    const lines: string[] = []
    const parts = { maxExpiryMins: 5, sign: async () => 'pem', caCertificate: async () => 'ca', ...signer }
    const log = (level: string, message: string) => lines.push(`${level} ${message}`)
    return { issuer: new CertificateIssuer({ signer: parts, authorityTexts: await texts(all), log }), lines }
  }

  it('gives what the signer makes, and its longest life', async () => {
    const { issuer } = await issuerOf({})
    assert.equal(await issuer.issue(request), 'pem')
    assert.equal(issuer.maxExpiryMins, 5)
  })

  it('keeps to itself why a signer fails', async () => {
    const sign = async () => {
      throw new Error('secret address')
    }
    const { issuer } = await issuerOf({ sign })
    await assert.rejects(issuer.issue(request), {
      status: 500,
      message: 'unable to generate identity',
      detail: 'secret address',
    })
    await assert.rejects(issuer.issue(request, 'Unable to sign'), { message: 'Unable to sign' })
  })

  it('gives the text of the file, or else what the signer tells, or nothing', async () => {
    assert.equal(await (await issuerOf({})).issuer.caCertificate(undefined, undefined), 'ca')
    assert.equal(await (await issuerOf({}, fileOf('own.pem', 'own'))).issuer.caCertificate(undefined, undefined), 'own')
    const failing = await issuerOf({ caCertificate: () => Promise.reject(new Error('away')) })
    assert.equal(await failing.issuer.caCertificate(undefined, undefined), undefined)
    assert.deepEqual(failing.lines, ['error certificates of the authority are not known: away'])
  })
})

describe('CaBundles', () => {
  const bundles = (content: unknown) =>
    CaBundles.read(fileOf('bundles.json', typeof content === 'string' ? content : JSON.stringify(content)), folder)

  it('has none without a file', async () => {
    assert.equal((await CaBundles.read(undefined, folder)).get('athenz'), undefined)
  })

  it('keeps of X.509 bundles the certificates only, and others as they are', async () => {
    const [{ pem: first }, { pem: second }] = await Promise.all([testAuthority(), testAuthority()])
    fileOf('two.pem', `# first\n${first}\nsome text\n${second}\n`)
    fileOf('ssh.pub', 'ssh-ed25519 AAAA\n')
    const read = await bundles({
      certBundles: [
        { name: 'Athenz', type: 'x509', filename: 'two.pem' },
        { name: 'ssh', filename: 'ssh.pub' },
      ],
    })
    assert.equal(read.get('athenz'), first + second)
    assert.equal(read.get('ssh'), 'ssh-ed25519 AAAA\n')
    assert.equal(read.get('constructor'), undefined)
  })

  for (const [what, content, reason] of [
    ['no JSON', 'junk', /bundles\.json cannot be used: .*is not valid JSON/],
    ['no bundle', { certBundles: [] }, /certBundles/],
    ['a bundle without a file', { certBundles: [{ name: 'a' }] }, /filename/],
    [
      'a file that is not there',
      { certBundles: [{ name: 'a', filename: 'absent' }] },
      /absent cannot be used: no such file$/,
    ],
    [
      'a bundle without certificates',
      { certBundles: [{ name: 'a', type: 'X509', filename: 'ssh.pub' }] },
      /there is no certificate$/,
    ],
  ] as const) {
    it(`refuses to start with ${what}`, async () => {
      fileOf('ssh.pub', 'ssh-ed25519 AAAA\n')
      await assert.rejects(bundles(content), { name: 'ConfigError', message: reason })
    })
  }
})
