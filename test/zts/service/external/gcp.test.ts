import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { GcpProvider } from '#zts/service/external/gcp.ts'
import { type FakeAnswer, jsonAnswer, startFakeService } from '../../../support/fake-service.ts'
import { type CallOptions, refusal } from '../harness.ts'
import { OPENID_ISSUER } from '../token-parts.ts'
import { CloudServer, saidBy } from './cloud-harness.ts'

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const STORAGE = 'https://www.googleapis.com/auth/devstorage.read_only'

const role = (name: string, ...members: readonly string[]) => ({
  name: `sports:role.${name}`,
  roleMembers: members.map((memberName) => ({ memberName })),
})
const allow = (action: string, resource: string) => ({ role: 'sports:role.users', action, resource, effect: 'ALLOW' })
const sports = {
  name: 'sports',
  gcpProject: 'sports-prod',
  gcpProjectNumber: '1234567',
  roles: [role('users', 'sports.svc', 'user.alice'), role('reader', 'sports.svc'), role('writer', 'sports.svc')],
  policies: [
    {
      name: 'sports:policy.gcp',
      active: true,
      assertions: [
        allow('gcp.scope_access', `sports:${SCOPE}`),
        allow('gcp.scope_access', `sports:${STORAGE}`),
        allow('gcp.audience_access', 'sports:https://run.example'),
      ],
    },
  ],
}

/** Both services of Google. */
const google =
  (made: FakeAnswer = jsonAnswer({ accessToken: 'made', expireTime: '2026-08-02T01:00:00Z' })): FakeAnswer =>
  (response, request, count) =>
    request.target === '/v1/token'
      ? jsonAnswer({ access_token: 'federated', expires_in: 3600 })(response, request, count)
      : made(response, request, count)

async function open(
  answer: FakeAnswer = google(),
  options: { domain?: object; properties?: Record<string, string> } = {},
) {
  const fake = await startFakeService(answer)
  const server = await CloudServer.open({
    name: 'gcp',
    domains: [{ ...sports, ...options.domain }, { name: 'media' }],
    properties: { gcp_workload_pool_name: 'athenz', gcp_workload_provider_name: 'zts', ...options.properties },
    provider: (parts) => {
      const provider = new GcpProvider(parts, { sts: fake.url, iamCredentials: fake.url })
      after(() => provider.close())
      return provider
    },
  })
  return { fake, server }
}

const READER = { athenzRoleName: 'reader', gcpServiceAccount: 'app' }

describe('credentials of Google', () => {
  test('are made by exchanging an id token, and in the name of the service account', async () => {
    const { fake, server } = await open()
    const answer = await server.ask(READER)
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.deepEqual(answer.body, {
      attributes: { accessToken: 'made', gcpProjectId: 'sports-prod', gcpProjectNumber: '1234567' },
      expiration: '2026-08-02T01:00:00.000Z',
    })
    const [exchange, make] = fake.seen
    const { subjectToken, ...exchanged } = JSON.parse(exchange?.body ?? '') as Record<string, string>
    assert.deepEqual(exchanged, {
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience: '//iam.googleapis.com/projects/1234567/locations/global/workloadIdentityPools/athenz/providers/zts',
      scope: SCOPE,
      requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
      subjectTokenType: 'urn:ietf:params:oauth:token-type:id_token',
    })
    assert.deepEqual(saidBy(subjectToken ?? ''), {
      claims: { sub: 'sports.svc', aud: 'sports.cloud', iss: OPENID_ISSUER, groups: ['sports:role.reader'] },
      alg: 'ES256',
      life: 43_200,
    })
    const account = 'app@sports-prod.iam.gserviceaccount.com'
    assert.equal(make?.target, `/v1/projects/-/serviceAccounts/${account}:generateAccessToken`)
    assert.equal(make?.headers.authorization, 'Bearer federated')
    assert.deepEqual(JSON.parse(make?.body ?? ''), { scope: [SCOPE], lifetime: '3600s' })
  })

  test('are made as the request says', async () => {
    const { fake, server } = await open()
    const attributes = {
      athenzScope: 'openid sports:role.reader sports:role.writer sports:group.x',
      athenzFullArn: 'false',
      athenzIssuerOption: 'oidc_port',
      gcpServiceAccount: 'app',
      gcpTokenScope: `${SCOPE}  ${STORAGE}`,
      gcpWorkloadPoolName: 'pool',
      gcpWorkloadProviderName: 'provider',
    }
    const answer = await server.ask(attributes, { as: 'sports.svc' }, { expiryTime: 600 })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    const [exchange, make] = fake.seen
    const exchanged = JSON.parse(exchange?.body ?? '') as Record<string, string>
    assert.match(exchanged['audience'] ?? '', /workloadIdentityPools\/pool\/providers\/provider$/)
    assert.equal(exchanged['scope'], `${SCOPE} ${STORAGE}`)
    const { claims } = saidBy(exchanged['subjectToken'] ?? '')
    assert.deepEqual(claims['groups'], ['reader', 'writer'])
    assert.equal(claims['iss'], 'https://port.example')
    assert.deepEqual(JSON.parse(make?.body ?? ''), { scope: [SCOPE, STORAGE], lifetime: '600s' })
  })

  const groupsFor = async (attributes: Readonly<Record<string, string>>, clientId = 'sports.cloud') => {
    const { fake, server } = await open()
    const answer = await server.ask({ ...READER, ...attributes }, { as: 'sports.svc' }, { clientId })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    const { subjectToken } = JSON.parse(fake.seen[0]?.body ?? '') as Record<string, string>
    return saidBy(subjectToken ?? '').claims
  }

  test('are made for names in capitals', async () => {
    const claims = await groupsFor({ athenzRoleName: 'Reader' }, 'Sports.Cloud')
    assert.deepEqual([claims['aud'], claims['groups']], ['sports.cloud', ['sports:role.reader']])
  })

  test('are made for short names of roles unless their full names are wanted', async () => {
    const groups = async (athenzFullArn: string) => (await groupsFor({ athenzFullArn }))['groups']
    for (const text of ['', 'true', 'TRUE']) assert.deepEqual(await groups(text), ['sports:role.reader'])
    for (const text of ['false', 'no', 'truest']) assert.deepEqual(await groups(text), ['reader'])
  })

  test('are made for all roles where a scope names none', async () => {
    const all = ['sports:role.users', 'sports:role.reader', 'sports:role.writer']
    for (const athenzScope of ['openid', 'openid sports:domain', 'openid sports:group.x']) {
      assert.deepEqual((await groupsFor({ athenzScope }))['groups'], all)
    }
  })

  test('may be an id token', async () => {
    const { fake, server } = await open(google(jsonAnswer({ token: 'id' })))
    const attributes = {
      ...READER,
      gcpFunctionName: 'generateIdToken',
      gcpAudience: 'https://run.example',
      gcpIncludeEmail: 'true',
    }
    const answer = await server.ask(attributes)
    const shown = { token: 'id', gcpProjectId: 'sports-prod', gcpProjectNumber: '1234567' }
    assert.deepEqual(answer.body, { attributes: shown })
    const make = fake.seen[1]
    assert.match(make?.target ?? '', /:generateIdToken$/)
    assert.deepEqual(JSON.parse(make?.body ?? ''), {
      audience: 'https://run.example',
      includeEmail: true,
      organizationNumberIncluded: false,
    })
  })
})

