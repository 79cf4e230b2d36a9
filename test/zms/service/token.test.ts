import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Authority } from '#core/authority/authority.ts'
import { createSigner } from '#core/crypto/signing.ts'
import { type PrincipalToken, parsePrincipalToken } from '#core/token/principal-token.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import { validatePrincipalToken } from '#core/token/validate-principal-token.ts'
import { AuthorizedServices } from '#zms/service/authorized-services.ts'
import { tokenService } from '#zms/service/token.ts'
import { type CallOptions, Harness } from './harness.ts'

const signer = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'key.1')
const authorizedServices = AuthorizedServices.parse('{"services":{"athenz.ui":{},"athenz.ci":{}}}')
const principalAuthority: Authority = {
  id: 'Auth-NTOKEN',
  credentialSource: 'header',
  allowAuthorization: true,
  header: 'Athenz-Principal-Auth',
}
/** Proves passwords of users; good for nothing but a token. */
const userAuthority: Authority = {
  id: 'Auth-USER',
  credentialSource: 'header',
  allowAuthorization: false,
  domain: 'user',
}

const open = (properties: Record<string, string> = {}) =>
  Harness.open({
    services: [tokenService],
    properties,
    parts: { signer, authorizedServices, principalAuthority },
  })
const zms = await open()
const nowSeconds = Math.floor(zms.clock.millis / 1000)

const asUser = (authority: Partial<Authority> = {}): CallOptions => ({
  as: 'user.alice',
  principal: { authority: { ...userAuthority, ...authority } },
})

function parsed(text: string): PrincipalToken {
  const result = parsePrincipalToken(text)
  assert.ok(result.ok)
  return result.token
}

describe('getUserToken', () => {
  test('issues a token to a user who has proved to be one', async () => {
    const { status, headers, body } = await zms.get('/user/alice/token', asUser())
    assert.deepEqual([status, headers, Object.keys(body)], [200, {}, ['token']])
    const {
      version,
      domain,
      name,
      host,
      ip,
      keyId,
      keyService,
      authorizedServices: services,
      ...times
    } = parsed(body.token)
    assert.deepEqual([version, domain, name], ['U1', 'user', 'alice'])
    assert.deepEqual([host, ip, keyId, keyService, services], ['zms.example.com', '192.0.2.1', 'key.1', undefined, []])
    assert.deepEqual([times.issueTimeSeconds, times.expiryTimeSeconds], [nowSeconds, nowSeconds + 3600])
  })

  test('issues a token that is valid', async () => {
    const { body } = await zms.get('/user/_self_/token', asUser())
    const outcome = await validatePrincipalToken(body.token, {
      nowSeconds,
      userDomain: 'user',
      allowedOffsetSeconds: 300,
      maxExpirySeconds: 2_592_000,
      addressCheck: 'OPS_ALL',
      allowNoExpiry: false,
      publicKey: async (domain, service, keyId) =>
        `${domain}.${service}:${keyId}` === 'sys.auth.zms:key.1' ? signer.publicKey : undefined,
      request: { remoteAddress: '192.0.2.1', method: 'PUT' },
    })
    assert.ok(outcome.ok)
  })

  test('takes the name of the user in any letter case', async () => {
    assert.equal((await zms.get('/user/ALICE/token', asUser())).status, 200)
  })

  test('lets a token live as long as is configured', async () => {
    const configured = await open({ user_token_timeout: '60' })
    const { body } = await configured.get('/user/alice/token', asUser())
    assert.equal(parsed(body.token).expiryTimeSeconds, nowSeconds + 60)
  })

  test('names the header in which to send the token on request', async () => {
    assert.equal((await zms.get('/user/alice/token?header=true', asUser())).body.header, 'Athenz-Principal-Auth')
  })

  test('authorizes the services asked for, and lets the page that asked see the answer', async () => {
    const headers = { Origin: 'https://ui.example.com' }
    const answer = await zms.get('/user/alice/token?services=athenz.ui,athenz.ci', { ...asUser(), headers })
    assert.deepEqual(parsed(answer.body.token).authorizedServices, ['athenz.ui', 'athenz.ci'])
    assert.deepEqual(answer.headers, {
      vary: 'origin',
      'access-control-allow-origin': 'https://ui.example.com',
      'access-control-allow-credentials': 'true',
    })
  })

  test('refuses a service that is not authorized', async () => {
    const { status, body } = await zms.get('/user/alice/token?services=athenz.ui,nosuch', asUser())
    assert.deepEqual([status, body.message], [401, 'getUserToken: Service nosuch is not authorized in ZMS'])
  })

  const refused: { who: string; target?: string; options: CallOptions }[] = [
    { who: 'another user', target: '/user/bob/token', options: asUser() },
    { who: 'what is no name of a user', target: '/user/b!d/token', options: asUser() },
    { who: 'who has authenticated by what is good for authorization', options: asUser({ allowAuthorization: true }) },
    { who: 'who has authenticated by an authority for other domains', options: asUser({ domain: 'home' }) },
    { who: 'nobody', options: { anonymous: true } },
  ]
  for (const { who, target = '/user/alice/token', options } of refused) {
    test(`refuses ${who}`, async () => {
      const { status, body } = await zms.get(target, options)
      assert.deepEqual(
        [status, body.message],
        [401, 'getUserToken: Invalid request - missing User credentials or userName mismatch'],
      )
    })
  }
})

