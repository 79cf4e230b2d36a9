import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { jwtVerify } from 'jose'
import { idTokenService } from '#zts/service/id-token.ts'
import { Issuers } from '#zts/service/issuers.ts'
import { PrincipalIssuers } from '#zts/service/principal-issuers.ts'
import { type CallOptions, Harness, type HarnessOptions, refusal, START_MILLIS, TEST_KEY } from './harness.ts'

const START = START_MILLIS / 1000
const HOUR = 3600

const issuers = new Issuers({
  oauthIssuer: 'https://oauth.example',
  openIdIssuer: 'https://openid.example',
  oidcPortIssuer: 'https://port.example',
  oidcPort: 9443,
  hostname: 'zts.example.com',
  byHost: new Map([['mapped.example', 'https://issuer.mapped.example']]),
})

const role = (domain: string, name: string, members: readonly object[], more: object = {}) => ({
  name: `${domain}:role.${name}`,
  roleMembers: members,
  ...more,
})
const group = (name: string, members: readonly object[]) => ({ name: `sports:group.${name}`, groupMembers: members })
const member = (memberName: string, more: object = {}) => ({ memberName, ...more })

const sports = {
  name: 'sports',
  services: [
    { name: 'sports.api', providerEndpoint: 'https://API.sports.example/callback?x=1' },
    { name: 'sports.plain' },
  ],
  roles: [
    role('sports', 'reader', [member('sports.svc'), member('user.alice')]),
    role('sports', 'super-reader', [member('sports.svc')]),
    role('sports', 'writer', [member('sports.svc')]),
  ],
  groups: [
    group('team', [member('sports.svc'), member('user.alice')]),
    group('club', [member('user.zed')]),
    group('former', [
      member('user.alice', { expiration: '2026-08-01T00:00:00.000Z' }),
      member('sports.svc', { systemDisabled: 1 }),
    ]),
  ],
}
const media = { name: 'media', roles: [role('media', 'reader', [member('user.alice'), member('sports.svc')])] }
const users = {
  name: 'user',
  roles: [
    role('user', 'short', [member('user.alice'), member('user.bob')], {
      tags: { 'zts.UserTokenTimeout': { list: ['1800'] } },
    }),
    role('user', 'long', [member('user.bob')], { tags: { 'zts.UserTokenTimeout': { list: ['28800', '40000'] } } }),
    role('user', 'forever', [member('user.eve')], { tags: { 'zts.UserTokenTimeout': { list: ['99999999'] } } }),
    role('user', 'junk', [member('user.joe')], { tags: { 'zts.UserTokenTimeout': { list: ['-5'] } } }),
  ],
}

const open = (options: Partial<HarnessOptions> = {}) =>
  Harness.open({
    services: [(parts) => idTokenService({ ...parts, issuers, principalIssuers: new PrincipalIssuers() })],
    domains: [sports, media],
    ...options,
    properties: { redirect_uri_suffix: '.athenz.example', ...options.properties },
  })

interface Query {
  readonly [name: string]: string | undefined
}
const target = (query: Query): string => {
  const all = { response_type: 'id_token', client_id: 'sports.api', nonce: 'n1', scope: 'openid', ...query }
  const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return `/oauth2/auth?${new URLSearchParams(given).toString()}`
}

const publicKey = createPublicKey(TEST_KEY)

/** The claims of a token after jose has verified it. */
async function claimsOf(token: string, key = publicKey) {
  const { payload, protectedHeader } = await jwtVerify(token, key, { currentDate: new Date(START_MILLIS) })
  return { claims: payload, header: protectedHeader }
}

async function ask(harness: Harness, query: Query, options: CallOptions = { as: 'sports.svc' }) {
  const answer = await harness.get(target({ output: 'json', ...query }), options)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return (await claimsOf(answer.body.id_token as string)).claims
}

