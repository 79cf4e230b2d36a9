import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { AthenzClientError, type Identity, tokenIdentity, ZtsClient, type ZtsClientOptions } from '#client/index.ts'
import { failedWith } from '../support/client-failure.ts'
import { type FakeAnswer, jsonAnswer, startFakeService } from '../support/fake-service.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const START = 1_800_000_000_000
const identity = tokenIdentity('v=S1', { name: 'sports.api' })

/** A client of a fake server, with a clock that stands and pauses that a test ends. */
async function setUp(answer: FakeAnswer, options: ZtsClientOptions = {}) {
  const service = await startFakeService(answer)
  const time = { now: START }
  const turns: { millis: number; end: () => void }[] = []
  const wait = (millis: number, signal: AbortSignal) =>
    new Promise<void>((end, reject) => {
      turns.push({ millis, end })
      signal.addEventListener('abort', () => reject(signal.reason as Error))
    })
  const zts = new ZtsClient({
    url: service.url,
    identity,
    retries: 0,
    accessTokenFolder: false,
    seams: { clock: () => time.now, wait },
    ...options,
  })
  return { zts, service, time, turns, [Symbol.asyncDispose]: () => zts.close() }
}

const queryOf = (target = '') => Object.fromEntries(new URL(target, 'http://zts').searchParams)
const formOf = (body = '') => Object.fromEntries(new URLSearchParams(body))
const seconds = (millis: number) => Math.floor(millis / 1000)

describe('role tokens', () => {
  const answer: FakeAnswer = (response, request, count) =>
    jsonAnswer({ token: `token-${count}`, expiryTime: seconds(START) + 7200 })(response, request, count)

  test('are asked for as ZTS takes it, with roles in one order', async () => {
    await using setting = await setUp(answer)
    const token = await setting.zts.getRoleToken('weather', {
      role: ['writers', 'readers'],
      minExpirySeconds: 1800,
      maxExpirySeconds: 14_400,
      proxyForPrincipal: 'user.joe',
    })
    assert.deepEqual(token, { token: 'token-1', expiryTime: seconds(START) + 7200 })
    const [seen] = setting.service.seen
    assert.match(seen?.target ?? '', /^\/zts\/v1\/domain\/weather\/token\?/)
    assert.deepEqual(queryOf(seen?.target), {
      role: 'readers,writers',
      minExpiryTime: '1800',
      maxExpiryTime: '14400',
      proxyForPrincipal: 'user.joe',
    })
  })

  test('of two hours are given out for an hour and three quarters', async () => {
    await using setting = await setUp(answer, { prefetch: false })
    const { zts, time } = setting
    const get = async () => (await zts.getRoleToken('weather', { role: 'readers' })).token
    await get()
    time.now += 6_300_000
    assert.equal(await get(), 'token-1')
    time.now += 1000
    assert.equal(await get(), 'token-2')
  })

  test('have another shortest life when it is set', async () => {
    await using setting = await setUp(answer, { prefetch: false, tokenMinExpirySeconds: 3600 })
    await setting.zts.getRoleToken('weather')
    setting.time.now += 3_601_000
    assert.equal((await setting.zts.getRoleToken('weather')).token, 'token-2')
  })

  test('are renewed in the background after half of their life, once a minute at most', async () => {
    const events: unknown[] = []
    await using setting = await setUp(answer, { onPrefetch: (event) => events.push(event) })
    const { zts, time, turns, service } = setting
    await zts.getRoleToken('weather')
    await until(() => turns.length === 1)
    assert.equal(turns[0]?.millis, 60_000)
    time.now += 3_600_000
    turns[0]?.end()
    await until(() => turns.length === 2)
    assert.deepEqual(events, [{ kind: 'role token', key: 'p=sports.api;d=weather' }])
    assert.equal((await zts.getRoleToken('weather')).token, 'token-2')
    assert.equal(service.seen.length, 2)
  })

  test('are given out while ZTS is away, refuses or is slow, until they expire', async () => {
    for (const fault of [
      (response) => response.destroy(),
      (response) => response.writeHead(500).end(),
      jsonAnswer({ code: 429, message: 'too many' }, 429),
      () => {},
    ] satisfies FakeAnswer[]) {
      await using setting = await setUp(answer, { prefetch: false, readTimeoutMillis: 50 })
      const { zts, time, service } = setting
      await zts.getRoleToken('weather')
      service.answer = fault
      time.now += 7_000_000
      assert.equal((await zts.getRoleToken('weather')).token, 'token-1')
      time.now += 200_001
      await assert.rejects(zts.getRoleToken('weather'), AthenzClientError)
    }
  })

  test('that cannot be had say why', async () => {
    const message = 'getRoleToken: Unable to access any roles'
    await using setting = await setUp(jsonAnswer({ code: 403, message }, 403))
    const expected = { kind: 'status', code: 403, status: 403, operation: 'getRoleToken', message }
    await assert.rejects(setting.zts.getRoleToken('weather'), failedWith(expected))
  })

  test('are sent to services in a header with a name', async () => {
    await using setting = await setUp(answer, { roleTokenHeader: 'X-Role' })
    assert.deepEqual(
      [setting.zts.roleTokenHeader, new ZtsClient({ url: 'http://zts' }).roleTokenHeader],
      ['X-Role', 'Athenz-Role-Auth'],
    )
  })
})

