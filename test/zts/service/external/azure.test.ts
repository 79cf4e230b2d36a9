import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { after, describe, test } from 'node:test'
import { AzureProvider } from '#zts/service/external/azure.ts'
import { type FakeAnswer, jsonAnswer, startFakeService } from '../../../support/fake-service.ts'
import { refusal, TEST_KEY } from '../harness.ts'
import { CloudServer, saidBy } from './cloud-harness.ts'

const SCOPE = 'https://management.azure.com/.default'
const TENANT = '11111111-2222-3333-4444-555555555555'
const CLIENT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee'
const SYSTEM_CLIENT = '99999999-8888-7777-6666-555555555555'
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })

const role = (name: string, ...members: readonly string[]) => ({
  name,
  roleMembers: members.map((memberName) => ({ memberName })),
})
const sports = {
  name: 'sports',
  azureTenant: TENANT,
  azureClient: SYSTEM_CLIENT,
  azureSubscription: 'sub-1',
  roles: [role('sports:role.reader', 'sports.svc', 'user.admin'), role('sports:role.writer', 'sports.svc')],
  policies: [
    {
      name: 'sports:policy.azure',
      active: true,
      assertions: [SCOPE, 'https://vault.azure.net/.default'].map((scope) => ({
        role: 'sports:role.reader',
        action: 'azure.scope_access',
        resource: `sports:${scope}`,
        effect: 'ALLOW',
      })),
    },
  ],
}
const athenzAzure = { name: 'athenz.azure', roles: [role('athenz.azure:role.azure-client', 'user.admin')] }

/** Login and management of Azure. */
const azure =
  (
    token: object = { expires_in: 3600 },
    identity: FakeAnswer = jsonAnswer({ properties: { clientId: CLIENT } }),
  ): FakeAnswer =>
  (response, request, count) => {
    if (request.method === 'GET') return identity(response, request, count)
    const form = new URLSearchParams(request.body)
    return jsonAnswer({ access_token: `token for ${form.get('client_id')}`, ...token })(response, request, count)
  }

async function open(answer: FakeAnswer = azure(), domain: object = {}) {
  const fake = await startFakeService(answer)
  const server = await CloudServer.open({
    name: 'azure',
    domains: [{ ...sports, ...domain }, athenzAzure],
    keys: { rsa: rsa.privateKey, ec: TEST_KEY },
    provider: (parts) => {
      const provider = new AzureProvider(parts, { login: fake.url, management: fake.url })
      after(() => provider.close())
      return provider
    },
  })
  return { fake, server }
}

const NAMED = { athenzRoleName: 'reader', azureResourceGroup: 'group_1', azureClientName: 'app' }
const IDENTITY =
  '/subscriptions/sub-1/resourceGroups/group_1/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app' +
  '?api-version=2023-01-31'

describe('credentials of Azure', () => {
  test('are had with an id token about the role as assertion', async () => {
    const { fake, server } = await open()
    const answer = await server.ask({ athenzRoleName: 'reader', azureClientId: CLIENT })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    assert.deepEqual(answer.body, {
      attributes: { accessToken: `token for ${CLIENT}`, azureTenant: TENANT, azureSubscription: 'sub-1' },
      expiration: '2026-08-02T01:00:00.000Z',
    })
    assert.equal(fake.seen.length, 1)
    assert.equal(fake.seen[0]?.target, `/${TENANT}/oauth2/v2.0/token`)
    const { client_assertion: assertion = '', ...form } = Object.fromEntries(new URLSearchParams(fake.seen[0]?.body))
    assert.deepEqual(form, {
      scope: SCOPE,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_id: CLIENT,
      grant_type: 'client_credentials',
    })
    const { claims, alg } = saidBy(assertion)
    assert.equal(alg, 'RS256')
    assert.deepEqual(claims, {
      sub: 'sports:role.reader',
      aud: 'api://AzureADTokenExchange',
      iss: 'https://id.example.com/zts/v1',
    })
  })

  test('are about the role by its full name, whatever the request says', async () => {
    const { fake, server } = await open()
    await server.ask({ athenzRoleName: 'reader', azureClientId: CLIENT, athenzFullArn: 'false' })
    const form = new URLSearchParams(fake.seen[0]?.body)
    assert.equal(saidBy(form.get('client_assertion') ?? '').claims['sub'], 'sports:role.reader')
  })

  test('are had by the name of the identity, which the server looks up with a token of its own', async () => {
    const { fake, server } = await open()
    const answer = await server.ask({ ...NAMED, azureTokenScope: 'https://vault.azure.net/.default' })
    assert.equal(answer.body.attributes.accessToken, `token for ${CLIENT}`)
    assert.deepEqual(
      fake.seen.map(({ method, target }) => `${method} ${target}`),
      [`POST /${TENANT}/oauth2/v2.0/token`, `GET ${IDENTITY}`, `POST /${TENANT}/oauth2/v2.0/token`],
    )
    const [system, lookUp, own] = fake.seen
    const forms = [system, own].map((seen) => new URLSearchParams(seen?.body))
    assert.deepEqual(
      forms.map((form) => form.get('scope')),
      [SCOPE, 'https://vault.azure.net/.default'],
    )
    assert.equal(saidBy(forms[0]?.get('client_assertion') ?? '').claims['sub'], 'athenz.azure:role.azure-client')
    assert.equal(forms[0]?.get('client_id'), SYSTEM_CLIENT)
    assert.equal(lookUp?.headers.authorization, `Bearer token for ${SYSTEM_CLIENT}`)
  })

  test('use the token of the server until shortly before its end', async () => {
    const { fake, server } = await open()
    const requests = async () => {
      const before = fake.seen.length
      await server.ask(NAMED)
      return fake.seen.length - before
    }
    assert.equal(await requests(), 3)
    server.harness.clock.millis += 3_299_000
    assert.equal(await requests(), 2)
    server.harness.clock.millis += 1_000
    assert.equal(await requests(), 3)
    server.harness.receive({ ...sports, azureTenant: 'other-tenant' })
    assert.equal(await requests(), 3)
    server.harness.clock.millis -= 24 * 3_600_000
    assert.equal(await requests(), 3)
    assert.equal(await requests(), 2)
  })

  test('are the token of the server for those who hold its role', async () => {
    const { fake, server } = await open()
    const scope = { athenzScope: 'openid athenz.azure:role.azure-client' }
    const answer = await server.ask(scope, { as: 'user.admin' })
    assert.equal(answer.body.attributes.accessToken, `token for ${SYSTEM_CLIENT}`)
    assert.equal(fake.seen.length, 1)
    const other = await server.ask(
      { ...scope, azureTokenScope: 'https://vault.azure.net/.default' },
      { as: 'user.admin' },
    )
    const message = `athenz.azure:role.azure-client has no other scope than ${SCOPE}`
    assert.deepEqual(other, refusal(403, message))
    const notHeld = refusal(403, 'principal not included in requested roles')
    assert.deepEqual(await server.ask(scope, { as: 'sports.svc' }), notHeld)
  })
})

