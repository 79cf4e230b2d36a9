import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import * as jose from 'jose'
import { publicKeyPem } from '#core/crypto/keys.ts'
import { refusal, START_MILLIS } from './harness.ts'
import { ISSUER, OPENID_ISSUER, readToken, serviceKey, TokenServer } from './token-parts.ts'

const NOW = START_MILLIS / 1000

const key = serviceKey()
const rsa = serviceKey('rsa')
const other = serviceKey()
/** As the harness reads it when it is turned around. */
const SECRET = 'a secret of the service, of at least 64 bytes, which it shares with ZTS'

const SPORTS = {
  name: 'sports',
  services: [
    {
      name: 'sports.api',
      publicKeys: [
        { id: '0', key: key.registered },
        { id: 'r', key: rsa.registered },
      ],
      creds: SECRET.split('').toReversed().join(''),
    },
    { name: 'sports.other', publicKeys: [{ id: '0', key: other.registered }] },
  ],
  roles: [
    { name: 'sports:role.reader', roleMembers: [{ memberName: 'sports.api' }] },
    { name: 'sports:role.writer', roleMembers: [{ memberName: 'sports.api' }] },
  ],
}

const CLAIMS = { iss: 'sports.api', sub: 'sports.api', aud: ISSUER, exp: NOW + 300 }
type Claims = Record<string, unknown>

const signed = (claims: Claims, header: jose.JWTHeaderParameters, by: KeyObject | Uint8Array = key.privateKey) =>
  new jose.SignJWT(claims).setProtectedHeader(header).sign(by)
const assertion = (changes: Claims = {}, header: object = {}, by?: KeyObject) =>
  signed({ ...CLAIMS, ...changes }, { alg: 'ES256', kid: '0', ...header }, by)
const hmac = (alg: string, secret = SECRET) => signed(CLAIMS, { alg }, Buffer.from(secret))

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const ANONYMOUS = { anonymous: true }

const open = () => TokenServer.open({ domains: [SPORTS] })

const authenticate = async (text: string | Promise<string>, server?: TokenServer) =>
  (server ?? (await open())).ask(
    { scope: 'sports:role.reader', client_assertion_type: TYPE, client_assertion: await text },
    ANONYMOUS,
  )

