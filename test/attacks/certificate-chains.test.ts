import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type CertificateIssuer, selfIssuer } from '#core/crypto/certificate.ts'
import { createSigner } from '#core/crypto/signing.ts'
import type { ClientCertificate } from '../support/client-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { AttackedServers, newKey, type ServerName } from './attacked-servers.ts'
import { clientAuthority, type IssuedParts, issued, LEAF } from './issued-certificates.ts'

/** How TLS ends a connection whose client it does not trust. */
const REFUSED = /^(ERR_SSL_|ECONNRESET|EPIPE)/

/** Certificates that our authority has issued, from which an attacker tries to issue another one. */
const MIDDLES: readonly (readonly [what: string, power: IssuedParts])[] = [
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
    authority = await clientAuthority(servers.summary)
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
    const certificate = await issued(authority, 'user.admin')
    for (const server of ['zms', 'zts'] as const) assert.equal((await ask(server, certificate)).status, 200)
  })

  for (const [what, power] of MIDDLES) {
    test(`if it is issued from ${what}`, async () => {
      const middle = await issued(authority, 'user.nobody', power)
      const { certificate, key } = await issued(middle.issuer, 'user.admin')
      await refused({ certificate: certificate + middle.certificate, key })
    })
  }

  test('if it has issued itself', async () => {
    const key = newKey()
    const issuer = selfIssuer([{ type: 'CN', value: 'user.admin' }], createSigner(key, 'own', 'certificate'))
    await refused(await issued(issuer, 'user.admin', { ...LEAF, key }))
  })

  test('if it is for servers only', async () => {
    await refused(await issued(authority, 'user.admin', { ...LEAF, extendedKeyUsage: ['serverAuth'] }))
  })

  /** Known to TLS, but nobody: what the log says is the reason. */
  const nobody = async (server: ServerName, certificate: ClientCertificate): Promise<string> => {
    const answer = await ask(server, certificate)
    assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
    return await servers.reasonOf(server, answer)
  }
  const HOLDER = { type: 'uri', value: 'athenz://principal/user.admin' } as const

  for (const [what, commonName, names, reason] of [
    ['it is that of a role, whose holder it does not name', 'sys.auth:role.admin', [], /no role principal/],
    [
      'only its URI names the administrator',
      undefined,
      [HOLDER, { type: 'uri', value: 'spiffe://user/sa/admin' }],
      /Certificate principal is empty/,
    ],
    [
      'only its e-mail address names the administrator',
      undefined,
      [{ type: 'email', value: 'user.admin@zts.athenz.cloud' }],
      /principal is empty/,
    ],
    [
      'only its DNS name names the administrator',
      'admin',
      [{ type: 'dns', value: 'user.admin' }],
      /not a valid service identity/,
    ],
    [
      'its common name has a NUL behind that of the administrator',
      'user.admin\0.example.com',
      [],
      /not a valid service identity/,
    ],
    ['its common name has a Kelvin sign', 'user.\u212a', [], /not a valid service identity/],
  ] as const) {
    test(`as that of a principal, if ${what}`, async () => {
      const certificate = await issued(authority, commonName, { ...LEAF, names })
      for (const server of ['zms', 'zts'] as const) assert.match(await nobody(server, certificate), reason)
    })
  }

  test('as that of the administrator, if the common name is that of somebody else, whatever its other names are', async () => {
    const names = [HOLDER, { type: 'email', value: 'user.admin@zts.athenz.cloud' }] as const
    const certificate = await issued(authority, 'user.nobody', { ...LEAF, names })
    const path = '/zms/v1/domain/victim/role/victim'
    const answer = await servers.ask({ server: 'zms', method: 'PUT', path, certificate, body: { name: 'victim' } })
    assert.deepEqual([answer.status, answer.message], [403, 'Forbidden'])
  })

  test('as that of the administrator, if it is for a role of the administrator: it has that role and no other', async () => {
    const certificate = await issued(authority, 'other:role.admin', { ...LEAF, names: [HOLDER] })
    const path = '/zms/v1/domain/victim/role/victim'
    const answer = await servers.ask({ server: 'zms', method: 'PUT', path, certificate, body: { name: 'victim' } })
    assert.deepEqual([answer.status, answer.message], [403, 'Forbidden'])
  })
})
