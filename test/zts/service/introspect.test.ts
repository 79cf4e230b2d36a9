import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { JwtWriter } from '#core/token/json-web-token.ts'
import { refusal, START_MILLIS } from './harness.ts'
import { ISSUER, TokenServer } from './token-parts.ts'

const NOW = START_MILLIS / 1000
const SPORTS = {
  name: 'sports',
  roles: [
    { name: 'sports:role.reader', roleMembers: [{ memberName: 'sports.api' }] },
    { name: 'sports:role.inspectors', roleMembers: [{ memberName: 'user.ivy' }] },
  ],
  policies: [
    {
      name: 'sports:policy.introspection',
      assertions: [{ role: 'sports:role.inspectors', resource: 'sports:token', action: 'introspect', effect: 'ALLOW' }],
    },
  ],
}
const MEDIA = { name: 'media', roles: [{ name: 'media:role.reader', roleMembers: [{ memberName: 'sports.api' }] }] }
const IVY = { as: 'user.ivy' }
const INACTIVE = { status: 200, headers: {}, body: { active: false, ver: 0 } }

const open = (properties: object = { introspect_support_enabled: 'true' }) =>
  TokenServer.open({ domains: [SPORTS, MEDIA], properties: { ...properties } })

const token = async (server: TokenServer, form: Record<string, string> = {}): Promise<string> =>
  String((await server.ask({ scope: 'sports:role.reader', ...form }, { as: 'sports.api' })).body.access_token)

const introspect = ({ harness }: TokenServer, text: string, options: object = IVY) =>
  harness.post('/oauth2/introspect', new URLSearchParams({ token: text }).toString(), options)

describe('postIntrospectRequest', () => {
  it('says what a token says', async () => {
    const server = await open()
    const { jti, ...body } = (await introspect(server, await token(server))).body
    assert.match(jti, /^[0-9a-f-]{36}$/)
    assert.deepEqual(body, {
      active: true,
      ver: 1,
      exp: NOW + 7200,
      iat: NOW,
      auth_time: NOW,
      aud: 'sports',
      iss: ISSUER,
      sub: 'sports.api',
      scope: 'reader',
      client_id: 'sports.api',
      uid: 'sports.api',
    })
  })

  it('asks about the domain also where the audience names a role', async () => {
    const server = await open()
    const { body } = await introspect(server, await token(server, { role_in_aud_claim: 'true' }))
    assert.deepEqual([body.active, body.aud], [true, 'sports:reader'])
  })

  it('tells those nothing who may not ask', async () => {
    const server = await open()
    assert.deepEqual(await introspect(server, await token(server), { as: 'sports.api' }), INACTIVE)
    const media = await token(server, { scope: 'media:domain' })
    assert.deepEqual(await introspect(server, media), INACTIVE)
  })

  it('finds a token inactive from the second of its expiry', async () => {
    const server = await open()
    const text = await token(server, { expires_in: '60' })
    server.harness.clock.millis += 59_999
    assert.equal((await introspect(server, text)).body.active, true)
    server.harness.clock.millis += 1
    assert.deepEqual(await introspect(server, text), INACTIVE)
  })

  it('finds everything else inactive', async () => {
    const server = await open()
    const signer = server.parts.signers.jsonWebObjects()
    const good = { iss: ISSUER, aud: 'sports', exp: NOW + 60 }
    const write = async (claims: object, typ = 'at+jwt') => new JwtWriter(typ).write(signer, { ...good, ...claims })
    assert.equal((await introspect(server, await write({}))).body.active, true)
    for (const text of [
      'junk',
      `${await token(server)}x`,
      await write({ iss: 'https://other.example.com' }),
      await write({ iss: undefined }),
      await write({ aud: 'nosuch' }),
      await write({ aud: 'sports.api' }),
      await write({ aud: undefined }),
      await write({ aud: ['sports'] }),
      await write({ exp: undefined }),
      await write({}, 'jwt'),
      await write({}, 'oauth-id-jag+jwt'),
    ]) {
      assert.deepEqual(await introspect(server, text), INACTIVE)
    }
  })

  it('takes the first token of a form as it stands there', async () => {
    const server = await open()
    const text = await token(server)
    const ask = async (body: string) => (await server.harness.post('/oauth2/introspect', body, IVY)).body.active
    assert.equal(await ask(`x=y&token=${text}&token=junk`), true)
    assert.equal(await ask(`token=junk&token=${text}`), false)
    assert.equal(await ask(`token=${text.replaceAll('.', '%2E')}`), false)
  })

  it('is refused without a token, and where it is switched off', async () => {
    const server = await open()
    const missing = refusal(400, 'postIntrospectRequest: No token provided')
    assert.deepEqual(await introspect(server, ''), missing)
    for (const body of ['other=x', 'token', 'token=&token=x', '%74oken=x']) {
      assert.deepEqual(await server.harness.post('/oauth2/introspect', body, IVY), missing)
    }
    assert.deepEqual(
      await introspect(await open({}), 'x'),
      refusal(400, 'postIntrospectRequest: Introspection is not supported'),
    )
  })
})