describe('credentials of Google are refused before Google is asked', () => {
  const forbidden = (action: string, what: string) => `Principal not authorized for ${action} on sports:${what}`
  const NOT_HELD = 'principal not included in requested roles'
  type Case = readonly [string, Record<string, string> | undefined, CallOptions, number, string]
  const cases: readonly Case[] = [
    ['without attributes', undefined, {}, 400, 'Missing credentials attributes'],
    ['with empty attributes', {}, {}, 400, 'Either athenzRoleName or athenzScope must be specified'],
    [
      'for what is no role',
      { ...READER, athenzRoleName: 'reader x:domain' },
      {},
      400,
      'Invalid EntityName error: not a valid EntityName',
    ],
    ['without role', { gcpServiceAccount: 'app' }, {}, 400, 'Either athenzRoleName or athenzScope must be specified'],
    ['without account', { athenzRoleName: 'reader' }, {}, 403, 'gcpServiceAccount is not specified'],
    ['for a role that is not held', { ...READER, athenzRoleName: 'nosuch' }, {}, 403, NOT_HELD],
    ['for a role by the end of its name', { ...READER, athenzRoleName: 'ader' }, {}, 403, NOT_HELD],
    [
      'when not all roles are held',
      { ...READER, athenzScope: 'openid sports:role.reader sports:role.x', athenzAllScopePresent: 'true' },
      {},
      403,
      'principal not included in all requested roles',
    ],
    ['for no role', { ...READER, athenzScope: 'openid media:domain' }, {}, 403, NOT_HELD],
    ['without openid', { ...READER, athenzScope: 'sports:role.reader' }, {}, 400, 'openid scope not specified'],
    ['for an unknown domain', { ...READER, athenzScope: 'openid x:role.y' }, {}, 404, 'No such domain: x'],
    [
      'for a scope that the caller may not have',
      { ...READER, gcpTokenScope: `${SCOPE} https://other` },
      {},
      403,
      forbidden('gcp.scope_access', 'https://other'),
    ],
    [
      'to a caller who may have no scope',
      { ...READER, athenzScope: 'openid roles media:domain' },
      { as: 'user.eve' },
      403,
      NOT_HELD,
    ],
    [
      'for an audience that the caller may not have',
      { ...READER, gcpFunctionName: 'generateIdToken', gcpAudience: 'https://other' },
      {},
      403,
      forbidden('gcp.audience_access', 'https://other'),
    ],
    ['without audience', { ...READER, gcpFunctionName: 'generateIdToken' }, {}, 403, 'gcpAudience is not specified'],
    [
      'for another function',
      { ...READER, gcpFunctionName: 'signJwt' },
      {},
      403,
      'gcpFunctionName is neither generateAccessToken nor generateIdToken',
    ],
    [
      'for an account elsewhere',
      { ...READER, gcpServiceAccount: 'x@evil.iam.gserviceaccount.com/../y' },
      {},
      403,
      'gcpServiceAccount is not valid',
    ],
    ['for a pool elsewhere', { ...READER, gcpWorkloadPoolName: 'a/b' }, {}, 403, 'gcpWorkloadPoolName is not valid'],
    [
      'for a provider elsewhere',
      { ...READER, gcpWorkloadProviderName: '..' },
      {},
      403,
      'gcpWorkloadProviderName is not valid',
    ],
    [
      'to roles',
      READER,
      { principal: { roles: ['sports:role.reader'] } },
      403,
      'Role Identity not authorized for request',
    ],
    [
      'to services that act for somebody elsewhere',
      READER,
      { principal: { authorizedService: 'media.proxy' } },
      403,
      'Authorized service domain media does not match request domain sports',
    ],
    ['to nobody', READER, { anonymous: true }, 401, 'Unauthenticated request'],
  ]
  for (const [what, attributes, options, status, message] of cases) {
    test(what, async () => {
      const { fake, server } = await open()
      assert.deepEqual(await server.ask(attributes, { as: 'sports.svc', ...options }), refusal(status, message))
      assert.equal(fake.seen.length, 0)
    })
  }

  test('for what is no client, or one in an unknown domain', async () => {
    const { server } = await open()
    const ask = (clientId: string) => server.ask(READER, { as: 'sports.svc' }, { clientId })
    assert.deepEqual(await ask('gcp'), refusal(400, 'Invalid client id'))
    assert.deepEqual(await ask('nosuch.gcp'), refusal(404, 'No such domain: nosuch'))
    assert.equal((await ask('a b')).status, 400)
  })

  test('from another cloud', async () => {
    const { server } = await open()
    for (const cloud of ['azure', 'aws', 'nosuch']) {
      const expected = refusal(400, `Invalid external credentials provider: ${cloud}`)
      assert.deepEqual(await server.ask(READER, undefined, { cloud }), expected)
    }
  })

  const settings: readonly (readonly [object, string])[] = [
    [{ gcpProject: undefined }, 'gcp project id of domain sports is not specified'],
    [{ gcpProjectNumber: undefined }, 'gcp project number of domain sports is not specified'],
    [{ gcpProject: 'x/y' }, 'gcp project id of domain sports is not valid'],
    [{ gcpProjectNumber: '1/2' }, 'gcp project number of domain sports is not valid'],
  ]
  for (const [domain, message] of settings) {
    test(`for a domain with ${JSON.stringify(domain)}`, async () => {
      const { fake, server } = await open(google(), { domain })
      assert.deepEqual(await server.ask(READER), refusal(403, message))
      assert.equal(fake.seen.length, 0)
    })
  }

  test('without a pool', async () => {
    const { server } = await open(google(), { properties: { gcp_workload_pool_name: '' } })
    assert.deepEqual(await server.ask(READER), refusal(403, 'gcpWorkloadPoolName is not specified'))
  })

  test('for a blank scope without the right to the default one', async () => {
    const { fake, server } = await open(google(), { domain: { policies: [] } })
    const answer = await server.ask({ ...READER, gcpTokenScope: '   ' })
    assert.deepEqual(answer, refusal(403, forbidden('gcp.scope_access', SCOPE)))
    assert.equal(fake.seen.length, 0)
  })
})

