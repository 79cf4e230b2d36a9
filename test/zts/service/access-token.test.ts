import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { AuthorizationDetails } from '#zts/service/authorization-details.ts'
import { Issuers } from '#zts/service/issuers.ts'
import { PrincipalIssuers } from '#zts/service/principal-issuers.ts'
import { TestCa } from '../../core/authority/support.ts'
import { refusal, START_MILLIS } from './harness.ts'
import { ISSUER, OPENID_ISSUER, readToken, TokenServer, type TokenServerOptions } from './token-parts.ts'

const NOW = START_MILLIS / 1000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const member = (...names: string[]) => names.map((memberName) => ({ memberName }))
const role = (name: string, members: object[], more: object = {}) => ({
  name: `sports:role.${name}`,
  roleMembers: members,
  ...more,
})

const SPORTS = {
  name: 'sports',
  roles: [
    role('reader', member('sports.api', 'user.alice', 'user.proxy', 'user.rita')),
    role('writer', member('sports.api', 'user.proxy')),
    role('super-reader', member('user.sam', 'user.rita')),
    role('limited', member('user.brief'), { tokenExpiryMins: 10 }),
    role('hers', member('user.alice')),
  ],
}
const MEDIA = { name: 'media', roles: [{ name: 'media:role.reader', roleMembers: member('sports.api') }] }

const open = (options: TokenServerOptions = {}) => TokenServer.open({ domains: [SPORTS, MEDIA], ...options })
const API = { as: 'sports.api' }
const READER = { scope: 'sports:role.reader' }

const certificate = (await (await TestCa.create()).peer('sports.api')).leaf
const THUMBPRINT = createHash('sha256').update(certificate.raw).digest('base64url')
const WITH_CERTIFICATE = { as: 'sports.api', principal: { x509Certificate: certificate } }

const notIn = (who: string, what: string) =>
  refusal(403, `postaccesstokenrequest: principal ${who} is not included in ${what} in domain sports`)