describe('access tokens', () => {
  const answer: FakeAnswer = (response, request, count) =>
    jsonAnswer({ access_token: `token-${count}`, token_type: 'Bearer', expires_in: 7200 })(response, request, count)

  const cases: readonly (readonly [string, Parameters<ZtsClient['getAccessToken']>[1], object])[] = [
    ['of all roles', {}, { scope: 'weather:domain' }],
    [
      'of some roles with an id token',
      { roles: ['b', 'a'], idTokenService: 'backend' },
      { scope: 'weather:role.a weather:role.b openid weather:service.backend' },
    ],
    [
      'with everything',
      {
        roles: 'a',
        expirySeconds: 600,
        proxyForPrincipal: 'user.joe',
        authorizationDetails: '[{"type":"x"}]',
        proxyPrincipalSpiffeUris: ['spiffe://a/sa/b', 'spiffe://a/sa/c'],
        openIdIssuer: true,
        roleInAudience: true,
      },
      {
        scope: 'weather:role.a',
        expires_in: '600',
        proxy_for_principal: 'user.joe',
        authorization_details: '[{"type":"x"}]',
        proxy_principal_spiffe_uris: 'spiffe://a/sa/b,spiffe://a/sa/c',
        openid_issuer: 'true',
        role_in_aud_claim: 'true',
      },
    ],
  ]
  for (const [name, options, form] of cases) {
    test(`${name} are asked for with a form`, async () => {
      await using setting = await setUp(answer)
      await setting.zts.getAccessToken('weather', options)
      const [seen] = setting.service.seen
      assert.deepEqual([seen?.method, seen?.target], ['POST', '/zts/v1/oauth2/token'])
      assert.equal(seen?.headers['content-type'], 'application/x-www-form-urlencoded')
      assert.deepEqual(formOf(seen?.body), { grant_type: 'client_credentials', ...form })
      const names = [...new URLSearchParams(seen?.body).keys()]
      assert.deepEqual(names, names.toSorted())
    })
  }

  test('are given out while a quarter of their life is left', async () => {
    await using setting = await setUp(answer, { prefetch: false })
    const { zts, time } = setting
    const get = async () => (await zts.getAccessToken('weather', { roles: 'a' })).access_token
    await get()
    time.now += 5_400_000
    assert.equal(await get(), 'token-1')
    time.now += 1000
    assert.equal(await get(), 'token-2')
  })

  test('are fetched anew at once when the certificate of the caller changes, other tokens are not', async () => {
    const listeners = new Set<() => void>()
    const renewing: Identity = {
      name: 'sports.api',
      onChange(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    }
    const both: FakeAnswer = (response, request, count) =>
      request.method === 'POST'
        ? answer(response, request, count)
        : jsonAnswer({ token: 'role', expiryTime: seconds(START) + 7200 })(response, request, count)
    const { zts, service } = await setUp(both, { identity: renewing })
    await zts.getRoleToken('weather')
    await zts.getAccessToken('weather')
    for (const listener of listeners) listener()
    await until(() => service.seen.length === 3)
    assert.equal(service.seen[2]?.method, 'POST')
    await zts.close()
    assert.equal(listeners.size, 0)
  })

  describe('on disk', () => {
    const jwt = (claims: object) =>
      [{ alg: 'RS256', kid: '0' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.') + '.c2ln'
    const claims = { aud: 'weather', scp: ['b', 'a'], iat: seconds(START) - 100, exp: seconds(START) + 3500 }
    const folderWith = async (files: Readonly<Record<string, string>>) => {
      const folder = temporaryFolder()
      await mkdir(join(folder, 'weather'))
      for (const [name, text] of Object.entries(files)) await writeFile(join(folder, 'weather', name), text)
      return folder
    }
    const fileWith = (more: object = {}) =>
      JSON.stringify({ access_token: jwt({ ...claims, ...more }), token_type: 'Bearer', expires_in: 3600 })

    test('are taken without asking ZTS', async () => {
      const accessTokenFolder = await folderWith({ old: fileWith({ exp: seconds(START) + 60 }), 'a,b': fileWith() })
      await using setting = await setUp(answer, { accessTokenFolder })
      const { access_token: token } = await setting.zts.getAccessToken('weather', { roles: ['a', 'b'] })
      assert.equal(token, jwt(claims))
      assert.equal(setting.service.seen.length, 0)
    })

    const others: readonly (readonly [string, string, Parameters<ZtsClient['getAccessToken']>[1]])[] = [
      ['of other roles', fileWith({ scp: ['a'] }), { roles: ['a', 'b'] }],
      ['of another domain', fileWith({ aud: 'sports' }), { roles: ['a', 'b'] }],
      ['near their end', fileWith({ exp: seconds(START) + 20 }), { roles: ['a', 'b'] }],
      ['without an end', fileWith({ exp: undefined }), { roles: ['a', 'b'] }],
      ['that are damaged', fileWith().slice(0, -10), { roles: ['a', 'b'] }],
      ['that are no tokens', '{"access_token":"a.b"}', { roles: ['a', 'b'] }],
      ['that are far too long', fileWith({ filling: 'x'.repeat(100_000) }), { roles: ['a', 'b'] }],
      ['when an id token is wanted, too', fileWith(), { roles: ['a', 'b'], idTokenService: 'api' }],
      ['when all roles are wanted', fileWith(), {}],
      ['when a new one is wanted', fileWith(), { roles: ['a', 'b'], ignoreCache: true }],
    ]
    for (const [name, file, options] of others) {
      test(`${name} are passed over`, async () => {
        await using setting = await setUp(answer, { accessTokenFolder: await folderWith({ token: file }) })
        assert.equal((await setting.zts.getAccessToken('weather', options)).access_token, 'token-1')
      })
    }

    test('are looked for in the folder of a domain only', async () => {
      const accessTokenFolder = await folderWith({ token: fileWith({ aud: '../weather' }) })
      await using setting = await setUp(answer, { accessTokenFolder: join(accessTokenFolder, 'weather') })
      const { access_token: token } = await setting.zts.getAccessToken('../weather', { roles: ['a', 'b'] })
      assert.equal(token, 'token-1')
    })
  })
})

describe('id tokens', () => {
  const answer: FakeAnswer = jsonAnswer({
    version: 1,
    id_token: 'token',
    token_type: 'urn:ietf:params:oauth:token-type:id_token',
    success: true,
    expiration_time: seconds(START) + 3600,
  })

  test('of roles are asked for with a redirect URI of the service', async () => {
    await using setting = await setUp(answer)
    const { zts, service } = setting
    const options = {
      domain: 'weather',
      roles: ['a', 'b'],
      redirectUriSuffix: '.athenz.cloud',
      fullArn: true,
      expirySeconds: 3600,
    }
    await zts.getIdToken('weather.eu.api', options)
    await zts.getIdToken('weather.eu.api', options)
    assert.equal(service.seen.length, 1)
    const { nonce = '', ...query } = queryOf(service.seen[0]?.target)
    assert.match(nonce, /^[0-9a-f]{32}$/)
    assert.deepEqual(query, {
      response_type: 'id_token',
      client_id: 'weather.eu.api',
      scope: 'openid weather:role.a weather:role.b',
      redirect_uri: 'https://api.weather-eu.athenz.cloud',
      keyType: 'EC',
      fullArn: 'true',
      expiryTime: '3600',
      output: 'json',
    })
  })

  test('of other wishes are other tokens', async () => {
    await using setting = await setUp(answer)
    const wishes = [
      {},
      { scope: 'openid groups' },
      { state: 'x' },
      { keyType: 'RSA' },
      { fullArn: true },
      { roleInAudience: true },
    ] as const
    for (const options of wishes) await setting.zts.getIdToken('weather.api', options)
    assert.equal(setting.service.seen.length, wishes.length)
  })

  test('that come with a redirection are none', async () => {
    await using setting = await setUp((response) =>
      response.writeHead(302, { location: 'https://a/#id_token=x' }).end(),
    )
    await assert.rejects(setting.zts.getIdToken('weather.api'), failedWith({ kind: 'invalid-reply' }))
  })

  test('of a client that is no service have no redirect URI', async () => {
    await using setting = await setUp(answer)
    const wanted = setting.zts.getIdToken('weather', { redirectUriSuffix: '.athenz.cloud' })
    await assert.rejects(wanted, failedWith({ kind: 'invalid-request' }))
  })
})

describe('AWS credentials', () => {
  const expiration = new Date(START + 3_600_000).toISOString()
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'session', expiration }

  test('are asked for with the role encoded twice', async () => {
    await using setting = await setUp(jsonAnswer(credentials))
    const options = { externalId: 'x', maxExpirySeconds: 3600 }
    assert.deepEqual(await setting.zts.getAwsCredentials('weather', 'path/to/role', options), credentials)
    const [seen] = setting.service.seen
    assert.equal(
      seen?.target,
      '/zts/v1/domain/weather/role/path%252Fto%252Frole/creds?durationSeconds=3600&externalId=x',
    )
  })

  test('are given to the SDK while they are fresh, and not to those who do not know the external id', async () => {
    await using setting = await setUp(jsonAnswer(credentials))
    const provider = setting.zts.awsCredentialProvider('weather', 'role', { externalId: 'x' })
    const expected = { ...credentials, expiration: new Date(expiration) }
    assert.deepEqual([await provider(), await provider()], [expected, expected])
    assert.equal(setting.service.seen.length, 1)
    await setting.zts.getAwsCredentials('weather', 'role')
    assert.equal(setting.service.seen.length, 2)
  })
})

describe('signed policies', () => {
  const policies = {
    signedPolicyData: {
      policyData: { domain: 'weather', policies: [] },
      modified: '2026-01-01T00:00:00.000Z',
      expires: '2026-01-08T00:00:00.000Z',
    },
    signature: 's',
    keyId: '0',
  }
  const jws = { payload: 'p', protected: 'h', header: { kid: '0' }, signature: 's' }
  const answer: FakeAnswer = (response, { method, headers }) => {
    if (headers['if-none-match'] === '"1"') response.writeHead(304, { etag: '"1"' }).end()
    else response.writeHead(200, { etag: '"1"' }).end(JSON.stringify(method === 'GET' ? policies : jws))
  }

  test('are null when they have not changed', async () => {
    await using setting = await setUp(answer)
    const first = await setting.zts.getSignedPolicies('weather')
    assert.deepEqual(first, { policies, tag: '"1"' })
    assert.equal(await setting.zts.getSignedPolicies('weather', { tag: first?.tag }), null)
  })

  test('as a web signature can be of other versions', async () => {
    await using setting = await setUp(answer)
    const wanted = { policyVersions: { readers: 'v2' }, p1363Signature: true }
    assert.deepEqual(await setting.zts.getJwsPolicies('weather', wanted), { policies: jws, tag: '"1"' })
    assert.equal(await setting.zts.getJwsPolicies('weather', { tag: '"1"' }), null)
    const [seen] = setting.service.seen
    assert.deepEqual(JSON.parse(seen?.body ?? ''), { policyVersions: { readers: 'v2' }, signatureP1363Format: true })
  })
})

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate)
}
