import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { ForeignIssuers, type OAuthProvider } from '#zts/service/foreign-issuers.ts'
import { type CallOptions, refusal } from './harness.ts'
import {
  CERTIFICATE,
  FOREIGN_ISSUER,
  foreignToken,
  ID_TOKEN,
  JAG,
  ownToken,
  readToken,
  START,
  TradeServer,
} from './trade-server.ts'

type Form = Readonly<Record<string, string | undefined>>

const OPENID_ISSUER = 'https://id.example.com/zts/v1'
const server = await TradeServer.open()
const idToken = await server.idToken('user.alice', 'home.front')
/** Claims of an id token for `home.front`. */
const GOOD_ID = { sub: 'user.alice', aud: 'home.front' }

const issueForm = (subjectToken: string, form: Form = {}): Form => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  requested_token_type: JAG,
  subject_token_type: ID_TOKEN,
  subject_token: subjectToken,
  audience: OPENID_ISSUER,
  scope: 'away:role.reader',
  ...form,
})
const issue = (subjectToken: string, form?: Form, options?: CallOptions) =>
  server.ask(issueForm(subjectToken, form), options)

describe('a grant', () => {
  test('is given for an id token', async () => {
    const options = { as: 'home.front', principal: { x509Certificate: CERTIFICATE } }
    const answer = await issue(idToken, { resource: 'https://api.example' }, options)
    const { header, claims } = readToken(answer)
    assert.deepEqual(header, { kid: 'ec0', typ: 'oauth-id-jag+jwt', alg: 'ES256' })
    const { jti, ...rest } = claims
    assert.match(String(jti), /^[0-9a-f-]{36}$/)
    assert.deepEqual(rest, {
      sub: 'user.alice',
      scp: ['away:role.reader'],
      ver: 1,
      iss: OPENID_ISSUER,
      client_id: 'home.front',
      aud: OPENID_ISSUER,
      auth_time: START,
      scope: 'away:role.reader',
      resource: 'https://api.example',
      exp: START + 7200,
      iat: START,
    })
    const { access_token: _, ...body } = answer.body
    assert.deepEqual(body, {
      token_type: 'N_A',
      expires_in: 7200,
      scope: 'away:role.reader',
      issued_token_type: JAG,
    })
  })

  test('is given for the roles that the subject holds among those asked for', async () => {
    const two = await TradeServer.open()
    two.harness.receive({
      name: 'away',
      roles: [
        { name: 'away:role.reader', roleMembers: [{ memberName: 'user.alice' }] },
        { name: 'away:role.writer', roleMembers: [] },
        { name: 'away:role.jaggers', roleMembers: [{ memberName: 'home.front' }] },
      ],
      policies: [
        {
          name: 'away:policy.jag',
          active: true,
          assertions: [{ role: 'away:role.jaggers', action: 'zts.jag_exchange', resource: 'away:role.*' }],
        },
      ],
    })
    const answer = await two.ask(issueForm(idToken, { scope: 'away:role.reader away:role.writer' }))
    assert.equal(answer.body.scope, 'away:role.reader')
  })

  test('lives as long as the request and the roles say', async () => {
    const life = async (form: Form, claims: object = GOOD_ID) =>
      (await issue(await ownToken({ ...claims }), form)).body.expires_in as number
    assert.equal(await life({ expires_in: '60' }), 60)
    assert.equal(await life({ expires_in: '99999' }), 99_999)
    assert.equal(await life({ expires_in: '99999999' }), 2_592_000)
    assert.equal(await life({ scope: 'away:role.limited' }), 300)
    assert.equal(await life({}, { ...GOOD_ID, sub: 'home.svc' }), 7200)
  })

  test('is given for a token of the person who asks, if she has a certificate', async () => {
    const own = await ownToken({ sub: 'user.alice', aud: 'some-client' })
    const scope = { scope: 'away:role.people' }
    const refused = refusal(400, 'Invalid subject token audience')
    const asAlice = (principal: CallOptions['principal']) => issue(own, scope, { as: 'user.alice', principal })
    // What is left is that nobody lets her.
    const message = 'Principal not authorized for token exchange for the requested role'
    assert.deepEqual(await asAlice({ x509Certificate: CERTIFICATE }), refusal(403, message))
    assert.deepEqual(await asAlice({}), refused)
    const asBob = { as: 'user.bob', principal: { x509Certificate: CERTIFICATE } }
    assert.deepEqual(await issue(own, scope, asBob), refused)
    const nobodys = await ownToken({ sub: 'user.alice' })
    const asShe = { as: 'user.alice', principal: { x509Certificate: CERTIFICATE } }
    assert.deepEqual(await issue(nobodys, scope, asShe), refused)
    const services = await ownToken({ sub: 'home.front', aud: 'some-client' })
    const asService = { as: 'home.front', principal: { x509Certificate: CERTIFICATE } }
    assert.deepEqual(await issue(services, scope, asService), refused)
  })

  const refusals: readonly (readonly [string, Promise<string> | string, Form, CallOptions, number, string])[] = [
    [
      'a token for another client',
      ownToken({ ...GOOD_ID, aud: 'home.back' }),
      {},
      {},
      400,
      'Invalid subject token audience',
    ],
    ['an access token', idToken, { subject_token_type: JAG }, {}, 400, `Invalid subject token type: ${JAG}`],
    ['no audience', idToken, { audience: undefined }, {}, 400, 'Invalid request: no audience provided'],
    ['no scope', idToken, { scope: undefined }, {}, 400, 'Invalid request: no scope provided'],
    ['a whole domain', idToken, { scope: 'away:domain' }, {}, 400, 'Scope value does not contain any roles'],
    ['two domains', idToken, { scope: 'away:role.a home:role.b' }, {}, 400, 'Multiple domains in scope'],
    ['a bare word', idToken, { scope: 'reader' }, {}, 400, 'No domains in scope'],
    ['an unknown domain', idToken, { scope: 'nosuch:role.a' }, {}, 404, 'No such domain: nosuch'],
    [
      'roles that the subject does not hold',
      idToken,
      { scope: 'away:role.writer' },
      {},
      403,
      'postaccesstokenrequest: principal user.alice is not included in the requested role(s) in domain away',
    ],
    [
      'a role that the caller may not ask for, beside one that it may',
      idToken,
      { scope: 'away:role.reader away:role.unruly' },
      {},
      403,
      'Principal not authorized for token exchange for the requested role',
    ],
    [
      'a service that acts for somebody',
      idToken,
      {},
      { principal: { authorizedService: 'home.proxy' } },
      403,
      'Authorized service principal forbidden for jag request',
    ],
    ['nobody', idToken, {}, { anonymous: true }, 401, 'Unauthenticated request'],
  ]
  for (const [what, token, form, options, status, message] of refusals) {
    test(`is refused for ${what}`, async () => {
      assert.deepEqual(await issue(await token, form, { as: 'home.front', ...options }), refusal(status, message))
    })
  }

  test('takes over what the provider of a foreign issuer lists, but nothing that this server says', async () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const provider: OAuthProvider = {
      principalName: ({ email }) => (email === 'alice@example.org' ? 'user.alice' : undefined),
      audience: ({ azp }) => (typeof azp === 'string' ? azp : undefined),
      copiedClaims: ['acr', 'sub', 'scope', 'uid', 'cnf', 'act', 'exp', 'iss', '__proto__', 'absent'],
    }
    const keys = { keyOf: () => Promise.resolve(key.publicKey) }
    const foreignIssuers = new ForeignIssuers(new Map([[FOREIGN_ISSUER, { keys, provider }]]))
    const other = await TradeServer.open({ foreignIssuers })
    const claims = {
      email: 'alice@example.org',
      azp: 'front-client',
      acr: 'phr',
      sub: '4711',
      scope: 'everything',
      uid: 'evil',
      cnf: { jkt: 'x' },
      act: { sub: 'evil' },
    }
    const answer = await other.ask(issueForm(await foreignToken(claims, { key: key.privateKey })))
    const said = readToken(answer).claims
    assert.equal(said['acr'], 'phr')
    assert.equal(said['sub'], 'user.alice')
    assert.equal(said['scope'], 'away:role.reader')
    assert.equal(said['exp'], START + 7200)
    assert.equal(said['iss'], OPENID_ISSUER)
    for (const name of ['uid', 'cnf', 'act', 'absent']) assert.equal(said[name], undefined, name)
    const stranger = await foreignToken({ ...claims, email: 'eve@example.org' }, { key: key.privateKey })
    assert.deepEqual(await other.ask(issueForm(stranger)), refusal(400, 'Invalid subject token - missing subject'))
  })
})