describe('id tokens', () => {
  test('say who somebody is, and are verified by another library', async () => {
    const harness = await open()
    const answer = await harness.get(target({ output: 'json' }), { as: 'sports.svc' })
    const { id_token: token, ...rest } = answer.body as Record<string, unknown>
    const end = START + 12 * HOUR
    assert.deepEqual(rest, {
      version: 1,
      token_type: 'urn:ietf:params:oauth:token-type:id_token',
      success: true,
      expiration_time: end,
    })
    const { claims, header } = await claimsOf(token as string)
    assert.deepEqual(header, { kid: 'ec0', alg: 'ES256' })
    assert.deepEqual(claims, {
      sub: 'sports.svc',
      aud: 'sports.api',
      ver: 1,
      auth_time: START,
      iss: 'https://openid.example',
      exp: end,
      iat: START,
      nonce: 'n1',
    })
    assert.equal(answer.headers['location'], undefined)
  })

  test('write the name of the client in lower case, and JSON in any', async () => {
    assert.equal((await ask(await open(), { client_id: 'Sports.API', output: 'JSON' })).aud, 'sports.api')
  })

  test('go into the address of a redirect', async () => {
    const harness = await open()
    const uri = 'https://api.sports.athenz.example'
    const answer = await harness.get(target({ redirect_uri: uri, state: 's1' }), { as: 'sports.svc' })
    assert.equal(answer.status, 302)
    const [, token, state] = /^https:\/\/api\.sports\.athenz\.example#id_token=([^&]+)&state=(.*)$/.exec(
      answer.headers['location'] ?? '',
    ) as unknown as [string, string, string]
    assert.equal(state, 's1')
    assert.equal((await claimsOf(token)).claims.sub, 'sports.svc')
    const both = await harness.get(target({ redirect_uri: uri, output: 'json' }), { as: 'sports.svc' })
    assert.equal(both.status, 200)
    assert.equal(both.headers['location'], `${uri}#id_token=${both.body.id_token as string}`)
  })

  test('name the issuer of the host or port that was asked', async () => {
    const harness = await open()
    const issuer = async (options: CallOptions) => (await ask(harness, {}, { as: 'sports.svc', ...options })).iss
    assert.equal(await issuer({ context: { localPort: 9443 } }), 'https://port.example')
    assert.equal(await issuer({ headers: { host: 'Mapped.example:4443' } }), 'https://issuer.mapped.example')
  })

  test('are signed with the kind of key that is asked for, if there is one', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const both = await open({ keys: { rsa: rsa.privateKey, ec: TEST_KEY } })
    for (const [keyType, alg] of [
      ['RSA', 'RS256'],
      ['rsa', 'RS256'],
      ['EC', 'ES256'],
      ['junk', 'ES256'],
      ['', 'ES256'],
    ] as const) {
      const answer = await both.get(target({ output: 'json', keyType }), { as: 'sports.svc' })
      const key = alg === 'RS256' ? rsa.publicKey : publicKey
      assert.equal((await claimsOf(answer.body.id_token as string, key)).header.alg, alg, keyType)
    }
  })

  const addresses: readonly (readonly [string, string | undefined, boolean])[] = [
    ['made of the name of the service', 'https://api.sports.athenz.example', true],
    ['made of that name in other letters', 'https://API.sports.athenz.example', true],
    ['registered for the service', 'https://api.sports.example/callback?x=1', true],
    ['with a further path', 'https://api.sports.athenz.example/cb', false],
    ['with another host before a user name', 'https://api.sports.athenz.example@evil.example', false],
    ['with a longer host', 'https://api.sports.athenz.example.evil.example', false],
    ['of another scheme', 'http://api.sports.athenz.example', false],
    ['of another service', 'https://plain.sports.athenz.example', false],
    ['that is a fragment longer', 'https://api.sports.athenz.example#', false],
    ['elsewhere', 'https://evil.example', false],
    ['empty', '', false],
    ['not given', undefined, false],
  ]
  for (const [what, redirectUri, accepted] of addresses) {
    test(`${accepted ? 'are' : 'are not'} sent to an address ${what}`, async () => {
      const harness = await open()
      const answer = await harness.get(target({ redirect_uri: redirectUri }), { as: 'sports.svc' })
      if (accepted) assert.equal(answer.status, 302)
      else assert.deepEqual(answer, refusal(400, 'invalid redirect uri'))
    })
  }

  test('are sent nowhere for a service that does not exist', async () => {
    const query = { client_id: 'sports.nosuch', redirect_uri: 'https://nosuch.sports.athenz.example' }
    assert.deepEqual(await (await open()).get(target(query)), refusal(400, 'invalid redirect uri'))
  })

  test('are sent nowhere when nothing is registered or configured', async () => {
    const harness = await open({ properties: { redirect_uri_suffix: '' } })
    const query = { client_id: 'sports.plain', redirect_uri: 'https://plain.sports' }
    assert.deepEqual(await harness.get(target(query)), refusal(400, 'invalid redirect uri'))
  })
})

