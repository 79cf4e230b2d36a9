import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { buildCertificate, type CertificateIssuer, issuerOf, selfIssuer } from '#core/crypto/certificate.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { createSigner } from '#core/crypto/signing.ts'
import type { ClientCertificate } from '../support/client-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { AttackedServers, newKey, type ServerName } from './attacked-servers.ts'

const DAY_MILLIS = 86_400_000
/** How TLS ends a connection whose client it does not trust. */
const REFUSED = /^(ERR_SSL_|ECONNRESET|EPIPE)/

type Power = Pick<Parameters<typeof buildCertificate>[0], 'ca' | 'keyUsage' | 'extendedKeyUsage'>

/** A certificate with its key, and what it issues with that key, whether it may or not. */
async function issued(issuer: CertificateIssuer, commonName: string, power: Power) {
  const key = newKey()
  const signer = createSigner(key, commonName, 'certificate')
  const subject = [{ type: 'CN', value: commonName }] as const
  const pem = await buildCertificate({
    subject,
    publicKey: signer.publicKey,
    issuer,
    notBefore: new Date(Date.now() - DAY_MILLIS),
    notAfter: new Date(Date.now() + DAY_MILLIS),
    ...power,
  })
  return { pem, key: key.export({ type: 'pkcs8', format: 'pem' }) as string, issuer: selfIssuer(subject, signer) }
}

const LEAF: Power = { ca: false, keyUsage: ['digitalSignature'], extendedKeyUsage: ['clientAuth'] }

/** Certificates that our authority has issued, from which an attacker tries to issue another one. */
const MIDDLES: readonly (readonly [what: string, power: Power])[] = [
  ['that of a client', LEAF],
  ['one that does not say whether it is of an authority', { keyUsage: ['digitalSignature', 'keyCertSign'] }],
  ['one of an authority below one that may have none', { ca: {}, keyUsage: ['keyCertSign'] }],
]

describe('a certificate of the administrator is refused', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  let authority: CertificateIssuer
  before(async () => {
    servers = await AttackedServers.start(folder)
    const { clientCa, clientCaKey } = servers.summary
    const key = loadPrivateKey(await readFile(clientCaKey, 'utf8'), { use: 'certificate' })
    authority = issuerOf(new X509Certificate(await readFile(clientCa)), createSigner(key, 'ca', 'certificate'))
  })
  after(() => servers?.[Symbol.asyncDispose]())

  const ask = (server: ServerName, certificate: ClientCertificate) =>
    servers.ask({ server, path: `/${server}/v1/${server === 'zms' ? 'domain' : 'role/cert'}`, certificate })
  const refused = async (certificate: ClientCertificate): Promise<void> => {
    for (const server of ['zms', 'zts'] as const) {
      await assert.rejects(ask(server, certificate), (error: NodeJS.ErrnoException) => REFUSED.test(error.code ?? ''))
    }
  }

  test('not if our authority has issued it', async () => {
    const { pem, key } = await issued(authority, 'user.admin', LEAF)
    for (const server of ['zms', 'zts'] as const) {
      assert.equal((await ask(server, { certificate: pem, key })).status, 200)
    }
  })

  for (const [what, power] of MIDDLES) {
    test(`if it is issued from ${what}`, async () => {
      const middle = await issued(authority, 'user.nobody', power)
      const { pem, key } = await issued(middle.issuer, 'user.admin', LEAF)
      await refused({ certificate: pem + middle.pem, key })
    })
  }

  test('if it has issued itself', async () => {
    const key = newKey()
    const issuer = selfIssuer([{ type: 'CN', value: 'user.admin' }], createSigner(key, 'own', 'certificate'))
    const { pem, key: ownKey } = await issued(issuer, 'user.admin', LEAF)
    await refused({ certificate: pem, key: ownKey })
  })

  test('if it is for servers only', async () => {
    const { pem, key } = await issued(authority, 'user.admin', { ...LEAF, extendedKeyUsage: ['serverAuth'] })
    await refused({ certificate: pem, key })
  })

  test('as that of a service, if it is that of a role', async () => {
    const { pem, key } = await issued(authority, 'sys.auth:role.admin', LEAF)
    const answer = await servers.ask({
      server: 'zms',
      method: 'PUT',
      path: '/zms/v1/domain/victim/role/victim',
      certificate: { certificate: pem, key },
      body: { name: 'victim' },
    })
    assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
  })
})