describe('an access token for a grant', () => {
  const typ = 'oauth-id-jag+jwt'
  const GOOD = {
    iss: OPENID_ISSUER,
    sub: 'user.alice',
    aud: OPENID_ISSUER,
    client_id: 'home.front',
    scope: 'away:role.reader away:role.limited',
  }
  const grant = (claims: object = {}) => ownToken({ ...GOOD, ...claims }, { typ })
  const trade = (assertion: string, form: Form = {}, options?: CallOptions) =>
    server.ask({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion, ...form }, options)

  test('is given to the client that the grant names', async () => {
    const jag = String((await issue(idToken)).body.access_token)
    const options = { as: 'home.front', principal: { x509Certificate: CERTIFICATE } }
    const answer = await trade(jag, {}, options)
    const { header, claims } = readToken(answer)
    assert.equal(header.typ, 'at+jwt')
    const { jti: _, ...rest } = claims
    assert.deepEqual(rest, {
      sub: 'user.alice',
      scp: ['reader'],
      ver: 1,
      iss: 'https://zts.example.com/zts/v1',
      client_id: 'home.front',
      aud: 'away',
      uid: 'user.alice',
      auth_time: START,
      scope: 'reader',
      exp: START + 3600,
      iat: START,
    })
    const { access_token: __, ...body } = answer.body
    assert.deepEqual(body, { token_type: 'Bearer', expires_in: 3600 })
  })

  test('says what was granted where that is less, or a whole domain was asked for', async () => {
    const scope = async (claims: object, form: Form = {}) =>
      (await trade(await grant(claims), form)).body.scope as string
    assert.equal(await scope({}), undefined)
    assert.equal(await scope({}, { scope: 'away:role.reader' }), undefined)
    assert.equal(await scope({ scope: 'away:role.reader away:role.writer' }), 'away:role.reader')
    const all = 'away:role.reader away:role.super-reader away:role.limited away:role.unruly away:role.people'
    assert.equal(await scope({ scope: 'away:domain' }), all)
    assert.equal(await scope({ scope: 'away:domain away:role.reader' }, { scope: 'away:role.reader' }), undefined)
  })

  test('takes blanks around the words of the scope, and nothing but blanks for none', async () => {
    const roles = async (scope: string) => readToken(await trade(await grant(), { scope })).claims['scp']
    assert.deepEqual(await roles('  away:role.limited '), ['limited'])
    assert.deepEqual(await roles(' '), ['reader', 'limited'])
  })

  test('shows full names and the audience asked for, when it is wanted so', async () => {
    const { claims } = readToken(
      await trade(await grant(), { full_arn: 'true', audience: 'https://api.example', scope: 'away:role.reader' }),
    )
    assert.deepEqual(claims['scp'], ['away:role.reader'])
    assert.equal(claims['aud'], 'https://api.example')
    const missing = refusal(400, 'Invalid request: no audience provided')
    assert.deepEqual(await trade(await grant(), { full_arn: 'true' }), missing)
  })

  test('has the only role in its audience, when it is wanted so and names are full', async () => {
    const audience = async (form: Form) => {
      const answer = await trade(await grant(), { role_in_aud_claim: 'true', ...form })
      return readToken(answer).claims['aud']
    }
    const full = { full_arn: 'true', audience: 'api', scope: 'away:role.reader' }
    assert.equal(await audience(full), 'api:away:role.reader')
    assert.equal(await audience({ ...full, scope: '' }), 'api')
    assert.equal(await audience({ scope: 'away:role.reader' }), 'away')
    const form = { ...full, role_in_aud_claim: 'true', audience: 'https://api.example' }
    const wrong = refusal(400, 'Invalid ServiceName error: not a valid ServiceName')
    assert.deepEqual(await trade(await grant(), form), wrong)
  })

  test('lives as long as grants for that kind of subject may, whatever is asked for', async () => {
    const life = async (claims: object, form: Form = {}) =>
      (await trade(await grant(claims), form)).body.expires_in as number
    const reader = { scope: 'away:role.reader' }
    assert.equal(await life(reader), 3600)
    assert.equal(await life(reader, { expires_in: '10' }), 3600)
    assert.equal(await life({ ...reader, sub: 'home.svc' }), 21_600)
    assert.equal(await life({}), 300)
  })

  test('names an actor for a caller with a certificate', async () => {
    const options = { as: 'home.front', principal: { x509Certificate: CERTIFICATE } }
    const { claims } = readToken(await trade(await grant(), { actor: 'home.back' }, options))
    assert.deepEqual(claims['may_act'], { sub: 'home.back' })
    assert.deepEqual(claims['act'], { sub: 'home.front' })
    assert.equal(claims['cnf'], undefined)
    const message = 'Actor parameter requires X.509 authenticated principal'
    assert.deepEqual(await trade(await grant(), { actor: 'home.back' }), refusal(403, message))
  })

  test('is given for a grant of a foreign issuer, and for the client id of the caller', async () => {
    const foreign = await foreignToken({ ...GOOD, iss: FOREIGN_ISSUER, client_id: 'front-client' }, { typ })
    assert.equal((await trade(foreign)).status, 200)
  })

  const AUDIENCE = 'Unknown jag assertion audience'
  const CLIENT = 'Invalid jag assertion client_id'
  const SCOPE = 'Invalid request: requested scope is not a subset of assertion scope'
  const refusals: readonly (readonly [string, object, Form, CallOptions, number, string])[] = [
    ['for another server', { aud: 'https://other.example' }, {}, {}, 400, AUDIENCE],
    ['for several servers', { aud: [OPENID_ISSUER, 'https://other.example'] }, {}, {}, 400, AUDIENCE],
    ['for no server', { aud: undefined }, {}, {}, 400, AUDIENCE],
    ['of another client', { client_id: 'home.back' }, {}, {}, 400, CLIENT],
    ['of no client', { client_id: undefined }, {}, {}, 400, CLIENT],
    ['of several clients', { client_id: ['home.front'] }, {}, {}, 400, CLIENT],
    ['in the hands of another client', {}, {}, { as: 'home.back' }, 400, CLIENT],
    ['without scope', { scope: undefined }, {}, {}, 400, 'Invalid jag assertion - missing scope'],
    ['without subject', { sub: undefined }, {}, {}, 400, 'Invalid jag assertion - missing subject'],
    ['for more than its scope', {}, { scope: 'away:role.unruly' }, {}, 400, SCOPE],
    ['for the same roles of another domain', {}, { scope: 'home:role.reader' }, {}, 400, SCOPE],
    ['for all of another domain', {}, { scope: 'home:domain' }, {}, 400, SCOPE],
    ['for all of its domain, of which it names roles', {}, { scope: 'away:domain' }, {}, 400, SCOPE],
    ['for a role without its domain', {}, { scope: 'reader' }, {}, 400, SCOPE],
    ['with nothing but blanks as scope', { scope: '  ' }, {}, {}, 400, 'Invalid jag assertion - missing scope'],
    [
      'for roles that its subject does not hold',
      { scope: 'away:role.writer' },
      {},
      {},
      403,
      'postaccesstokenrequest: principal user.alice is not included in the requested role(s) in domain away',
    ],
    ['for an unknown domain', { scope: 'nosuch:role.x' }, {}, {}, 404, 'No such domain: nosuch'],
    [
      'in the hands of a service that acts for somebody',
      {},
      {},
      { principal: { authorizedService: 'home.proxy' } },
      403,
      'Authorized service principal forbidden for jag token exchange',
    ],
    ['in the hands of nobody', {}, {}, { anonymous: true }, 401, 'Unauthenticated request'],
  ]
  for (const [what, claims, form, options, status, message] of refusals) {
    test(`is refused for a grant ${what}`, async () => {
      const answer = await trade(await grant(claims), form, { as: 'home.front', ...options })
      assert.deepEqual(answer, refusal(status, message))
    })
  }

  test('is refused for a grant that does not hold', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (const token of [
      await grant({ exp: START - 100 }),
      await ownToken(GOOD, { typ, key: other.privateKey }),
      await ownToken({ ...GOOD, iss: 'https://evil.example' }, { typ }),
      await foreignToken(GOOD, { typ }),
    ]) {
      const { status, body } = await trade(token)
      assert.equal(status, 400)
      assert.match(String(body.message), /^Invalid assertion token: /)
    }
  })

  test('is not given for an id token that passes itself off as a grant, nor is a grant an id token', async () => {
    assert.equal((await trade(await ownToken(GOOD))).status, 400)
    const { status, body } = await issue(await grant({ aud: 'home.front' }))
    assert.equal(status, 400)
    assert.match(String(body.message), /^Invalid subject token: type oauth-id-jag/)
  })
})