describe('groups in id tokens', () => {
  const full = (name: string) => `sports:role.${name}`
  const cases: readonly (readonly [string, Query, readonly string[] | undefined])[] = [
    ['none without the word', { scope: 'openid' }, undefined],
    ['none for a whole domain without the word', { scope: 'openid sports:domain' }, undefined],
    ['all roles in the domain of the client', { scope: 'openid roles' }, ['reader', 'super-reader', 'writer']],
    ['all groups in the domain of the client', { scope: 'openid groups' }, ['sports:group.team']],
    ['groups win', { scope: 'openid roles groups' }, ['sports:group.team']],
    ['a role', { scope: 'openid sports:role.reader' }, ['reader']],
    ['none for what is no item in these letters', { scope: 'OpenID Sports:Role.Reader' }, undefined],
    ['none for an unknown domain without the word', { scope: 'openid nosuch:domain' }, undefined],
    ['a role with full names', { scope: 'openid sports:role.reader', fullArn: 'true' }, [full('reader')]],
    ['a role that is held among others', { scope: 'openid sports:role.reader sports:role.x' }, ['reader']],
    ['a group and a role', { scope: 'openid sports:group.team sports:role.reader' }, ['sports:group.team']],
    ['a whole domain', { scope: 'openid roles sports:domain' }, ['reader', 'super-reader', 'writer']],
    ['a role in another domain', { scope: 'openid media:role.reader' }, ['media:role.reader']],
    [
      'roles in two domains',
      { scope: 'openid media:role.reader sports:role.reader' },
      ['media:role.reader', full('reader')],
    ],
  ]
  for (const [what, query, groups] of cases) {
    test(what, async () => assert.deepEqual((await ask(await open(), query))['groups'], groups))
  }

  test('are left out when there are none and none is named', async () => {
    const harness = await open()
    for (const scope of ['openid roles', 'openid groups', 'openid roles sports:domain']) {
      assert.equal((await ask(harness, { scope }, { as: 'user.nobody' }))['groups'], undefined)
    }
  })

  test('may be part of the audience when it is exactly one', async () => {
    const harness = await open()
    const audience = async (scope: string, fullArn = 'false') =>
      (await ask(harness, { scope, fullArn, roleInAudClaim: 'true' })).aud
    assert.equal(await audience('openid sports:role.reader'), 'sports.api:reader')
    assert.equal(await audience('openid sports:role.reader', 'true'), 'sports.api:sports:role.reader')
    assert.equal(await audience('openid sports:group.team'), 'sports.api:sports:group.team')
    assert.equal(await audience('openid sports:role.reader sports:role.writer'), 'sports.api')
    assert.equal(await audience('openid'), 'sports.api')
  })

  const refusals: readonly (readonly [string, Query, CallOptions, number, string])[] = [
    ['no role held', { scope: 'openid sports:role.x' }, {}, 403, 'principal not included in requested roles'],
    [
      'a role by the end of its name',
      { scope: 'openid sports:role.ader' },
      {},
      403,
      'principal not included in requested roles',
    ],
    ['no group held', { scope: 'openid sports:group.club' }, {}, 403, 'principal not included in requested groups'],
    [
      'an expired membership in a group',
      { scope: 'openid sports:group.former' },
      { as: 'user.alice' },
      403,
      'principal not included in requested groups',
    ],
    [
      'a suspended membership in a group',
      { scope: 'openid sports:group.former' },
      {},
      403,
      'principal not included in requested groups',
    ],
    [
      'not all roles held',
      { scope: 'openid sports:role.reader sports:role.writer', allScopePresent: 'true' },
      { as: 'user.alice' },
      403,
      'principal not included in all requested roles',
    ],
    [
      'not all groups held',
      { scope: 'openid sports:group.team sports:group.club', allScopePresent: 'true' },
      { as: 'user.alice' },
      403,
      'principal not included in all requested groups',
    ],
    ['an unknown domain', { scope: 'openid nosuch:role.x' }, {}, 404, 'No such domain: nosuch'],
    ['a domain in capitals', { scope: 'openid Sports:role.reader' }, {}, 404, 'No such domain: Sports'],
    ['what is no domain', { scope: 'openid a*b:role.reader' }, {}, 404, 'No such domain: a*b'],
    [
      'a role in capitals',
      { scope: 'openid sports:role.Reader' },
      {},
      403,
      'principal not included in requested roles',
    ],
    ['what is no role', { scope: 'openid nosuch:role.*' }, {}, 400, 'Invalid EntityName error: not a valid EntityName'],
    [
      'what is no group',
      { scope: 'openid sports:group.*' },
      {},
      400,
      'Invalid EntityName error: not a valid EntityName',
    ],
  ]
  for (const [what, query, options, status, message] of refusals) {
    test(`are refused: ${what}`, async () => {
      const answer = await (await open()).get(target({ output: 'json', ...query }), { as: 'sports.svc', ...options })
      assert.deepEqual(answer, refusal(status, message))
    })
  }
})