describe('credentials of Google are refused when Google', () => {
  const answers: readonly (readonly [string, FakeAnswer, string])[] = [
    [
      'does not take the id token',
      jsonAnswer({ error: 'invalid_grant', error_description: 'The audience is wrong' }, 400),
      'Unable to get federated token from gcp: The audience is wrong',
    ],
    ['gives no token', jsonAnswer({}), 'Unable to get federated token from gcp: status 200'],
    [
      'does not know the account',
      google(jsonAnswer({ error: { code: 404, message: 'Not found; Gaia id not found' } }, 404)),
      'Unable to get access token from gcp: Not found; Gaia id not found',
    ],
    ['gives nothing for the account', google(jsonAnswer({})), 'Unable to get access token from gcp: status 200'],
    ['answers with a page', (response) => response.end('<html>'), 'Unable to get federated token from gcp: status 200'],
    ['breaks off', (response) => response.destroy(), 'gcp gave no answer'],
    [
      'sends one elsewhere',
      (response) => response.writeHead(307, { location: 'https://evil.example' }).end(),
      'Unable to get federated token from gcp: status 307',
    ],
  ]
  for (const [what, answer, message] of answers) {
    test(what, async () => {
      const { server } = await open(answer)
      assert.deepEqual(await server.ask(READER), refusal(403, message))
      assert.equal(
        server.log.some((line) => line.includes('federated-') || line.includes('eyJ')),
        false,
      )
    })
  }
})
