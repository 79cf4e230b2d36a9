import assert from 'node:assert/strict'
import { createHash, createPublicKey, createSecretKey, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { CallOptions } from './harness.ts'
import { refusal, TEST_KEY } from './harness.ts'
import { serviceKey } from './token-parts.ts'
import {
  ACCESS_TOKEN,
  CERTIFICATE,
  FOREIGN_ISSUER,
  foreignToken,
  ID_TOKEN,
  JAG,
  JWT,
  ownToken,
  readToken,
  START,
  type TokenOptions,
  TRADE_DOMAINS,
  TradeServer,
} from './trade-server.ts'

type Form = Readonly<Record<string, string | undefined>>

const exchangeForm = (subjectToken: string | undefined, form: Form = {}): Form => ({
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: ACCESS_TOKEN,
  subject_token: subjectToken,
  audience: 'away',
  scope: 'away:role.reader',
  ...form,
})

const server = await TradeServer.open()
const alice = await server.accessToken('user.alice', 'home:domain')
const aliceReader = await server.accessToken('user.alice', 'home:role.reader')
const subject = await server.accessToken('user.alice', 'home:role.reader', { actor: 'home.front' })
const front = await server.accessToken('home.front', 'home:role.reader')

const exchange = (subjectToken: string | undefined, form?: Form, options?: CallOptions) =>
  server.ask(exchangeForm(subjectToken, form), options)

/** Claims of a token that holds; each test says what is different in its own. */
const GOOD = { sub: 'user.alice', aud: 'home', scope: 'reader' }

describe('impersonation', () => {
  test('gives the caller a token of the other domain about the subject', async () => {
    const answer = await exchange(alice, {}, { as: 'home.front', principal: { x509Certificate: CERTIFICATE } })
    const { header, claims } = readToken(answer)
    assert.deepEqual(header, { kid: 'ec0', typ: 'at+jwt', alg: 'ES256' })
    const { jti, ...rest } = claims
    assert.match(String(jti), /^[0-9a-f-]{36}$/)
    assert.deepEqual(rest, {
      sub: 'user.alice',
      scp: ['reader'],
      ver: 1,
      iss: 'https://zts.example.com/zts/v1',
      client_id: 'home.front',
      aud: 'away',
      uid: 'home.front',
      auth_time: START,
      scope: 'reader',
      cnf: { 'x5t#S256': createHash('sha256').update('certificate').digest('base64url') },
      exp: START + 7200,
      iat: START,
    })
    const { access_token: _, ...body } = answer.body
    assert.deepEqual(body, { token_type: 'Bearer', expires_in: 7200, scope: 'away:role.reader' })
  })

  const variants: readonly (readonly [string, Form])[] = [
    ['the default requested type', { requested_token_type: '' }],
    ['the requested type said', { requested_token_type: ACCESS_TOKEN }],
    ['a token of unsaid kind', { subject_token_type: JWT }],
    ['a token as id token', { subject_token_type: ID_TOKEN }],
    ['a service in the scope as well', { scope: 'away:role.reader away:service.api' }],
  ]
  for (const [what, form] of variants) {
    test(`takes ${what}`, async () => {
      assert.deepEqual(readToken(await exchange(alice, form)).claims['scp'], ['reader'])
    })
  }

  test('without certificate binds the token to none', async () => {
    assert.equal(readToken(await exchange(alice)).claims['cnf'], undefined)
  })

  test('gives all roles of the token that the subject holds in the other domain', async () => {
    for (const scope of ['', undefined, 'away:domain', 'away:service.api']) {
      const answer = await exchange(alice, { scope })
      assert.deepEqual(readToken(answer).claims['scp'], ['reader'])
      assert.equal(answer.body.scope, 'away:role.reader')
    }
  })

  test('gives no role that only ends like one of the token', async () => {
    const answer = await exchange(aliceReader, { scope: undefined })
    assert.equal(readToken(answer).claims['scope'], 'reader')
    const end = await ownToken({ ...GOOD, scope: 'ader' })
    assert.equal((await exchange(end, { scope: undefined })).status, 403)
  })

  test('lives as long as the request and the roles say', async () => {
    const life = async (form: Form, scope = 'reader') => {
      const { claims } = readToken(await exchange(await ownToken({ ...GOOD, scope }), { scope: undefined, ...form }))
      return Number(claims['exp']) - START
    }
    assert.equal(await life({ expires_in: '300' }), 300)
    assert.equal(await life({ expires_in: '99999999' }), 2_592_000)
    assert.equal(await life({}, 'reader limited'), 300)
  })

  test('names the issuer and the resource that are asked for', async () => {
    const { claims } = readToken(await exchange(alice, { openid_issuer: 'true', resource: 'https://api.example' }))
    assert.equal(claims['iss'], 'https://id.example.com/zts/v1')
    assert.equal(claims['resource'], 'https://api.example')
  })

  test('does not let the caller name an actor', async () => {
    assert.equal(readToken(await exchange(alice, { actor: 'home.back' })).claims['may_act'], undefined)
  })

  const refusals: readonly (readonly [string, Form, CallOptions, number, string])[] = [
    ['without audience', { audience: '' }, {}, 400, 'Invalid request: no audience provided'],
    ['for no domain', { audience: 'a b' }, {}, 400, 'Invalid DomainName error: not a valid DomainName'],
    ['for an unknown domain', { audience: 'nosuch', scope: '' }, {}, 404, 'No such target domain: nosuch'],
    ['for a domain in capitals', { audience: 'AWAY' }, {}, 404, 'No such target domain: AWAY'],
    ['for roles not in the token', { scope: 'away:role.limited' }, {}, 400, 'Invalid scope for token exchange'],
    ['for roles of another domain', { scope: 'home:role.reader' }, {}, 400, 'Invalid scope for token exchange'],
    ['for roles of two domains', { scope: 'home:role.a away:role.b' }, {}, 400, 'Multiple domains in scope'],
    [
      'for roles that the subject does not hold',
      { scope: 'away:role.writer' },
      {},
      403,
      'postaccesstokenrequest: principal user.alice is not included in the requested role(s) in domain away',
    ],
    [
      'to those whom the source domain does not let',
      {},
      { as: 'home.back' },
      403,
      'Principal not authorized for token impersonation from source domain',
    ],
    [
      'to those whom nobody lets',
      {},
      { as: 'user.nobody' },
      403,
      'Principal not authorized for token impersonation from source domain',
    ],
    [
      'to the subject itself',
      {},
      { as: 'user.alice' },
      403,
      'Principal not authorized for token impersonation from source domain',
    ],
    [
      'to services that act for somebody',
      {},
      { as: 'home.front', principal: { authorizedService: 'home.proxy' } },
      403,
      'Authorized service principal forbidden for token exchange',
    ],
    [
      'to roles',
      {},
      { as: 'home.front', principal: { roles: ['home:role.exchangers'] } },
      403,
      'Role Identity not authorized for request',
    ],
    [
      'to certificates that may only authenticate',
      {},
      { as: 'home.front', principal: { mtlsRestricted: true } },
      403,
      'Principal not authorized for token impersonation from source domain',
    ],
    ['to nobody', {}, { anonymous: true }, 401, 'Unauthenticated request'],
    ['as another kind', { subject_token_type: 'junk' }, {}, 400, 'Invalid subject token type: junk'],
    ['as a grant', { subject_token_type: JAG }, {}, 400, `Invalid subject token type: ${JAG}`],
    ['without a kind', { subject_token_type: undefined }, {}, 400, 'Invalid subject token type: null'],
    ['without a token', { subject_token: undefined }, {}, 400, 'Invalid request: no subject token provided'],
    ['with an actor that is none', { actor: 'a b' }, {}, 400, 'Invalid ServiceName error: not a valid ServiceName'],
  ]
  for (const [what, form, options, status, message] of refusals) {
    test(`is refused ${what}`, async () => {
      assert.deepEqual(await exchange(alice, form, { as: 'home.front', ...options }), refusal(status, message))
    })
  }

  test('is refused for a role that the other domain does not let the caller have', async () => {
    const token = await ownToken({ ...GOOD, scope: 'reader unruly' })
    const message = 'Principal not authorized for token exchange for the requested role'
    assert.deepEqual(await exchange(token, { scope: 'away:role.unruly' }), refusal(403, message))
    assert.deepEqual(await exchange(token, { scope: 'away:domain' }), refusal(403, message))
    assert.equal((await exchange(token)).status, 200)
  })
})

describe('the token of the subject', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const publicPem = createPublicKey(TEST_KEY).export({ type: 'spki', format: 'pem' })
  const secret = createSecretKey(Buffer.from(publicPem))
  const segment = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const times = { iat: START, exp: START + 600 }
  const unsigned = (alg: string, signature = '') =>
    `${segment({ alg, kid: 'ec0' })}.${segment({ iss: 'https://zts.example.com/zts/v1', ...GOOD, ...times })}.${signature}`

  const accepted: readonly (readonly [string, Promise<string>])[] = [
    ['of this server', ownToken(GOOD)],
    ['of this server by its other name', ownToken({ ...GOOD, iss: 'https://id.example.com/zts/v1' })],
    ['with a type', ownToken(GOOD, { typ: 'at+jwt' })],
    ['with another type', ownToken(GOOD, { typ: 'JWT' })],
    ['of a foreign issuer', foreignToken(GOOD)],
    ['about an external member', ownToken({ ...GOOD, sub: 'home:ext.pat@example.org' })],
    ['for one audience in a list', ownToken({ ...GOOD, aud: ['home'] })],
    ['that expired within the tolerance', ownToken({ ...GOOD, exp: START - 59 })],
  ]
  for (const [what, token] of accepted) {
    test(`is accepted ${what}`, async () => {
      const answer = await exchange(await token)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
    })
  }

  const refused: readonly (readonly [string, Promise<string> | string, number, RegExp])[] = [
    ['changed', `${alice}x`, 400, /^Invalid subject token: /],
    ['that is no token', 'a.b.c', 400, /^Invalid subject token: the header is not a JSON object/],
    ['without algorithm', unsigned('none'), 400, /the signature is missing/],
    ['without algorithm, signed', unsigned('none', 'AAAA'), 400, /algorithm none is not accepted/],
    ['without algorithm in other letters', unsigned('nOnE', 'AAAA'), 400, /algorithm nOnE is not accepted/],
    ['with the public key as secret', ownToken(GOOD, { key: secret, alg: 'HS256' }), 400, /HS256 is not accepted/],
    ['of another algorithm than its key', ownToken(GOOD, { key: rsa.privateKey, alg: 'RS256' }), 400, /not match/],
    ['signed by somebody else', ownToken(GOOD, { key: other.privateKey }), 400, /the signature does not match/],
    ['signed with an unknown key', ownToken(GOOD, { kid: 'nosuch' }), 400, /key nosuch is not known/],
    ['with a path as key id', ownToken(GOOD, { kid: '../../ec0' }), 400, /is not known/],
    ['that names no key', ownToken(GOOD, { kid: undefined }), 400, /is not known/],
    ['of this server with a foreign key', ownToken(GOOD, { key: other.privateKey, kid: 'f' }), 400, /is not known/],
    ['of a foreign issuer with our key', foreignToken(GOOD, { key: TEST_KEY, kid: 'ec0' }), 400, /is not known/],
    ['of an unknown issuer', ownToken({ ...GOOD, iss: 'https://evil.example' }), 400, /the issuer is not known/],
    ['of an issuer almost known', foreignToken({ ...GOOD, iss: `${FOREIGN_ISSUER}/` }), 400, /issuer is not known/],
    ['of no issuer', ownToken({ ...GOOD, iss: undefined }), 400, /the issuer is not known/],
    ['of several issuers', ownToken({ ...GOOD, iss: [FOREIGN_ISSUER] as never }), 400, /the issuer is not known/],
    ['that expired', ownToken({ ...GOOD, exp: START - 60 }), 400, /expired at/],
    ['that never expires', ownToken({ ...GOOD, exp: undefined }), 400, /no time of expiry/],
    ['that is not valid yet', ownToken({ ...GOOD, nbf: START + 61 }), 400, /valid from/],
    ['of another type', ownToken(GOOD, { typ: 'oauth-id-jag+jwt' }), 400, /type oauth-id-jag\+jwt/],
    ['of the type of events', ownToken(GOOD, { typ: 'secevent+jwt' }), 400, /type secevent\+jwt/],
    ['without subject', ownToken({ ...GOOD, sub: undefined }), 400, /^Invalid subject token - missing subject$/],
    ['with an empty subject', ownToken({ ...GOOD, sub: '' }), 400, /the subject is not the name of a principal/],
    ['about a wildcard', ownToken({ ...GOOD, sub: '*' }), 400, /the subject is not the name of a principal/],
    ['about a group', ownToken({ ...GOOD, sub: 'away:group.x' }), 400, /the subject is not the name of a principal/],
    ['about no external member', ownToken({ ...GOOD, sub: 'home:ext.*' }), 400, /not the name of a principal/],
    ['about somebody in capitals', foreignToken({ ...GOOD, sub: 'user.Alice' }), 400, /not the name of a principal/],
    ['about no principal', foreignToken({ ...GOOD, sub: 'alice' }), 400, /the subject is not the name of a principal/],
    ['without audience', ownToken({ ...GOOD, aud: undefined }), 404, /^No such source domain: $/],
    ['for several audiences', ownToken({ ...GOOD, aud: ['home', 'away'] }), 404, /^No such source domain: $/],
    ['for another domain', ownToken({ ...GOOD, aud: 'nosuch' }), 404, /^No such source domain: nosuch$/],
    ['without scope', ownToken({ ...GOOD, scope: undefined }), 400, /^Invalid scope for token exchange$/],
    ['with a scope that is none', ownToken({ ...GOOD, scope: 'reader *' }), 400, /^Invalid scope for token exchange$/],
    ['with a list as scope', ownToken({ ...GOOD, scope: ['reader'] }), 400, /^Invalid scope for token exchange$/],
    [
      'with roles by full name',
      ownToken({ ...GOOD, scope: 'away:role.reader' }),
      400,
      /^Invalid scope for token exchange$/,
    ],
  ]
  for (const [what, token, status, reason] of refused) {
    test(`is refused ${what}`, async () => {
      const { body, ...answer } = await exchange(await token, { scope: undefined })
      assert.equal(answer.status, status, JSON.stringify(body))
      assert.match(String(body.message), reason)
    })
  }

  test('is refused when it has expired since it was last taken', async () => {
    const replaying = await TradeServer.open()
    const token = await ownToken(GOOD)
    const again = () => replaying.ask(exchangeForm(token))
    assert.equal((await again()).status, 200)
    replaying.harness.clock.millis += 660_000
    const { status, body } = await again()
    assert.equal(status, 400)
    assert.match(String(body.message), /^Invalid subject token: expired/)
  })

  test('is refused when its subject has lost the role', async () => {
    const losing = await TradeServer.open()
    const token = await ownToken(GOOD)
    assert.equal((await losing.ask(exchangeForm(token))).status, 200)
    losing.harness.receive({ name: 'away', roles: [{ name: 'away:role.reader', roleMembers: [] }] })
    assert.equal((await losing.ask(exchangeForm(token))).status, 403)
  })

  test('hands its SPIFFE id on when that is the id of its subject', async () => {
    const spiffe = 'spiffe://athenz.io/ns/prod/sa/home.svc'
    for (const token of [
      await ownToken({ ...GOOD, sub: 'home.svc', spiffe }),
      await ownToken({ ...GOOD, sub: spiffe }),
    ]) {
      const { claims } = readToken(await exchange(token))
      assert.equal(claims['sub'], 'home.svc')
      assert.equal(claims['spiffe'], spiffe)
    }
    for (const claims of [
      { ...GOOD, spiffe },
      { ...GOOD, sub: spiffe, spiffe: 'spiffe://home/sa/other' },
      { ...GOOD, sub: 'spiffe://evil.example/ns/prod/sa/home.svc' },
      { ...GOOD, sub: 'home.svc', spiffe: 'spiffe://' },
    ]) {
      const message = 'SPIFFE ID does not match authenticated principal'
      assert.deepEqual(await exchange(await ownToken(claims)), refusal(400, message))
    }
  })
})