describe('the life of id tokens', () => {
  const lives: readonly (readonly [string, string, number | undefined, number])[] = [
    ['of a service is the longest', 'sports.svc', undefined, 43_200],
    ['of a service is what it asks for', 'sports.svc', 1200, 1200],
    ['of a service has a limit', 'sports.svc', 100_000, 43_200],
    ['of a service that asks for nothing is the longest', 'sports.svc', 0, 43_200],
    ['of a service that asks for less than nothing is the longest', 'sports.svc', -1, 43_200],
    ['of a user is the default', 'user.nobody', undefined, 3600],
    ['of a user may be shorter', 'user.nobody', 1200, 1200],
    ['of a user is not longer than the default', 'user.nobody', 7200, 3600],
    ['of a user is what his role gives', 'user.alice', undefined, 1800],
    ['of a user is not longer than his role gives', 'user.alice', 3600, 1800],
    ['of a user is the longest that a role gives', 'user.bob', undefined, 28_800],
    ['of a user may be shorter than his role gives', 'user.bob', 600, 600],
    ['of a user has the limit of the server', 'user.eve', undefined, 43_200],
    ['of a user is the default when the tag is no life', 'user.joe', undefined, 3600],
  ]
  for (const [what, as, expiryTime, seconds] of lives) {
    test(what, async () => {
      const harness = await open({ domains: [sports, users] })
      const claims = await ask(harness, { expiryTime: expiryTime?.toString() }, { as })
      assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), seconds)
    })
  }

  test('follows the roles of the user domain', async () => {
    const harness = await open({ domains: [sports, users] })
    const life = async () => {
      const claims = await ask(harness, {}, { as: 'user.alice' })
      return (claims.exp ?? 0) - START
    }
    assert.equal(await life(), 1800)
    harness.receive({ ...users, roles: users.roles.slice(1) })
    assert.equal(await life(), 3600)
  })
})

describe('id tokens are refused', () => {
  const refusals: readonly (readonly [string, Query, CallOptions, number, string])[] = [
    ['without openid', { scope: 'sports:role.reader' }, {}, 400, 'openid scope not specified'],
    ['without scope', { scope: '' }, {}, 400, 'no scope provided'],
    ['without a scope at all', { scope: undefined }, {}, 400, 'no scope provided'],
    [
      'with too many domains',
      { scope: 'openid a:domain b:domain c:domain' },
      {},
      400,
      'Domain limit: 2 has been reached',
    ],
    ['for another response type', { response_type: 'code' }, {}, 400, 'invalid response type'],
    ['for no response type', { response_type: undefined }, {}, 400, 'invalid response type'],
    ['for a client without a domain', { client_id: 'api' }, {}, 400, 'Invalid client id'],
    ['for a client in an unknown domain', { client_id: 'nosuch.api' }, {}, 404, 'No such domain: nosuch'],
    ['to roles', {}, { principal: { roles: ['sports:role.reader'] } }, 403, 'Role Identity not authorized for request'],
    [
      'to services that act for somebody in another domain',
      {},
      { principal: { authorizedService: 'media.proxy' } },
      403,
      'Authorized service domain media does not match request domain sports',
    ],
    ['to nobody', {}, { anonymous: true }, 401, 'Unauthenticated request'],
  ]
  for (const [what, query, options, status, message] of refusals) {
    test(what, async () => {
      const harness = await open({ properties: { id_token_max_domains: '2' } })
      const answer = await harness.get(target({ output: 'json', ...query }), { as: 'sports.svc', ...options })
      assert.deepEqual(answer, refusal(status, message))
    })
  }

  for (const name of ['nonce', 'state', 'client_id', 'keyType', 'output']) {
    test(`with a malformed ${name}`, async () => {
      const answer = await (await open()).get(target({ output: 'json', [name]: 'a\r\nb' }))
      assert.equal(answer.status, 400)
    })
  }

  test('without a nonce', async () => {
    assert.equal((await (await open()).get(target({ output: 'json', nonce: undefined }))).status, 400)
  })

  test('but for the domains of roles that do not count', async () => {
    const properties = { id_token_max_domains: '1', id_token_allowed_roles: 'media:role.read*' }
    const harness = await open({ properties })
    const claims = await ask(harness, { scope: 'openid sports:role.reader media:role.reader' })
    assert.deepEqual(claims['groups'], ['sports:role.reader', 'media:role.reader'])
    const other = await harness.get(target({ scope: 'openid sports:role.reader media:role.x', output: 'json' }))
    assert.deepEqual(other, refusal(400, 'Domain limit: 1 has been reached'))
  })
})
