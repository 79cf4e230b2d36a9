import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type CallOptions, refusal } from './harness.ts'
import {
  ACCESS_TOKEN,
  foreignToken,
  ID_TOKEN,
  ownToken,
  readToken,
  START,
  TRADE_DOMAINS,
  TradeServer,
} from './trade-server.ts'

type Form = Readonly<Record<string, string | undefined>>

const server = await TradeServer.open()
const token = await server.idToken('user.alice', 'home.front')

const exchange = (subjectToken: string | undefined, form: Form = {}, options?: CallOptions) =>
  server.ask(
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: ID_TOKEN,
      subject_token_type: ID_TOKEN,
      subject_token: subjectToken,
      audience: 'away.api',
      scope: 'openid away:role.reader',
      ...form,
    },
    options,
  )

/** Claims of an id token for `home.front`. */
const GOOD = { sub: 'user.alice', aud: 'home.front' }

describe('an exchange of id tokens', () => {
  test('gives one for the other service, with roles of the subject', async () => {
    const answer = await exchange(token)
    const { header, claims } = readToken(answer, 'id_token')
    assert.deepEqual(header, { kid: 'ec0', alg: 'ES256' })
    const { nonce, ...rest } = claims
    assert.match(String(nonce), /^[0-9a-f-]{36}$/)
    assert.deepEqual(rest, {
      sub: 'user.alice',
      aud: 'away.api',
      ver: 1,
      auth_time: START,
      iss: 'https://id.example.com/zts/v1',
      groups: ['away:role.reader'],
      exp: START + 3600,
      iat: START,
    })
    const { id_token: _, ...body } = answer.body
    assert.deepEqual(body, { token_type: 'Bearer', expires_in: 3600, issued_token_type: ID_TOKEN })
  })

  test('gives a life that is asked for', async () => {
    assert.equal((await exchange(token, { expires_in: '600' })).body.expires_in, 600)
    assert.equal((await exchange(token, { expires_in: '6000' })).body.expires_in, 3600)
  })

  test('takes tokens for the client id of the caller, and of foreign issuers', async () => {
    for (const each of [
      await ownToken({ ...GOOD, aud: 'front-client' }),
      await foreignToken(GOOD),
      await foreignToken({ ...GOOD, aud: 'front-client' }),
      await ownToken({ ...GOOD, aud: ['home.front'] }),
    ]) {
      const answer = await exchange(each)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
    }
  })

  test('hands on the SPIFFE id of the subject', async () => {
    const spiffe = 'spiffe://user/sa/alice'
    assert.equal(readToken(await exchange(await ownToken({ ...GOOD, spiffe })), 'id_token').claims['spiffe'], spiffe)
  })

  test('tells no groups', async () => {
    const { claims } = readToken(await exchange(token, { scope: 'openid away:group.x away:role.reader' }), 'id_token')
    assert.deepEqual(claims['groups'], ['away:role.reader'])
  })

  test('gives all roles of the subject where none is named', async () => {
    const open = await TradeServer.open()
    open.harness.receive({
      name: 'away',
      roles: [
        { name: 'away:role.reader', roleMembers: [{ memberName: 'user.alice' }] },
        { name: 'away:role.writer', roleMembers: [{ memberName: 'user.alice' }] },
        { name: 'away:role.exchangers', roleMembers: [{ memberName: 'home.front' }] },
      ],
      policies: [
        {
          name: 'away:policy.trade',
          active: true,
          assertions: [
            { role: 'away:role.exchangers', action: 'zts.id_token_exchange', resource: 'away:principal.*' },
            { role: 'away:role.reader', action: 'zts.id_token_exchange', resource: 'away:role.*' },
          ],
        },
      ],
    })
    open.harness.receive({ name: 'empty' })
    const ask = (scope: string) =>
      open.ask({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        requested_token_type: ID_TOKEN,
        subject_token_type: ID_TOKEN,
        subject_token: token,
        audience: 'away.api',
        scope,
      })
    for (const scope of ['openid', 'openid away:domain', 'openid roles away:domain', 'openid away:group.x']) {
      const { claims } = readToken(await ask(scope), 'id_token')
      assert.deepEqual(claims['groups'], ['away:role.reader', 'away:role.writer'])
    }
    const nothing = refusal(403, 'principal not included in requested roles')
    assert.deepEqual(await ask('openid empty:domain'), nothing)
  })

  const AUDIENCE = 'Invalid subject token audience'
  const foreignClient = ownToken({ ...GOOD, aud: 'home.back' })
  const refusals: readonly (readonly [string, Promise<string> | string, Form, CallOptions, number, string])[] = [
    ['of a token that was made for another service', foreignClient, {}, {}, 400, AUDIENCE],
    [
      'of a token that was made for several',
      ownToken({ ...GOOD, aud: ['home.front', 'home.back'] }),
      {},
      {},
      400,
      AUDIENCE,
    ],
    ['of a token that was made for nobody', ownToken({ ...GOOD, aud: undefined }), {}, {}, 400, AUDIENCE],
    [
      'of a token that was made for the name in capitals',
      ownToken({ ...GOOD, aud: 'Home.Front' }),
      {},
      {},
      400,
      AUDIENCE,
    ],
    ['by a caller whom the token was not made for', token, {}, { as: 'home.back' }, 400, AUDIENCE],
    [
      'of a token without subject',
      ownToken({ ...GOOD, sub: undefined }),
      {},
      {},
      400,
      'Invalid subject token - missing subject',
    ],
    [
      'of an access token',
      token,
      { subject_token_type: ACCESS_TOKEN },
      {},
      400,
      `Invalid subject token type: ${ACCESS_TOKEN}`,
    ],
    ['for no service', token, { audience: 'api' }, {}, 400, 'Invalid client id'],
    ['for what is no name', token, { audience: 'away:api' }, {}, 400, 'Invalid client id'],
    ['for nobody', token, { audience: undefined }, {}, 400, 'Invalid request: no audience provided'],
    ['for a service in an unknown domain', token, { audience: 'nosuch.api' }, {}, 404, 'No such domain: nosuch'],
    ['without scope', token, { scope: undefined }, {}, 400, 'Invalid request: no scope provided'],
    ['without openid', token, { scope: 'away:role.reader' }, {}, 400, 'openid scope not specified'],
    ['for a service in capitals', token, { audience: 'Away.api' }, {}, 404, 'No such domain: Away'],
    [
      'for roles that the subject does not hold',
      token,
      { scope: 'openid away:role.writer' },
      {},
      403,
      'principal not included in requested roles',
    ],
    [
      'for roles that the subject may not show',
      token,
      { scope: 'openid away:role.unruly' },
      {},
      403,
      'Principal not authorized for token exchange for the requested role',
    ],
    [
      'about a subject whom the domain does not let the caller speak for',
      ownToken({ ...GOOD, sub: 'home.svc' }),
      {},
      {},
      403,
      'Principal not authorized for id token exchange',
    ],
    ['to roles', token, {}, { principal: { roles: ['home:role.x'] } }, 403, 'Role Identity not authorized for request'],
    [
      'to services that act for somebody',
      token,
      {},
      { principal: { authorizedService: 'home.proxy' } },
      403,
      'Authorized service principal forbidden for id token exchange request',
    ],
    ['to nobody', token, {}, { anonymous: true }, 401, 'Unauthenticated request'],
  ]
  for (const [what, subjectToken, form, options, status, message] of refusals) {
    test(`is refused ${what}`, async () => {
      const answer = await exchange(await subjectToken, form, { as: 'home.front', ...options })
      assert.deepEqual(answer, refusal(status, message))
    })
  }

  test('is refused for a client id that two services have', async () => {
    const twice = await TradeServer.open({
      domains: [...TRADE_DOMAINS, { name: 'evil', services: [{ name: 'evil.svc', clientId: 'front-client' }] }],
    })
    const stolen = await ownToken({ ...GOOD, aud: 'front-client' })
    const form = {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      requested_token_type: ID_TOKEN,
      subject_token_type: ID_TOKEN,
      subject_token: stolen,
      audience: 'away.api',
      scope: 'openid away:role.reader',
    }
    for (const as of ['evil.svc', 'home.front']) assert.deepEqual(await twice.ask(form, { as }), refusal(400, AUDIENCE))
  })
})