describe('delegation', () => {
  const withActor = (form: Form = {}): Form => ({ actor_token: front, actor_token_type: ACCESS_TOKEN, ...form })

  test('gives a token that names the actor', async () => {
    const options = { as: 'home.front', principal: { x509Certificate: CERTIFICATE } }
    const { claims } = readToken(await exchange(subject, withActor(), options))
    assert.deepEqual(claims['act'], { sub: 'home.front' })
    assert.equal(claims['sub'], 'user.alice')
    assert.equal(claims['client_id'], 'home.front')
    assert.equal(claims['cnf'], undefined)
    assert.equal(claims['may_act'], undefined)
  })

  test('needs no leave of the source domain', async () => {
    const back = await ownToken({ sub: 'home.back', aud: 'home' })
    const token = await ownToken({ ...GOOD, may_act: { sub: 'home.back' } })
    const answer = await exchange(token, withActor({ actor_token: back }), { as: 'home.back' })
    assert.deepEqual(readToken(answer).claims['act'], { sub: 'home.back' })
  })

  test('remembers those who acted before, and names who may act next', async () => {
    const token = await ownToken({ ...GOOD, may_act: { sub: 'home.front' }, act: { sub: 'home.back' } })
    const { claims } = readToken(await exchange(token, withActor({ actor: 'home.back' })))
    assert.deepEqual(claims['act'], { sub: 'home.front', act: { sub: 'home.back' } })
    assert.deepEqual(claims['may_act'], { sub: 'home.back' })
  })

  test('takes the actor for the caller when there is no other', async () => {
    const { claims } = readToken(await exchange(subject, withActor(), { anonymous: true }))
    assert.equal(claims['client_id'], 'home.front')
  })

  describe('by a token that the actor has signed itself', async () => {
    const frontKey = serviceKey()
    const domains = TRADE_DOMAINS.map((domain) =>
      domain.name === 'home'
        ? { ...domain, services: [{ name: 'home.front', publicKeys: [{ id: 'k', key: frontKey.registered }] }] }
        : domain,
    )
    const trading = await TradeServer.open({ domains })
    const own = { iss: 'home.front', sub: 'home.front', aud: 'https://zts.example.com/zts/v1' }
    const actorToken = (claims: object = {}, options: TokenOptions = {}) =>
      ownToken({ ...own, ...claims }, { key: frontKey.privateKey, kid: 'k', ...options })
    const ask = async (actor: Promise<string>, options: CallOptions = { as: 'home.front' }) =>
      trading.ask(exchangeForm(subject, withActor({ actor_token: await actor, actor_token_type: JWT })), options)

    test('gives a token that names the actor, who may be the caller by it', async () => {
      for (const options of [{ as: 'home.front' }, { anonymous: true }]) {
        assert.deepEqual(readToken(await ask(actorToken(), options)).claims['act'], { sub: 'home.front' })
      }
    })

    const refused: readonly (readonly [string, Promise<string>, RegExp])[] = [
      ['for another server', actorToken({ aud: 'https://other.example' }), /the issuer is not known/],
      ['for nobody', actorToken({ aud: undefined }), /the issuer is not known/],
      ['about another service', actorToken({ sub: 'home.back' }), /the issuer is not known/],
      ['in the name of a user', actorToken({ iss: 'user.alice', sub: 'user.alice' }), /the issuer is not known/],
      ['with an unknown key', actorToken({}, { kid: 'x' }), /key x is not known/],
      ['with the key of this server', actorToken({}, { key: TEST_KEY }), /the signature does not match/],
      ['that has expired', actorToken({ exp: START - 100 }), /expired/],
    ]
    for (const [what, token, reason] of refused) {
      test(`is refused ${what}`, async () => {
        const { status, body } = await ask(token)
        assert.equal(status, 400)
        assert.match(String(body.message), /^Invalid actor token: /)
        assert.match(String(body.message), reason)
      })
    }

    test('is no token of a subject', async () => {
      const { status, body } = await trading.ask(exchangeForm(await actorToken()))
      assert.deepEqual([status, body.message], [400, 'Invalid subject token: the issuer is not known'])
    })
  })

  const NO_MAY_ACT = 'Invalid subject token: missing may_act claim'
  const OTHER_ACTOR = 'Invalid subject token: may_act sub does not match actor token subject'
  const refusals: readonly (readonly [string, Promise<string> | string, Form, CallOptions, number, string])[] = [
    [
      'to another caller than the actor',
      subject,
      {},
      { as: 'home.back' },
      403,
      'Request principal does not match actor token principal',
    ],
    ['when the subject named no actor', alice, {}, {}, 400, NO_MAY_ACT],
    ['when it named one in another way', ownToken({ ...GOOD, may_act: 'home.front' }), {}, {}, 400, NO_MAY_ACT],
    [
      'when it named one among others',
      ownToken({ ...GOOD, may_act: [{ sub: 'home.front' }] }),
      {},
      {},
      400,
      NO_MAY_ACT,
    ],
    ['when it named nobody', ownToken({ ...GOOD, may_act: {} }), {}, {}, 400, NO_MAY_ACT],
    ['when it named no text', ownToken({ ...GOOD, may_act: { sub: ['home.front'] } }), {}, {}, 400, OTHER_ACTOR],
    ['when it named somebody else', ownToken({ ...GOOD, may_act: { sub: 'home.back' } }), {}, {}, 400, OTHER_ACTOR],
    ['with an actor of another kind', subject, { actor_token_type: 'junk' }, {}, 400, 'Invalid actor token type: junk'],
    ['with an actor of no kind', subject, { actor_token_type: undefined }, {}, 400, 'Invalid actor token type: null'],
  ]
  for (const [what, token, form, options, status, message] of refusals) {
    test(`is refused ${what}`, async () => {
      const answer = await exchange(await token, withActor(form), { as: 'home.front', ...options })
      assert.deepEqual(answer, refusal(status, message))
    })
  }

  test('is refused with a token of the actor that does not hold', async () => {
    for (const actorToken of ['a.b.c', `${front}x`, await ownToken({ sub: 'home.front', exp: START - 100 })]) {
      const { status, body } = await exchange(subject, withActor({ actor_token: actorToken }))
      assert.equal(status, 400)
      assert.match(String(body.message), /^Invalid actor token: /)
    }
  })

  test('is refused for an actor without name, though the subject named none either', async () => {
    const nobody = await ownToken({ aud: 'home' })
    const token = await ownToken({ ...GOOD, may_act: { sub: null } })
    assert.deepEqual(await exchange(token, withActor({ actor_token: nobody })), refusal(400, OTHER_ACTOR))
  })
})
