import assert from 'node:assert/strict'
import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { p1363ToDer } from '#core/crypto/ecdsa-encoding.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type Answer, AttackedServers, newKey } from './attacked-servers.ts'

type Json = Readonly<Record<string, unknown>>

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A genuine access token, taken apart, and the key that it was signed with. */
interface Genuine {
  readonly text: string
  readonly header: Json
  readonly claims: Json
  readonly signature: string
  readonly publicKey: KeyObject
}

const withHeader = ({ header, claims, signature }: Genuine, more: Json): string =>
  `${part({ ...header, ...more })}.${part(claims)}.${signature}`

/** A token that says what it wants, signed with HMAC and the bytes of the public key. */
function hmacWith(genuine: Genuine, bytes: string | Buffer): string {
  const input = `${part({ ...genuine.header, alg: 'HS256' })}.${part(genuine.claims)}`
  return `${input}.${createHmac('sha256', bytes).update(input).digest('base64url')}`
}

/** A token with these claims and header, signed by somebody else. */
function signedBy(key: KeyObject, genuine: Genuine, alg: string, header: Json = {}): string {
  const input = `${part({ ...genuine.header, alg, ...header })}.${part(genuine.claims)}`
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

const attacker = newKey()
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
const attackerJwk = createPublicKey(attacker).export({ format: 'jwk' })

const NOT_ACCEPTED = /algorithm "?[\w]*"? is not accepted/
const WRONG = /signature/
const MALFORMED = /header|three parts|base64|period|crit|b64/i

const FORGERIES: readonly (readonly [what: string, forge: (genuine: Genuine) => string, reason: RegExp])[] = [
  ...['none', 'None', 'nOnE', 'NONE'].map(
    (alg) => [`algorithm ${alg}`, (genuine: Genuine) => withHeader(genuine, { alg }), NOT_ACCEPTED] as const,
  ),
  ['no signature', ({ text }) => text.slice(0, text.lastIndexOf('.') + 1), /signature|base64|part/],
  ['no algorithm', (genuine) => withHeader(genuine, { alg: undefined }), /header|algorithm/],
  ['an algorithm that is a list', (genuine) => withHeader(genuine, { alg: ['ES256'] }), /header|algorithm/],
  [
    'HMAC with the PEM of the public key',
    (g) => hmacWith(g, g.publicKey.export({ type: 'spki', format: 'pem' })),
    NOT_ACCEPTED,
  ],
  ['HMAC with its DER', (g) => hmacWith(g, g.publicKey.export({ type: 'spki', format: 'der' })), NOT_ACCEPTED],
  ['HMAC with its JWK', (g) => hmacWith(g, JSON.stringify(g.publicKey.export({ format: 'jwk' }))), NOT_ACCEPTED],
  ...['../../etc/passwd', '0\u0000', "0' OR '1'='1", 'k'.repeat(10_240), '__proto__', ''].map(
    (kid) =>
      [
        `key id ${JSON.stringify(kid).slice(0, 24)}`,
        (genuine: Genuine) => withHeader(genuine, { kid }),
        /key|header/,
      ] as const,
  ),
  ['a key id that is a number', (genuine) => withHeader(genuine, { kid: 1 }), /key|header/],
  [
    'its own key as jwk',
    (genuine) => signedBy(attacker, genuine, 'ES256', { jwk: attackerJwk }),
    /signature|key|header/,
  ],
  [
    'an address of its own keys',
    (genuine) => signedBy(attacker, genuine, 'ES256', { jku: 'https://127.0.0.1:1/keys' }),
    /signature|key|header/,
  ],
  [
    'a certificate of its own',
    (genuine) => signedBy(attacker, genuine, 'ES256', { x5c: ['AAAA'], x5u: 'https://x/' }),
    /signature|key|header/,
  ],
  ['an unknown critical header', (genuine) => withHeader(genuine, { crit: ['exp'], exp: 1 }), MALFORMED],
  ['a payload that is not encoded', (genuine) => withHeader(genuine, { b64: false, crit: ['b64'] }), MALFORMED],
  ['five parts', ({ text }) => `${text}.AAAA.AAAA`, /three parts/],
  ['two parts', ({ text }) => text.split('.').slice(0, 2).join('.'), /three parts/],
  ['another subject', (g) => withHeader({ ...g, claims: { ...g.claims, sub: 'user.x' } }, {}), WRONG],
  ['more roles', (g) => withHeader({ ...g, claims: { ...g.claims, scp: ['admin'] } }, {}), WRONG],
  ['another audience', (g) => withHeader({ ...g, claims: { ...g.claims, aud: 'other' } }, {}), WRONG],
  [
    'an issuer that nobody knows',
    (g) => withHeader({ ...g, claims: { ...g.claims, iss: `${String(g.claims['iss'])}/` } }, {}),
    /issuer is not known/,
  ],
  ['an expiry that is a text', (g) => withHeader({ ...g, claims: { ...g.claims, exp: '9999999999' } }, {}), /expir/],
  [
    'an expiry beyond exact numbers',
    (g) => withHeader({ ...g, claims: { ...g.claims, exp: 2 ** 53 + 2 } }, {}),
    /expir/,
  ],
  ['an expiry in the past', (g) => withHeader({ ...g, claims: { ...g.claims, exp: 1 } }, {}), /expired/],
  [
    'a beginning in the future',
    (g) => withHeader({ ...g, claims: { ...g.claims, nbf: 9_999_999_999 } }, {}),
    /valid from \d+, \d+ seconds from now/,
  ],
  ['a signature with padding', ({ text }) => `${text}=`, /base64|signature|part/],
  ['a signature with a byte more', ({ text }) => `${text}AAAA`, WRONG],
  [
    'a signature in the other encoding',
    ({ text, signature }) => {
      const bytes = Buffer.from(signature, 'base64url')
      const other = bytes.length % 2 === 0 && bytes.length <= 132 ? p1363ToDer(bytes) : bytes.subarray(1)
      return `${text.slice(0, text.lastIndexOf('.') + 1)}${Buffer.from(other).toString('base64url')}`
    },
    WRONG,
  ],
  [
    'a signature of zeros',
    ({ text, signature }) => {
      const zeros = Buffer.alloc(Buffer.from(signature, 'base64url').length)
      return `${text.slice(0, text.lastIndexOf('.') + 1)}${zeros.toString('base64url')}`
    },
    WRONG,
  ],
  ['a key of somebody else', (genuine) => signedBy(attacker, genuine, 'ES256'), WRONG],
  ['a weak key of somebody else', (genuine) => signedBy(weak, genuine, 'RS256'), WRONG],
]

describe('a forged access token at ZTS', () => {
  const folder = temporaryFolder()
  let servers: AttackedServers
  let genuine: Genuine

  const post = (path: string, fields: Readonly<Record<string, string>>): Promise<Answer> =>
    servers.ask({
      server: 'zts',
      method: 'POST',
      path,
      certificate: servers.administrator,
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

  before(async () => {
    servers = await AttackedServers.start(folder, { 'athenz.zts.introspect_support_enabled': 'true' })
    await servers.tell('PUT', '/zms/v1/domain/victim/role/reader', {
      name: 'reader',
      roleMembers: [{ memberName: 'user.admin' }],
    })
    let answer: Answer
    do answer = await post('/zts/v1/oauth2/token', { grant_type: 'client_credentials', scope: 'victim:role.reader' })
    while (answer.status === 403)
    assert.equal(answer.status, 200, answer.message)
    const text = String(Reflect.get(Object(answer.body), 'access_token'))
    const [header = '', claims = '', signature = ''] = text.split('.')
    const read = (json: string) => JSON.parse(Buffer.from(json, 'base64url').toString()) as Json
    const keys = await servers.ask({ server: 'zts', path: '/zts/v1/oauth2/keys?rfc=true' })
    const listed = Reflect.get(Object(keys.body), 'keys') as readonly (Json & { kid: string })[]
    const jwk = listed.find(({ kid }) => kid === read(header)['kid'])
    const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' })
    genuine = { text, header: read(header), claims: read(claims), signature, publicKey }
  })
  after(() => servers?.[Symbol.asyncDispose]())

  test('would be good if it were genuine', async () => {
    const { status, body } = await post('/zts/v1/oauth2/introspect', { token: genuine.text })
    assert.deepEqual([status, Reflect.get(Object(body), 'active')], [200, true])
    assert.doesNotMatch((await exchange(genuine.text)).message, /^Invalid subject token/)
  })

  for (const [what, forge, reason] of FORGERIES) {
    test(`with ${what}: 400 with the reason, and not active`, async () => {
      const token = forge(genuine)
      const answer = await exchange(token)
      assert.equal(answer.status, 400)
      assert.match(answer.message, /^Invalid subject token: /)
      assert.match(answer.message, reason)
      const { status, body } = await post('/zts/v1/oauth2/introspect', { token })
      assert.deepEqual([status, body], [200, { active: false, ver: 0 }])
    })
  }
})