describe('credentials of Azure are refused before Azure is asked', () => {
  const cases: readonly (readonly [string, Record<string, string>, object, string])[] = [
    [
      'for two roles',
      { athenzScope: 'openid sports:role.reader sports:role.writer', azureClientId: CLIENT },
      {},
      'exactly one role must be requested',
    ],
    [
      'for a scope that the caller may not have',
      { ...NAMED, azureTokenScope: 'https://other/.default' },
      {},
      'Principal not authorized for azure.scope_access on sports:https://other/.default',
    ],
    ['without tenant', NAMED, { azureTenant: undefined }, 'azure tenant of domain sports is not specified'],
    ['for a tenant elsewhere', NAMED, { azureTenant: '../evil' }, 'azure tenant of domain sports is not valid'],
    ['without client', NAMED, { azureClient: undefined }, 'azure client of domain sports is not specified'],
    ['for a client id that is none', { ...NAMED, azureClientId: 'a b' }, {}, 'azureClientId is not valid'],
    [
      'without the group of the identity',
      { ...NAMED, azureResourceGroup: '' },
      {},
      'azureResourceGroup is not specified',
    ],
    ['without the name of the identity', { ...NAMED, azureClientName: '' }, {}, 'azureClientName is not specified'],
    ['for a group that leads elsewhere', { ...NAMED, azureResourceGroup: '..' }, {}, 'azureResourceGroup is not valid'],
    ['for a name that leads elsewhere', { ...NAMED, azureClientName: '../x' }, {}, 'azureClientName is not valid'],
    ['for a name that is encoded', { ...NAMED, azureClientName: '%2e%2e' }, {}, 'azureClientName is not valid'],
    ['for a name with a question', { ...NAMED, azureClientName: 'x?y' }, {}, 'azureClientName is not valid'],
    [
      'without subscription',
      NAMED,
      { azureSubscription: undefined },
      'azure subscription of the domain is not specified',
    ],
    [
      'for a subscription elsewhere',
      NAMED,
      { azureSubscription: '..' },
      'azure subscription of the domain is not valid',
    ],
  ]
  for (const [what, attributes, domain, message] of cases) {
    test(what, async () => {
      const { fake, server } = await open(azure(), domain)
      assert.deepEqual(await server.ask(attributes), refusal(403, message))
      assert.equal(fake.seen.length, 0)
    })
  }
})

describe('credentials of Azure are refused when Azure', () => {
  const answers: readonly (readonly [string, FakeAnswer, string])[] = [
    [
      'does not take the assertion',
      jsonAnswer({ error: 'invalid_client', error_description: 'AADSTS70021: No matching federated identity' }, 401),
      'Unable to get access token from azure: AADSTS70021: No matching federated identity',
    ],
    ['gives a token without end', azure({}), 'Unable to get access token from azure: status 200'],
    ['gives a token that is over', azure({ expires_in: 0 }), 'Unable to get access token from azure: status 200'],
    [
      'does not know the identity',
      azure(undefined, jsonAnswer({ error: { code: 'ResourceNotFound', message: 'was not found' } }, 404)),
      'Unable to get managed identity from azure: was not found',
    ],
    [
      'gives no client id',
      azure(undefined, jsonAnswer({ properties: {} })),
      'Unable to get managed identity from azure: status 200',
    ],
    [
      'gives a client id that is none',
      azure(undefined, jsonAnswer({ properties: { clientId: 'a&b' } })),
      'client id of the managed identity is not valid',
    ],
    ['breaks off', (response) => response.destroy(), 'azure gave no answer'],
  ]
  for (const [what, answer, message] of answers) {
    test(what, async () => {
      const { server } = await open(answer)
      assert.deepEqual(await server.ask(NAMED), refusal(403, message))
    })
  }
})