describe('postAccessTokenRequest, client_credentials', () => {
  it('grants a token with the roles asked for', async () => {
    const server = await open()
    const answer = await server.ask(READER, API)
    const { header, claims } = readToken(answer)
    assert.deepEqual(header, { kid: 'ec0', typ: 'at+jwt', alg: 'ES256' })
    const { jti, ...others } = claims
    assert.match(String(jti), UUID)
    assert.deepEqual(others, {
      ver: 1,
      sub: 'sports.api',
      uid: 'sports.api',
      client_id: 'sports.api',
      aud: 'sports',
      iss: ISSUER,
      scp: ['reader'],
      scope: 'reader',
      iat: NOW,
      auth_time: NOW,
      exp: NOW + 7200,
    })
    const { access_token: _, ...response } = answer.body
    assert.deepEqual(response, { token_type: 'Bearer', expires_in: 7200 })
  })

  it('is signed with the RSA key where that is preferred', async () => {
    const keys = {
      rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
      ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    }
    const server = await open({ keys, properties: { key_algo_json_web_objects: 'RSA' } })
    assert.deepEqual(readToken(await server.ask(READER, API)).header, { kid: '0', typ: 'at+jwt', alg: 'RS256' })
  })

  describe('scope', () => {
    for (const [scope, as, scp, said] of [
      ['sports:domain', 'sports.api', ['reader', 'writer'], 'sports:role.reader sports:role.writer'],
      ['sports:role.reader sports:role.writer', 'sports.api', ['reader', 'writer'], undefined],
      ['sports:role.reader sports:domain', 'user.alice', ['reader', 'hers'], 'sports:role.reader sports:role.hers'],
      ['sports:role.reader sports:role.nosuch', 'sports.api', ['reader'], 'sports:role.reader'],
      ['sports:role.reader', 'user.sam', ['super-reader'], undefined],
      ['sports:role.reader', 'user.rita', ['reader', 'super-reader'], 'sports:role.reader sports:role.super-reader'],
      ['SPORTS:ROLE.READER', 'sports.api', ['reader'], undefined],
      ['sports:group.team', 'sports.api', ['reader', 'writer'], undefined],
      ['sports:service.api', 'sports.api', ['reader', 'writer'], undefined],
      ['sports:service.api sports:role.writer', 'sports.api', ['writer'], undefined],
      ['openid sports:service.api sports:role.writer', 'sports.api', ['writer'], undefined],
      ['openid sports:service.a.b sports:role.writer', 'sports.api', ['writer'], undefined],
      ['junk sports:role.writer', 'sports.api', ['writer'], undefined],
    ] as const) {
      it(`"${scope}" grants ${scp.join(' ')} to ${as}`, async () => {
        const answer = await (await open()).ask({ scope }, { as })
        assert.deepEqual(readToken(answer).claims['scp'], scp)
        assert.equal(readToken(answer).claims['scope'], scp.join(' '))
        assert.equal(answer.body.scope, said)
        assert.equal(answer.body.id_token, undefined)
      })
    }

    it('may name roles of the domain of the caller where that is switched on', async () => {
      const server = await open({ properties: { oauth_scope_role_without_domain: 'true' } })
      assert.deepEqual((await server.claims({ scope: 'reader sports:role.writer' }, API))['scp'], ['reader', 'writer'])
      assert.deepEqual(await (await open()).ask({ scope: 'reader' }, API), refusal(400, 'No domains in scope'))
    })

    it('is refused for a domain that is not there, and for roles that are not held', async () => {
      const server = await open()
      assert.deepEqual(await server.ask({ scope: 'nosuch:domain' }, API), refusal(404, 'No such domain: nosuch'))
      assert.deepEqual(
        await server.ask({ scope: 'sports:role.hers' }, API),
        notIn('sports.api', 'the requested role(s)'),
      )
      assert.deepEqual(
        await server.ask({ scope: 'sports:domain' }, { as: 'user.nobody' }),
        notIn('user.nobody', 'any role'),
      )
    })

    it('is needed', async () => {
      const server = await open()
      assert.deepEqual(await server.ask({}, API), refusal(400, 'Invalid request: no scope provided'))
      assert.deepEqual(await server.ask({ scope: '' }, API), refusal(400, 'Invalid request: no scope provided'))
    })
  })

  describe('life', () => {
    for (const [expires, as, seconds] of [
      ['600', 'sports.api', 600],
      ['86400', 'sports.api', 86_400],
      ['86401', 'sports.api', 86_400],
      ['0', 'sports.api', 7200],
      ['-1', 'sports.api', 7200],
      ['soon', 'sports.api', 7200],
      ['60', 'user.brief', 60],
      ['3600', 'user.brief', 600],
    ] as const) {
      it(`is ${seconds} s when ${as} asks for ${expires}`, async () => {
        const server = await open({ properties: { role_token_max_timeout: '86400' } })
        const answer = await server.ask({ scope: 'sports:domain', expires_in: expires }, { as })
        assert.equal(answer.body.expires_in, seconds)
        assert.equal(readToken(answer).claims['exp'], NOW + seconds)
      })
    }
  })

  describe('audience', () => {
    const asked = { role_in_aud_claim: 'true' }

    it('has the only role behind it when that is asked for', async () => {
      const server = await open()
      assert.equal((await server.claims({ ...READER, ...asked }, API))['aud'], 'sports:reader')
      assert.equal((await server.claims({ ...READER, role_in_aud_claim: 'false' }, API))['aud'], 'sports')
      assert.equal((await server.claims({ scope: 'sports:domain', ...asked }, API))['aud'], 'sports')
      assert.equal(
        (await server.claims({ scope: 'sports:role.limited', ...asked }, { as: 'user.brief' }))['aud'],
        'sports:limited',
      )
    })
  })

  describe('issuer', () => {
    it('is that of OpenID when it is asked for', async () => {
      const server = await open()
      assert.equal((await server.claims({ ...READER, openid_issuer: 'true' }, API))['iss'], OPENID_ISSUER)
      assert.equal((await server.claims({ ...READER, openid_issuer: 'no' }, API))['iss'], ISSUER)
    })

    it('is that of the host name of the request before all others', async () => {
      const issuers = new Issuers({
        oauthIssuer: 'a',
        openIdIssuer: 'b',
        oidcPortIssuer: 'c',
        oidcPort: 0,
        hostname: 'zts',
        byHost: new Map([['zts.example.org', 'd']]),
      })
      const server = await open({ tokenParts: { issuers } })
      const headers = { host: 'ZTS.example.org:8443' }
      assert.equal((await server.claims({ ...READER, openid_issuer: 'true' }, { ...API, headers }))['iss'], 'd')
      assert.equal((await server.claims(READER, API))['iss'], 'a')
    })
  })

  describe('binding', () => {
    it('is to the certificate of the caller', async () => {
      assert.deepEqual((await (await open()).claims(READER, WITH_CERTIFICATE))['cnf'], { 'x5t#S256': THUMBPRINT })
    })

    it('has the proxies that the request names', async () => {
      const uris = 'spiffe://sports/sa/api,spiffe://athenz.io/ns/default/sa/sports.api'
      const form = { ...READER, proxy_principal_spiffe_uris: uris }
      assert.deepEqual((await (await open()).claims(form, WITH_CERTIFICATE))['cnf'], {
        'x5t#S256': THUMBPRINT,
        'proxy-principals#spiffe': uris.split(','),
      })
      assert.equal((await (await open()).claims(form, API))['cnf'], undefined)
    })

    it('refuses proxies without SPIFFE URI', async () => {
      const form = { ...READER, proxy_principal_spiffe_uris: 'spiffe://sports/sa/api,https://x' }
      assert.deepEqual(
        await (await open()).ask(form, WITH_CERTIFICATE),
        refusal(400, 'Invalid spiffe uri specified: https://x'),
      )
    })
  })

  it('names who may act for the caller', async () => {
    const server = await open()
    assert.deepEqual((await server.claims({ ...READER, actor: 'media.ui' }, API))['may_act'], { sub: 'media.ui' })
    const { status, body } = await server.ask({ ...READER, actor: 'bad name' }, API)
    assert.equal(status, 400)
    assert.match(body.message, /^Invalid ServiceName error: /)
  })

  it('names the identity issuer of the certificate of the caller', async () => {
    const principalIssuers = new PrincipalIssuers({ identityOf: ({ subject }) => `issuer of ${subject}` })
    const server = await open({ tokenParts: { principalIssuers } })
    const issuer = `issuer of ${certificate.subject}`
    assert.equal((await server.claims(READER, WITH_CERTIFICATE))['principal_issuer'], issuer)
    assert.equal((await server.claims(READER, API))['principal_issuer'], undefined)
  })

  describe('authorization details', () => {
    const details = '[{"type":"message_access", "location":["north"]}]'
    const everywhere = new AuthorizationDetails(1024, [{ type: 'message_access', fields: [{ name: 'location' }] }])
    const withDetails = (text: string) => ({ ...READER, authorization_details: text })

    it('are copied as they are', async () => {
      const server = await open({ tokenParts: { authorizationDetails: everywhere } })
      assert.equal((await server.claims(withDetails(details), API))['authorization_details'], details)
      assert.equal((await server.claims(withDetails(''), API))['authorization_details'], '')
    })

    it('are refused where none are known', async () => {
      assert.deepEqual(
        await (await open()).ask(withDetails(details), API),
        refusal(400, 'Authorization Details not valid for this request'),
      )
    })
  })

  describe('for another principal', () => {
    const proxying = (properties: object = {}) =>
      open({ properties: { authorized_proxy_users: 'user.proxy', ...properties } })
    const proxy = { as: 'user.proxy', principal: { x509Certificate: certificate } }

    it('names the roles that both have, and who asked', async () => {
      const answer = await (await proxying()).ask({ scope: 'sports:domain', proxy_for_principal: 'User.Alice' }, proxy)
      const { claims } = readToken(answer)
      assert.deepEqual(claims['scp'], ['reader'])
      assert.deepEqual(
        ['sub', 'uid', 'client_id', 'proxy'].map((name) => claims[name]),
        ['user.alice', 'user.alice', 'user.alice', 'user.proxy'],
      )
      assert.deepEqual(claims['cnf'], { 'x5t#S256': THUMBPRINT })
      assert.equal(answer.body.scope, 'sports:role.reader')
    })

    it('is refused', async () => {
      const server = await proxying({ oauth_openid_scope: 'true' })
      assert.deepEqual(
        await server.ask({ ...READER, proxy_for_principal: 'user.proxy' }, { as: 'user.alice' }),
        refusal(403, 'Principal: user.alice not authorized for proxy access token request'),
      )
      assert.deepEqual(
        await server.ask({ scope: 'sports:role.hers', proxy_for_principal: 'user.alice' }, proxy),
        notIn('user.proxy', 'the requested role(s)'),
      )
      assert.deepEqual(
        await server.ask({ scope: 'sports:role.writer', proxy_for_principal: 'user.alice' }, proxy),
        notIn('user.alice', 'the requested role(s)'),
      )
      assert.deepEqual(
        await server.ask(
          { scope: 'openid sports:role.reader sports:service.api', proxy_for_principal: 'user.alice' },
          proxy,
        ),
        refusal(400, 'Proxy Principal cannot request id tokens'),
      )
      const { status, body } = await server.ask({ ...READER, proxy_for_principal: 'a b' }, proxy)
      assert.equal(status, 400)
      assert.match(body.message, /^Invalid EntityName error: /)
    })
  })

  describe('with an id token', () => {
    const openId = (properties: object = {}) => open({ properties: { oauth_openid_scope: 'true', ...properties } })

    it('grants both', async () => {
      const answer = await (await openId()).ask({ scope: 'openid sports:role.reader sports:service.api' }, API)
      const { header, claims } = readToken(answer, 'id_token')
      assert.deepEqual(header, { kid: 'ec0', alg: 'ES256' })
      assert.deepEqual(claims, {
        ver: 1,
        sub: 'sports.api',
        aud: 'sports.api',
        iss: ISSUER,
        iat: NOW,
        auth_time: NOW,
        exp: NOW + 7200,
      })
      assert.equal(answer.body.scope, undefined)
    })

    it('says openid where it says the scope', async () => {
      const answer = await (await openId()).ask({ scope: 'openid media:domain media:service.api' }, API)
      assert.equal(answer.body.scope, 'media:role.reader openid')
    })

    it('is refused for a service whose name is none, once all else is granted', async () => {
      const scope = 'openid sports:role.reader sports:service.a.b'
      const server = await openId()
      assert.deepEqual(
        await server.ask({ scope }, { as: 'user.nobody' }),
        notIn('user.nobody', 'the requested role(s)'),
      )
      const { status, body } = await server.ask({ scope }, API)
      assert.equal(status, 400)
      assert.match(body.message, /^Invalid SimpleName error: /)
    })

    it('has the shorter of both lives', async () => {
      const server = await openId({ id_token_max_timeout: '1800' })
      const scope = 'openid sports:role.reader sports:service.api'
      assert.equal(readToken(await server.ask({ scope }, API), 'id_token').claims['exp'], NOW + 1800)
      const brief = await server.ask({ scope, expires_in: '60' }, API)
      assert.equal(readToken(brief, 'id_token').claims['exp'], NOW + 60)
    })
  })

  describe('is refused', () => {
    it('to a service that acts for a principal in another domain', async () => {
      assert.deepEqual(
        await (await open()).ask(READER, { as: 'sports.api', principal: { authorizedService: 'media.ui' } }),
        refusal(403, 'Authorized service domain media does not match request domain sports'),
      )
    })

    it('to a role certificate that does not stand for all roles', async () => {
      const withRole = { as: 'sports.api', principal: { roles: ['sports:role.writer'] } }
      const server = await open()
      assert.deepEqual(
        await server.ask({ scope: 'sports:domain' }, withRole),
        refusal(403, 'Role based Principal does not include all roles'),
      )
      assert.deepEqual((await server.claims({ scope: 'sports:role.writer' }, withRole))['scp'], ['writer'])
    })

    it('without a caller', async () => {
      assert.deepEqual(await (await open()).ask(READER, { anonymous: true }), refusal(401, 'Unauthenticated request'))
    })
  })
})

describe('postAccessTokenRequest, trades of tokens', () => {
  const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const TYPE = 'urn:ietf:params:oauth:token-type:'

  for (const [requested, name] of [
    [undefined, 'exchangeAccessToken'],
    ['', 'exchangeAccessToken'],
    [`${TYPE}access_token`, 'exchangeAccessToken'],
    [`${TYPE}ID_TOKEN`, 'exchangeIdToken'],
    [`${TYPE}id-jag`, 'issueJag'],
  ] as const) {
    it(`asks for ${name} with the type ${requested}`, async () => {
      const server = await open()
      const form = { grant_type: EXCHANGE, subject_token: 'A.B.C' }
      const answer = await server.ask(
        requested === undefined ? form : { ...form, requested_token_type: requested },
        API,
      )
      assert.equal(answer.body.token_type, name)
      assert.equal(server.trades[0]?.request.subjectToken, 'A.B.C')
      assert.equal(server.trades[0]?.caller, 'sports.api')
    })
  }

  it('refuses other types', async () => {
    assert.deepEqual(
      await (await open()).ask({ grant_type: EXCHANGE, requested_token_type: 'junk' }, API),
      refusal(400, 'Invalid requested token type: junk'),
    )
  })
})