describe('client assertions', () => {
  for (const [name, make] of [
    ['with a registered EC key', () => assertion()],
    ['with a registered RSA key', () => signed(CLAIMS, { alg: 'RS256', kid: 'r' }, rsa.privateKey)],
    ['with RS512', () => signed(CLAIMS, { alg: 'RS512', kid: 'r' }, rsa.privateKey)],
    ['for one of several audiences', () => assertion({ aud: ['https://other.example.com', OPENID_ISSUER] })],
    ['of the type for it', () => assertion({}, { typ: 'client-authentication+jwt' })],
    ['of the general type', () => assertion({}, { typ: 'JWT' })],
    ['with HS256 and the shared secret', () => hmac('HS256')],
    ['with HS384 and the shared secret', () => hmac('HS384')],
    ['with HS512 and the shared secret', () => hmac('HS512')],
    ['just expired', () => assertion({ exp: NOW - 59 })],
    ['in upper case', () => assertion({ iss: 'Sports.API', sub: 'Sports.API' })],
  ] as const) {
    it(`${name} name the caller`, async () => {
      const { claims } = readToken(await authenticate(make()))
      assert.equal(claims['sub'], 'sports.api')
      assert.equal(claims['cnf'], undefined)
    })
  }

  it('are issued by this server as well', async () => {
    const server = await open()
    const signer = server.parts.signers.jsonWebObjects()
    const own = (changes: Claims = {}, header: object = {}) =>
      signed({ ...CLAIMS, iss: ISSUER, ...changes }, { alg: 'ES256', kid: signer.keyId, ...header }, signer.privateKey)
    assert.equal(readToken(await authenticate(own(), server)).claims['sub'], 'sports.api')
    assert.equal(readToken(await authenticate(own({ iss: OPENID_ISSUER }), server)).claims['sub'], 'sports.api')
    const wrong = (reason: string) => refusal(400, `Invalid client assertion: ${reason}`)
    assert.deepEqual(await authenticate(own({}, { typ: 'at+jwt' }), server), wrong('type at+jwt'))
    assert.deepEqual(await authenticate(own({ aud: 'sports' }), server), wrong('the audience is not this server'))
    assert.deepEqual(
      await authenticate(own({ sub: 'user.alice' }), server),
      wrong('users do not authenticate with assertions'),
    )
    assert.deepEqual(await authenticate(own({}, { kid: '0' }), server), wrong('key 0 is not known'))
    assert.deepEqual(
      await authenticate(signed({ ...CLAIMS, iss: ISSUER }, { alg: 'ES256', kid: signer.keyId }), server),
      wrong('the signature does not match'),
    )
  })

  it('cannot be an access token of this server that somebody was shown', async () => {
    const server = await open()
    const token = (await server.ask({ scope: 'sports:domain' }, { as: 'sports.api' })).body.access_token
    assert.equal((await authenticate(token, server)).status, 400)
    const bearer = await server.ask(
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: token, scope: 'sports:domain' },
      ANONYMOUS,
    )
    assert.equal(bearer.status, 400)
  })

  for (const [reason, make] of [
    ['the audience is not this server', () => assertion({ aud: 'https://other.example.com' })],
    ['the audience is not this server', () => assertion({ aud: `${ISSUER}/` })],
    ['the audience is not this server', () => assertion({ aud: undefined })],
    ['the audience is not this server', () => assertion({ aud: [ISSUER, 7] })],
    ['the issuer is neither the subject nor this server', () => assertion({ iss: 'x.y' })],
    ['the issuer is neither the subject nor this server', () => assertion({ iss: undefined })],
    ['the subject is not a service', () => assertion({ sub: undefined })],
    ['the subject is not a service', () => assertion({ iss: 'sports', sub: 'sports' })],
    ['the subject is not a service', () => assertion({ sub: 'sports:role.x', iss: 'sports:role.x' })],
    ['users do not authenticate with assertions', () => assertion({ iss: 'user.joe', sub: 'user.joe' })],
    ['key zz is not known', () => assertion({}, { kid: 'zz' })],
    ['key  is not known', () => assertion({}, { kid: undefined })],
    ['key 0 is not known', () => assertion({ iss: 'sports.nosuch', sub: 'sports.nosuch' })],
    ['the signature does not match', () => assertion({}, {}, other.privateKey)],
    ['the signature does not match', () => hmac('HS256', `${SECRET}x`)],
    ['expired at 1785628200, 600 seconds ago', () => assertion({ exp: NOW - 600 })],
    ['no time of expiry', () => assertion({ exp: undefined })],
    ['valid from 1785629100, 300 seconds from now', () => assertion({ nbf: NOW + 300 })],
    ['type at+jwt', () => assertion({}, { typ: 'at+jwt' })],
    ['type oauth-id-jag+jwt', () => assertion({}, { typ: 'oauth-id-jag+jwt' })],
    ['not three parts separated by periods', async () => 'junk'],
  ] as const) {
    it(`are refused: ${reason}`, async () => {
      assert.deepEqual(await authenticate(make()), refusal(400, `Invalid client assertion: ${reason}`))
    })
  }

  it('are refused with HMAC by the public key, and with HMAC of services without a secret', async () => {
    const wrong = refusal(400, 'Invalid client assertion: the signature does not match')
    assert.deepEqual(await authenticate(hmac('HS256', publicKeyPem(key.privateKey))), wrong)
    const claims = { ...CLAIMS, iss: 'sports.other', sub: 'sports.other' }
    assert.deepEqual(
      await authenticate(signed(claims, { alg: 'HS256' }, Buffer.from(SECRET))),
      refusal(400, 'Invalid client assertion: key  is not known'),
    )
  })

  it('do not count where an authority knows the caller, but they must hold and be of the right type', async () => {
    const server = await open()
    const form = { scope: 'sports:role.reader', client_assertion: await assertion() }
    const stranger = { as: 'user.nobody' }
    assert.deepEqual(
      await server.ask({ ...form, client_assertion_type: TYPE }, stranger),
      refusal(
        403,
        'postaccesstokenrequest: principal user.nobody is not included in the requested role(s) in domain sports',
      ),
    )
    const expired = { ...form, client_assertion: await assertion({ exp: NOW - 600 }), client_assertion_type: TYPE }
    for (const options of [stranger, ANONYMOUS]) {
      assert.deepEqual(
        await server.ask(expired, options),
        refusal(400, 'Invalid client assertion: expired at 1785628200, 600 seconds ago'),
      )
      assert.deepEqual(
        await server.ask({ ...form, client_assertion_type: 'junk' }, options),
        refusal(400, 'Invalid client assertion type: junk'),
      )
      assert.deepEqual(
        await server.ask(form, options),
        refusal(400, 'Invalid request: no client assertion type provided'),
      )
    }
  })

  it('name the caller of the trade that issues assertion grants, and of no other', async () => {
    const server = await open()
    const trade = async (type: string) =>
      server.ask(
        {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          requested_token_type: `urn:ietf:params:oauth:token-type:${type}`,
          client_assertion_type: TYPE,
          client_assertion: await assertion(),
        },
        ANONYMOUS,
      )
    await trade('id-jag')
    await trade('access_token')
    assert.deepEqual(
      server.trades.map(({ name, caller }) => [name, caller]),
      [
        ['issueJag', 'sports.api'],
        ['exchangeAccessToken', undefined],
      ],
    )
  })
})

