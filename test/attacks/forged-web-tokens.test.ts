import assert from 'node:assert/strict'
import { createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { p1363ToDer } from '#core/crypto/ecdsa-encoding.ts'
import { loadPrivateKey } from '#core/crypto/keys.ts'
import { serverLayout, ZTS } from '../../src/cli/server-kind.ts'
import type { ClientCertificate } from '../support/client-certificate.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { type Answer, AttackedServers, newKey } from './attacked-servers.ts'
import { clientAuthority, issued } from './issued-certificates.ts'

type Json = Readonly<Record<string, unknown>>

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A genuine access token, taken apart, and the key that it was signed with: P-256. */
interface Genuine {
  readonly text: string
  readonly header: Json
  readonly claims: Json
  readonly signature: Buffer
  readonly key: KeyObject
}

/** Another header or other claims, under the old signature. */
const changed = ({ header, claims, signature }: Genuine, more: { header?: Json; claims?: Json }): string =>
  `${part({ ...header, ...more.header })}.${part({ ...claims, ...more.claims })}.${signature.toString('base64url')}`

/** The old token with another signature. */
const resigned = ({ text }: Genuine, signature: Uint8Array): string =>
  `${text.slice(0, text.lastIndexOf('.') + 1)}${Buffer.from(signature).toString('base64url')}`

/** A token that says what it wants, signed with HMAC and the bytes of the public key. */
function hmacWith({ header, claims, key }: Genuine, bytesOf: (publicKey: KeyObject) => string | Buffer): string {
  const input = `${part({ ...header, alg: 'HS256' })}.${part(claims)}`
  return `${input}.${createHmac('sha256', bytesOf(createPublicKey(key)))
    .update(input)
    .digest('base64url')}`
}

/** A token with these claims and header, signed with some key. */
function signedBy(key: KeyObject, { header, claims }: Genuine, more: { header?: Json; claims?: Json } = {}): string {
  const input = `${part({ ...header, ...more.header })}.${part({ ...claims, ...more.claims })}`
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

const attacker = newKey()
const attackerJwk = createPublicKey(attacker).export({ format: 'jwk' })

const WRONG = 'the signature does not match'
const UNSIGNED = 'the signature is missing or not base64url'
const NO_ALGORITHM = 'the header names no algorithm'
const NO_EXPIRY = 'no time of expiry'
const refusedMember = (name: string) => `the header has ${name}, which is not supported`

/** Order of the group of P-256. */
const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')

/** The other signature that everybody can make of one: with n - s in place of s. */
function mirrored(signature: Buffer): Buffer {
  const s = BigInt(`0x${signature.subarray(32).toString('hex')}`)
  return Buffer.concat([signature.subarray(0, 32), Buffer.from((P256_ORDER - s).toString(16).padStart(64, '0'), 'hex')])
}

type Forgery = readonly [what: string, forge: (genuine: Genuine) => string, reason: string | RegExp]

/** What somebody can do without the key. */
const FORGERIES: readonly Forgery[] = [
  ...['none', 'None', 'nOnE', 'NONE', 'HS256', 'ES256K', 'EdDSA'].map(
    (alg): Forgery => [`algorithm ${alg}`, (g) => changed(g, { header: { alg } }), `algorithm ${alg} is not accepted`],
  ),
  ['algorithm none and no signature', (g) => `${part({ ...g.header, alg: 'none' })}.${part(g.claims)}.`, UNSIGNED],
  ['no signature', ({ text }) => text.slice(0, text.lastIndexOf('.') + 1), UNSIGNED],
  ['no algorithm', (g) => changed(g, { header: { alg: undefined } }), NO_ALGORITHM],
  ['an algorithm that is a list', (g) => changed(g, { header: { alg: ['ES256'] } }), NO_ALGORITHM],
  [
    'HMAC with the PEM of the public key',
    (g) => hmacWith(g, (key) => key.export({ type: 'spki', format: 'pem' })),
    'algorithm HS256 is not accepted',
  ],
  [
    'HMAC with its DER',
    (g) => hmacWith(g, (key) => key.export({ type: 'spki', format: 'der' })),
    'algorithm HS256 is not accepted',
  ],
  [
    'HMAC with its JWK',
    (g) => hmacWith(g, (key) => JSON.stringify(key.export({ format: 'jwk' }))),
    'algorithm HS256 is not accepted',
  ],
  ...['../../etc/passwd', '0\u0000', "0' OR '1'='1", '__proto__', ''].map(
    (kid): Forgery => [
      `key id ${JSON.stringify(kid)}`,
      (g) => changed(g, { header: { kid } }),
      `key ${kid} is not known`,
    ],
  ),
  [
    'a key id of 10 kB',
    (g) => changed(g, { header: { kid: 'k'.repeat(10_240) } }),
    `key ${'k'.repeat(128)}… is not known`,
  ],
  ['a key id that is a number', (g) => changed(g, { header: { kid: 1 } }), 'the key id is not a text'],
  ['no key id', (g) => signedBy(g.key, g, { header: { kid: undefined } }), 'key  is not known'],
  ['its own key as jwk', (g) => signedBy(attacker, g, { header: { jwk: attackerJwk } }), WRONG],
  ['an address of its own keys', (g) => signedBy(attacker, g, { header: { jku: 'https://127.0.0.1:1/keys' } }), WRONG],
  [
    'a certificate of its own',
    (g) => signedBy(attacker, g, { header: { x5c: ['AAAA'], x5u: 'https://127.0.0.1:1/' } }),
    WRONG,
  ],
  ['an unknown critical header', (g) => changed(g, { header: { crit: ['exp'], exp: 1 } }), refusedMember('crit')],
  ['a payload that is not encoded', (g) => changed(g, { header: { b64: false } }), refusedMember('b64')],
  ['a payload that is packed', (g) => changed(g, { header: { zip: 'DEF' } }), refusedMember('zip')],
  ['a payload that is encrypted', (g) => changed(g, { header: { enc: 'A128GCM' } }), refusedMember('enc')],
  ['five parts', ({ text }) => `${text}.AAAA.AAAA`, 'not three parts separated by periods'],
  ['two parts', ({ text }) => text.split('.').slice(0, 2).join('.'), 'not three parts separated by periods'],
  ['another subject', (g) => changed(g, { claims: { sub: 'user.x' } }), WRONG],
  ['more roles', (g) => changed(g, { claims: { scp: ['admin'], scope: 'admin' } }), WRONG],
  ['another audience', (g) => changed(g, { claims: { aud: 'other' } }), WRONG],
  ['a later expiry', (g) => changed(g, { claims: { exp: 9_999_999_999 } }), WRONG],
  ['a signature with padding', ({ text }) => `${text}=`, UNSIGNED],
  ['a signature with three bytes more', ({ text }) => `${text}AAAA`, WRONG],
  ['a signature in DER', (g) => resigned(g, p1363ToDer(g.signature)), WRONG],
  ['a signature of zeros', (g) => resigned(g, Buffer.alloc(64)), WRONG],
  [
    'a signature of the order of the group',
    (g) => resigned(g, Buffer.from(P256_ORDER.toString(16).repeat(2), 'hex')),
    WRONG,
  ],
  ['a key of somebody else', (g) => signedBy(attacker, g), WRONG],
]

const now = () => Math.floor(Date.now() / 1000)

/** What does not count although the key of the server has signed it. */
const WRONG_CLAIMS: readonly Forgery[] = [
  [
    'an issuer with a slash more',
    (g) => signedBy(g.key, g, { claims: { iss: `${String(g.claims['iss'])}/` } }),
    'the issuer is not known',
  ],
  [
    'an issuer in capitals',
    (g) => signedBy(g.key, g, { claims: { iss: String(g.claims['iss']).toUpperCase() } }),
    'the issuer is not known',
  ],
  ['two issuers', (g) => signedBy(g.key, g, { claims: { iss: [g.claims['iss'], 'x'] } }), 'the issuer is not known'],
  ['no issuer', (g) => signedBy(g.key, g, { claims: { iss: undefined } }), 'the issuer is not known'],
  ['no expiry', (g) => signedBy(g.key, g, { claims: { exp: undefined } }), NO_EXPIRY],
  ['an expiry that is a text', (g) => signedBy(g.key, g, { claims: { exp: '9999999999' } }), NO_EXPIRY],
  ['an expiry beyond exact numbers', (g) => signedBy(g.key, g, { claims: { exp: 2 ** 53 + 2 } }), NO_EXPIRY],
  ['an expiry below zero', (g) => signedBy(g.key, g, { claims: { exp: -1 } }), NO_EXPIRY],
  ['an expiry in the past', (g) => signedBy(g.key, g, { claims: { exp: 1 } }), /^expired at 1, \d+ seconds ago$/],
  [
    'an expiry just beyond what clocks may differ',
    (g) => signedBy(g.key, g, { claims: { exp: now() - 61 } }),
    /^expired at \d+, 6\d seconds ago$/,
  ],
  [
    'an expiry in the past with a part of a second',
    (g) => signedBy(g.key, g, { claims: { exp: 1.5 } }),
    /^expired at 1\.5, \d+ seconds ago$/,
  ],
  [
    'a beginning in the future',
    (g) => signedBy(g.key, g, { claims: { nbf: now() + 90 } }),
    /^valid from \d+, [89]\d seconds from now$/,
  ],
  [
    'a beginning that is a text',
    (g) => signedBy(g.key, g, { claims: { nbf: '1' } }),
    'the time of beginning is no time',
  ],
  ['another type', (g) => signedBy(g.key, g, { header: { typ: 'dpop+jwt' } }), 'type dpop+jwt'],
  [
    'a subject that is no principal',
    (g) => signedBy(g.key, g, { claims: { sub: '*' } }),
    'the subject is not the name of a principal',
  ],
]

describe('a web token that is not what it seems', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  let genuine: Genuine

  const post = (
    path: string,
    fields: Readonly<Record<string, string>>,
    certificate: ClientCertificate = servers.administrator,
  ): Promise<Answer> =>
    servers.ask({
      server: 'zts',
      method: 'POST',
      path,
      certificate,
      body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
  const exchange = (token: string): Promise<Answer> =>
    post('/zts/v1/oauth2/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      subject_token: token,
      audience: 'victim',
      scope: 'victim:role.reader',
    })
  const introspected = async (token: string): Promise<unknown> =>
    (await post('/zts/v1/oauth2/introspect', { token })).body

  /** An access token for the role that ZTS gives to whoever shows the certificate. */
  async function accessToken(certificate: ClientCertificate): Promise<string> {
    let answer: Answer | undefined
    await until(
      async () => {
        const fields = { grant_type: 'client_credentials', scope: 'victim:role.reader' }
        answer = await post('/zts/v1/oauth2/token', fields, certificate)
        return answer.status !== 403
      },
      { timeoutMillis: 30_000, what: 'that ZTS knows the role' },
    )
    assert.equal(answer?.status, 200, answer?.message)
    return String(Reflect.get(Object(answer.body), 'access_token'))
  }

  before(async () => {
    servers = await AttackedServers.start(folder, {
      'athenz.zts.introspect_support_enabled': 'true',
      'athenz.zts.oauth_issuer': 'https://athenz.io',
      'athenz.zms.authority_classes': ['Principal', 'ServiceAccessToken', 'Certificate']
        .map((name) => `com.yahoo.athenz.auth.impl.${name}Authority`)
        .join(','),
    })
    const roleMembers = [{ memberName: 'user.admin' }, { memberName: 'user.bearer' }]
    await servers.tell('PUT', '/zms/v1/domain/victim/role/reader', { name: 'reader', roleMembers })
    await servers.tell('PUT', '/zms/v1/domain/victim/policy/reader', {
      name: 'reader',
      assertions: [{ role: 'victim:role.reader', action: 'read', resource: 'victim:paper' }],
    })
    const [, claims = ''] = (await accessToken(servers.administrator)).split('.')
    // The other key of ZTS, which ZMS knows as well: with it a test can sign what ZTS never would.
    const file = join(serverLayout(ZTS, folder).keysFolder, 'zts_ec_private.pem')
    const key = loadPrivateKey(await readFile(file, 'utf8'))
    const parts = {
      header: { kid: 'ec0', typ: 'at+jwt', alg: 'ES256' },
      claims: JSON.parse(Buffer.from(claims, 'base64url').toString()) as Json,
    }
    const text = signedBy(key, { ...parts, text: '', signature: Buffer.alloc(0), key })
    genuine = { ...parts, text, signature: Buffer.from(text.split('.')[2] ?? '', 'base64url'), key }
  })
  after(() => servers?.[Symbol.asyncDispose]())

  test('would be good if it were genuine', async () => {
    assert.equal(Reflect.get(Object(await introspected(genuine.text)), 'active'), true)
    assert.doesNotMatch((await exchange(genuine.text)).message, /^Invalid subject token/)
  })

  for (const [what, forge, reason] of [...FORGERIES, ...WRONG_CLAIMS]) {
    test(`with ${what}: 400 with the reason, and not active`, async () => {
      const token = forge(genuine)
      const { status, message } = await exchange(token)
      assert.equal(status, 400)
      assert.ok(message.startsWith('Invalid subject token: '), message)
      const found = message.slice('Invalid subject token: '.length)
      if (typeof reason === 'string') assert.equal(found, reason)
      else assert.match(found, reason)
      if (!what.startsWith('a subject')) assert.deepEqual(await introspected(token), { active: false, ver: 0 })
    })
  }

  test('is the same token with the other s of its signature: nothing goes by the text of a signature', async () => {
    const other = resigned(genuine, mirrored(genuine.signature))
    assert.notEqual(other, genuine.text)
    assert.deepEqual(await introspected(other), await introspected(genuine.text))
  })

  for (const [what, aud] of [
    ['no audience', undefined],
    ['two audiences', ['victim', 'other']],
    ['an audience that is a number', 1],
  ] as const) {
    test(`with ${what}: it is for no domain`, async () => {
      const token = signedBy(genuine.key, genuine, { claims: { aud } })
      const { status, message } = await exchange(token)
      assert.deepEqual([status, message], [404, 'No such source domain: '])
      assert.deepEqual(await introspected(token), { active: false, ver: 0 })
    })
  }

  describe('bound to the certificate of its client, at ZMS', () => {
    let holder: ClientCertificate
    let token: string
    before(async () => {
      holder = await issued(await clientAuthority(servers.summary), 'user.bearer')
      token = await accessToken(holder)
      // From now on only the token has the role.
      await servers.tell('DELETE', '/zms/v1/domain/victim/role/reader/member/user.bearer', {})
    })

    const ask = (certificate?: ClientCertificate, headers: Readonly<Record<string, string>> = {}): Promise<Answer> =>
      servers.ask({
        server: 'zms',
        path: '/zms/v1/access/read/victim:paper',
        headers: { authorization: `Bearer ${token}`, ...headers },
        ...(certificate && { certificate }),
      })
    const BOUND = /invalid token of user\.bearer: it is bound to a certificate that the client has not shown/

    test('is good with that certificate', async () => {
      const { status, body } = await ask(holder)
      assert.deepEqual([status, body], [200, { granted: true }])
    })

    for (const [what, commonName] of [
      ['with a renewed certificate of the same name', 'user.bearer'],
      ['with the certificate of somebody else', 'user.nobody'],
    ] as const) {
      test(`is worth nothing ${what}, which counts for itself`, async () => {
        const { status, body } = await ask(await issued(await clientAuthority(servers.summary), commonName))
        assert.deepEqual([status, body], [200, { granted: false }])
      })
    }

    test('is refused without a certificate, also if headers name the right one', async () => {
      const pem = encodeURIComponent(holder.certificate)
      const named = [['x-forwarded-client-cert', `Cert="${pem}"`] as const, ['x-ssl-client-cert', pem] as const]
      for (const headers of [[], ...named.map((header) => [header])]) {
        const answer = await ask(undefined, Object.fromEntries(headers))
        assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
        assert.match(await servers.reasonOf('zms', answer), BOUND)
      }
    })

    test('is refused through a proxy, which shows its own certificate', async () => {
      const answer = await ask(await issued(await clientAuthority(servers.summary), 'proxy'))
      assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
      assert.match(await servers.reasonOf('zms', answer), BOUND)
    })

    for (const [what, cnf] of [
      ['another certificate', { 'x5t#S256': Buffer.alloc(32).toString('base64url') }],
      ['a hash of another kind', { x5t: 'AAAA' }],
      ['a key', { jwk: attackerJwk }],
      ['nothing in particular', {}],
      ['a text', 'x5t#S256'],
      ['a list', []],
    ] as const) {
      test(`is refused when ${what} is what it is bound to, although ZTS has signed it`, async () => {
        const other = signedBy(genuine.key, genuine, { claims: { sub: 'user.bearer', cnf } })
        const proxy = await issued(await clientAuthority(servers.summary), 'proxy')
        const answer = await ask(proxy, { authorization: `Bearer ${other}` })
        assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
        assert.match(await servers.reasonOf('zms', answer), BOUND)
      })
    }

    for (const [what, claims, reason] of [
      ['no audience', { aud: undefined }, /invalid token: it names no audience/],
      ['no issuer', { iss: undefined }, /invalid token: it names no issuer/],
      ['an issuer with a slash more', { iss: 'https://athenz.io/' }, /the issuer is neither ZTS nor the subject/],
      ['an audience that is no domain', { aud: '*' }, /the audience is no domain/],
      ['no roles', { scp: undefined, scope: undefined }, /it gives no roles/],
      ['an expiry in the past', { exp: 1 }, /expired at 1/],
    ] as const) {
      test(`is refused with ${what}, although ZTS has signed it`, async () => {
        const proxy = await issued(await clientAuthority(servers.summary), 'proxy')
        const other = signedBy(genuine.key, genuine, { claims: { ...claims, cnf: undefined } })
        const answer = await ask(proxy, { authorization: `Bearer ${other}` })
        assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
        assert.match(await servers.reasonOf('zms', answer), reason)
      })
    }

    test('is refused when it is an id token in place of an access token', async () => {
      const proxy = await issued(await clientAuthority(servers.summary), 'proxy')
      const other = signedBy(genuine.key, genuine, { header: { typ: 'jwt' }, claims: { cnf: undefined } })
      const answer = await ask(proxy, { authorization: `Bearer ${other}` })
      assert.deepEqual([answer.status, answer.message], [401, 'Invalid credentials'])
      assert.match(await servers.reasonOf('zms', answer), /invalid token of user\.admin: type jwt/)
    })
  })
})