/** The answer to a preflight request. The published interface has no status without body, so the service is asked itself. */
async function preflight(headers: Record<string, string>, properties: Record<string, string> = {}) {
  const { deps } = Object.keys(properties).length > 0 ? await open(properties) : zms
  const query = { serviceNames: 'athenz.ui' }
  const lowered = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  const context = { requestId: '', api: '', method: 'OPTIONS', principal: undefined, remoteAddress: '' }
  const {
    status,
    headers: answered = {},
    body,
  } = await tokenService(deps).optionsUserToken(
    { params: { userName: 'alice' }, query, headers: {}, body: undefined },
    { ...context, header: (name) => lowered.get(name) },
  )
  return { status, headers: answered, body }
}

describe('optionsUserToken', () => {
  test('tells a browser that the page may ask', async () => {
    const { status, headers, body } = await preflight({ Origin: 'https://ui.example.com:8443' })
    assert.deepEqual([status, body], [204, undefined])
    assert.deepEqual(headers, {
      vary: 'origin',
      'access-control-allow-origin': 'https://ui.example.com:8443',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET',
      'access-control-max-age': '2592000',
    })
  })

  const list = { cors_origin_list: 'https://a.example.com,https://b.example.com' }
  const origins: { origin: string; properties?: Record<string, string>; admitted: boolean }[] = [
    { origin: 'http://ui.example.com', admitted: true },
    { origin: 'https://[2001:db8::1]:443', admitted: true },
    { origin: 'https://ui.example.com:65535', admitted: true },
    { origin: 'https://ui.example.com:65536', admitted: false },
    { origin: 'https://ui.example.com/path', admitted: false },
    { origin: 'https://ui.example.com?query', admitted: false },
    { origin: 'https://user@ui.example.com', admitted: false },
    { origin: 'https://', admitted: false },
    { origin: 'ftp://ui.example.com', admitted: false },
    { origin: 'null', admitted: false },
    { origin: 'https://a.example.com', properties: list, admitted: true },
    { origin: 'https://c.example.com', properties: list, admitted: false },
    { origin: 'https://c.example.com', properties: { cors_origin_list: '*' }, admitted: true },
    { origin: 'null', properties: { cors_origin_list: '*' }, admitted: false },
  ]
  for (const { origin, properties, admitted } of origins) {
    test(`${admitted ? 'admits' : 'does not admit'} ${origin} with ${properties?.cors_origin_list ?? 'no list'}`, async () => {
      const { headers } = await preflight({ Origin: origin }, properties)
      assert.equal(headers['access-control-allow-origin'], admitted ? origin : undefined)
    })
  }

  const cors_header_list = 'Accept,Content-Type'
  const requests: { requested: string; properties?: Record<string, string>; allowed: boolean }[] = [
    { requested: 'accept, content-TYPE', properties: { cors_header_list }, allowed: true },
    { requested: 'accept,x-other', properties: { cors_header_list }, allowed: false },
    { requested: 'accept', allowed: false },
  ]
  for (const { requested, properties, allowed } of requests) {
    test(`${allowed ? 'allows' : 'does not allow'} the headers ${requested} with ${properties ? 'a' : 'no'} list`, async () => {
      const { headers } = await preflight({ 'Access-Control-Request-Headers': requested }, properties)
      assert.equal(headers['access-control-allow-headers'], allowed ? requested : undefined)
    })
  }

  for (const query of ['', '?services=']) {
    test(`answers 400 without services: ${query || 'none'}`, async () => {
      const { status, body } = await zms.call('OPTIONS', `/user/alice/token${query}`, undefined, { anonymous: true })
      assert.deepEqual(
        [status, body.message],
        [400, 'optionsUserToken: No authorized services specified in the request'],
      )
    })
  }

  test('answers 400 to a service that is not authorized', async () => {
    const target = '/user/alice/token?services=nosuch'
    const { status, body } = await zms.call('OPTIONS', target, undefined, { anonymous: true })
    assert.deepEqual([status, body.message], [400, 'optionsUserToken: Service nosuch is not authorized in ZMS'])
  })
})

