import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadServerConfig } from '#core/config/server-config.ts'
import { authorityCertificateFile, openSelfCertificateSigner } from '#zts/cert/signers/self-certificate-signer.ts'
import { requestFor } from '../../../support/certificate-requests.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { authorityKeys, DEFAULT_RULES, signingRequest } from '../signing-support.ts'

interface Opened {
  readonly file?: string
  readonly properties?: Readonly<Record<string, string>>
  readonly now?: () => number
}

const folder = temporaryFolder()
let count = 0
function keyFile(
  key: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  passphrase?: string,
): string {
  const directory = join(folder, String(++count))
  mkdirSync(directory)
  const file = join(directory, 'ca.pem')
  const cipher = passphrase === undefined ? {} : { cipher: 'aes-256-cbc', passphrase }
  writeFileSync(file, key.export({ type: 'pkcs8', format: 'pem', ...cipher }))
  return file
}

async function open({ file, properties = {}, now = Date.now }: Opened) {
  const lines: string[] = []
  const settings = { ...(file !== undefined && { self_signer_private_key_fname: file }), ...properties }
  const { config } = await loadServerConfig({
    server: 'zts',
    rootDir: folder,
    files: [],
    overrides: Object.entries(settings).map(([key, value]) => [`athenz.zts.${key}`, value] as const),
    env: {},
    hostname: 'zts.example.com',
  })
  const signer = await openSelfCertificateSigner({
    config,
    rules: { ...DEFAULT_RULES, now },
    log: (level, message) => lines.push(`${level} ${message}`),
  })
  return { signer, lines, pem: await signer.caCertificate() }
}

describe('the self signer', () => {
  for (const [kind, newKey] of Object.entries(authorityKeys)) {
    it(`makes an authority of a key of kind ${kind} that openssl accepts`, async () => {
      const file = keyFile(newKey())
      const { signer, pem } = await open({ file })
      const leaf = join(folder, `leaf-${count}.pem`)
      writeFileSync(leaf, await signer.sign(await signingRequest(requestFor('sports.api'))))
      const certificate = authorityCertificateFile(file)
      assert.equal(readFileSync(certificate, 'utf8'), pem)
      const verified = execFileSync('openssl', ['verify', '-x509_strict', '-CAfile', certificate, leaf], {
        encoding: 'utf8',
      })
      assert.match(verified, /: OK\n$/)
      const authority = new X509Certificate(pem)
      assert.equal(authority.subject, 'C=US\nO=Athenz\nCN=Self Signed Athenz CA')
      assert.ok(authority.ca)
    })
  }

  it('keeps its certificate across restarts', async () => {
    const file = keyFile()
    const first = await open({ file })
    const later = await open({ file, now: () => Date.now() + 365 * 86_400_000 })
    assert.equal(later.pem, first.pem)
    assert.deepEqual(readdirSync(join(file, '..')).sort(), ['ca.pem', 'ca.pem.certificate.pem'])
  })

  it('has one certificate, however many processes start at once', async () => {
    const file = keyFile()
    const opened = await Promise.all(Array.from({ length: 8 }, () => open({ file })))
    assert.equal(new Set(opened.map(({ pem }) => pem)).size, 1)
    assert.equal(readFileSync(authorityCertificateFile(file), 'utf8'), opened[0]?.pem)
  })

  for (const [what, damage] of [
    ['damaged', async () => 'junk'],
    ['that of another key', async () => (await open({ file: keyFile() })).pem],
  ] as const) {
    it(`makes another certificate when the one it kept is ${what}`, async () => {
      const file = keyFile()
      const { pem } = await open({ file })
      writeFileSync(authorityCertificateFile(file), await damage())
      const again = await open({ file })
      assert.notEqual(again.pem, pem)
      assert.deepEqual(again.lines, [])
      assert.equal(readFileSync(authorityCertificateFile(file), 'utf8'), again.pem)
    })
  }
  it('takes another name, and then another certificate', async () => {
    const file = keyFile()
    await open({ file })
    const { pem } = await open({ file, properties: { self_signer_cert_dn: 'CN=Ünser\\, CA,OU=x' } })
    assert.equal(new X509Certificate(pem).subject, 'OU=x\nCN=Ünser\\, CA')
  })

  it('makes another certificate before the old one ends', async () => {
    const file = keyFile()
    const { pem } = await open({ file })
    const late = new X509Certificate(pem).validToDate.getTime() - 86_400_000
    assert.notEqual((await open({ file, now: () => late })).pem, pem)
  })

  it('works with an encrypted key', async () => {
    const file = keyFile(undefined, 'secret')
    const { pem } = await open({ file, properties: { self_signer_private_key_password: 'secret' } })
    assert.ok(new X509Certificate(pem).ca)
  })

  it('goes on without the file when it cannot be written, and says so', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root may write everywhere')
    const file = keyFile()
    chmodSync(join(file, '..'), 0o500)
    const { pem, lines } = await open({ file })
    chmodSync(join(file, '..'), 0o700)
    assert.ok(new X509Certificate(pem).ca)
    assert.match(lines.join(), /^warn the certificate of the authority cannot be kept in .*: EACCES/)
    assert.equal(existsSync(authorityCertificateFile(file)), false)
  })

  const refused: readonly [string, () => Opened, RegExp][] = [
    ['no key', () => ({}), /^athenz\.zts\.self_signer_private_key_fname: not set/],
    [
      'a key that is not there',
      () => ({ file: join(folder, 'absent.pem') }),
      /absent\.pem cannot be used: ENOENT.* makes one\)$/,
    ],
    [
      'a wrong password',
      () => ({ file: keyFile(undefined, 'secret'), properties: { self_signer_private_key_password: 'x' } }),
      /the private key does not parse/,
    ],
    [
      'a weak key',
      () => ({ file: keyFile(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey) }),
      /modulus of 1024 bits is too short/,
    ],
    [
      'a name that is none',
      () => ({ file: keyFile(), properties: { self_signer_cert_dn: 'Athenz' } }),
      /self_signer_cert_dn: "Athenz" is no name/,
    ],
    [
      'an attribute that nobody knows',
      () => ({ file: keyFile(), properties: { self_signer_cert_dn: 'CN=a,X=b' } }),
      /X is not among the known attributes/,
    ],
  ]
  for (const [what, options, reason] of refused) {
    it(`refuses to start with ${what}`, async () => {
      await assert.rejects(open(options()), { name: 'ConfigError', message: reason })
    })
  }
})