describe('postAccessTokenRequest, jwt-bearer', () => {
  const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
  const bearer = async (form: Record<string, string>, options: object = ANONYMOUS, server?: TokenServer) =>
    (server ?? (await open())).ask({ grant_type: GRANT, ...form }, options)

  it('grants a token to who is named by the assertion', async () => {
    const answer = await bearer({ assertion: await assertion(), scope: 'sports:role.reader' })
    assert.equal(readToken(answer).claims['sub'], 'sports.api')
  })

  it('takes the scope from the assertion when the form has none', async () => {
    const text = await assertion({ scope: 'Sports:role.Writer' })
    assert.deepEqual(readToken(await bearer({ assertion: text })).claims['scp'], ['writer'])
    const both = await bearer({ assertion: text, scope: 'sports:role.reader' })
    assert.deepEqual(readToken(both).claims['scp'], ['reader'])
  })

  it('leaves the caller whom an authority knows', async () => {
    const answer = await bearer({ assertion: await assertion(), scope: 'sports:role.reader' }, { as: 'user.nobody' })
    assert.equal(answer.status, 403)
  })

  it('hands assertion grants on', async () => {
    const server = await open()
    const text = await assertion({}, { typ: 'oauth-id-jag+jwt' })
    await bearer({ assertion: text }, { as: 'sports.api' }, server)
    assert.deepEqual(
      server.trades.map(({ name, caller, request }) => [name, caller, request.assertion]),
      [['exchangeJag', 'sports.api', text]],
    )
  })

  it('is refused', async () => {
    const scope = 'sports:role.reader'
    assert.deepEqual(await bearer({ scope }), refusal(400, 'Invalid request: no assertion provided'))
    assert.deepEqual(
      await bearer({ scope, assertion: 'a.b.c' }),
      refusal(400, 'Invalid assertion token: the header is not a JSON object in base64url'),
    )
    for (const claims of [{}, { scope: 7 }, { scope: '' }]) {
      assert.deepEqual(
        await bearer({ assertion: await assertion(claims) }),
        refusal(400, 'Invalid client assertion: Invalid assertion: no scope claim provided'),
      )
    }
    assert.deepEqual(
      await bearer({ scope, assertion: await assertion({}, {}, other.privateKey) }, { as: 'sports.api' }),
      refusal(400, 'Invalid client assertion: the signature does not match'),
    )
  })
})