const caller = (credentials: string | undefined, authority: Authority): CallOptions => ({
  as: 'sports.api',
  principal: { authority, ...(credentials !== undefined && { credentials }) },
})

describe('getServicePrincipal', () => {
  const claims = { version: 'S1', domain: 'sports', name: 'api', issueTimeSeconds: 1000, ip: '10.0.0.1' } as const
  test('gives back the token of a principal that may be authorized with it', async () => {
    const { status, body } = await zms.get('/principal', caller('the token', principalAuthority))
    assert.deepEqual([status, body], [200, { domain: 'sports', service: 'api', token: 'the token' }])
  })

  test('signs a token for who may not be authorized with its own, for the same time and address', async () => {
    const expiryTimeSeconds = 2000
    const own = await signPrincipalToken({ ...claims, expiryTimeSeconds, authorizedServices: ['athenz.ui'] }, signer)
    const { body } = await zms.get('/principal', caller(own, userAuthority))
    const {
      version,
      domain,
      name,
      host,
      ip,
      keyId,
      keyService,
      authorizedServices: services,
      ...times
    } = parsed(body.token)
    assert.deepEqual([version, domain, name, ip], ['S1', 'sports', 'api', '10.0.0.1'])
    assert.deepEqual([host, keyId, keyService, services], ['zms.example.com', 'key.1', 'zms', []])
    assert.deepEqual([times.issueTimeSeconds, times.expiryTimeSeconds], [1000, 2000])
  })

  const unusable: { what: string; credentials: () => Promise<string> | string | undefined }[] = [
    { what: 'no credentials', credentials: () => undefined },
    { what: 'credentials that are no token', credentials: () => 'Basic dXNlcjpwYXNz' },
    { what: 'the token of somebody else', credentials: () => signPrincipalToken({ ...claims, name: 'other' }, signer) },
  ]
  for (const { what, credentials } of unusable) {
    test(`does not sign a token for ${what}`, async () => {
      const { status, body } = await zms.get('/principal', caller(await credentials(), userAuthority))
      assert.deepEqual(
        [status, body.message],
        [401, 'getServicePrincipal: Invalid request - the credentials are no principal token of the caller'],
      )
    })
  }

  test('answers 401 without credentials', async () => {
    assert.equal((await zms.get('/principal', { anonymous: true })).status, 401)
  })
})

test('a certificate has no token that could be given back', async () => {
  const { getServicePrincipal } = tokenService(zms.deps)
  const principal = { domain: 'sports', name: 'api', fullName: 'sports.api', issueTimeSeconds: 0 }
  const context = { requestId: '', api: '', method: 'GET', remoteAddress: '', header: () => undefined }
  const request = { params: {}, query: {}, headers: {}, body: undefined }
  const reply = await getServicePrincipal(request, {
    ...context,
    principal: { ...principal, authority: principalAuthority },
  })
  assert.deepEqual(reply, { status: 200, body: { domain: 'sports', service: 'api' } })
})
