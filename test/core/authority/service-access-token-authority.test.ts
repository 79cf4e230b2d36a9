import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { before, describe, test } from 'node:test'
import type { AuthenticationResult } from '#core/authority/authority.ts'
import { ServiceAccessTokenAuthority } from '#core/authority/service-access-token-authority.ts'
import { bearerRequest, type ClaimChanges, damaged, secretTokenOf, tokenOf } from './bearer-support.ts'
import {
  basic,
  contextOf,
  type IssuedCertificate,
  NOW_SECONDS,
  newSigner,
  requestOf,
  TestCa,
  tlsSocketOf,
} from './support.ts'

const zts = newSigner('zts-1')
const api = newSigner('api-1')
const stranger = newSigner('api-1')
const SECRET = 'a secret of more than 32 characters'
const keys = new Map([
  ['sys.auth zts zts-1', zts.publicKey],
  ['sports api api-1', api.publicKey],
])

const authority = new ServiceAccessTokenAuthority()
before(() =>
  authority.initialize(
    contextOf(
      { 'athenz.auth.access_token.oauth_issuer': 'https://zts.example.com' },
      {
        keyStore: {
          publicKey: async (domain, service, keyId) => keys.get(`${domain} ${service} ${keyId}`),
          serviceSecret: async (domain, service) => (`${domain}.${service}` === 'sports.api' ? SECRET : undefined),
        },
      },
    ),
  ),
)

const ACCESS = {
  iss: 'https://zts.example.com',
  sub: 'Sports.API',
  aud: 'weather',
  scp: ['readers', 'writers'],
  scope: 'readers writers',
}
const OWN = { iss: 'sports.api', sub: 'sports.api', aud: 'https://zts.example.com' }
const accessToken = (changes: ClaimChanges = {}, typ = 'at+jwt') => tokenOf(zts, { ...ACCESS, ...changes }, typ)
const ownToken = (changes: ClaimChanges = {}, signer = api) => tokenOf(signer, { ...OWN, ...changes })

function refused(result: AuthenticationResult, reason: string): void {
  assert.deepEqual(result, { rejected: `AccessTokenAuthority:authenticate: ${reason}` })
}

test('is an authority of clients that may do everything', () => {
  const { id, credentialSource, challenge, allowAuthorization } = authority
  assert.deepEqual(
    [id, credentialSource, challenge, allowAuthorization, 'domain' in authority],
    ['Auth-SvcAccessToken', 'request', 'Basic realm="athenz"', true, false],
  )
})

describe('a token of ZTS', () => {
  test('gives the roles in the domain that is its audience', async () => {
    const token = await accessToken()
    assert.deepEqual(await authority.authenticateRequest(bearerRequest(token)), {
      domain: 'weather',
      fullName: 'weather',
      authority,
      credentials: token,
      unsignedCredentials: token.slice(0, token.lastIndexOf('.')),
      issueTimeSeconds: NOW_SECONDS - 60,
      keyId: 'zts-1',
      roles: ['readers', 'writers'],
      rolePrincipalName: 'sports.api',
    })
  })

  test('may be that of an external member', async () => {
    const token = await accessToken({ sub: 'email:ext.joe@example.com' })
    const result = await authority.authenticateRequest(bearerRequest(token))
    assert.equal(result && 'fullName' in result && result.rolePrincipalName, 'email:ext.joe@example.com')
  })

  test('may name its roles by `scp` alone', async () => {
    const result = await authority.authenticateRequest(bearerRequest(await accessToken({ scope: undefined })))
    assert.deepEqual(result && 'roles' in result && result.roles, ['readers', 'writers'])
  })

  test('may be for several audiences, of which the first one counts', async () => {
    const result = await authority.authenticateRequest(bearerRequest(await accessToken({ aud: ['weather', 'other'] })))
    assert.equal(result && 'domain' in result && result.domain, 'weather')
  })

  const cases: readonly [behaviour: string, token: () => Promise<string>, reason: string][] = [
    [
      'without roles',
      () => accessToken({ scope: undefined, scp: [] }),
      'invalid token of Sports.API: it gives no roles',
    ],
    [
      'whose roles are no list',
      () => accessToken({ scope: 1, scp: [1] }),
      'invalid token of Sports.API: it gives no roles',
    ],
    [
      'for somebody that is no domain',
      () => accessToken({ aud: 'https://weather.example.com' }),
      'invalid token of Sports.API: the audience is no domain',
    ],
    ['that is an id token', () => accessToken({}, 'jwt'), 'invalid token of Sports.API: type jwt'],
    ['of no type', () => tokenOf(zts, ACCESS), 'invalid token of Sports.API: type not given'],
    [
      'that is signed by another service',
      () => tokenOf(api, ACCESS, 'at+jwt'),
      'invalid token of Sports.API: key api-1 is not known',
    ],
    [
      'that was changed',
      async () => damaged(await accessToken()),
      'invalid token of Sports.API: the signature does not match',
    ],
    [
      'that has expired',
      () => accessToken({ exp: NOW_SECONDS - 61 }),
      `invalid token of Sports.API: expired at ${NOW_SECONDS - 61}, 61 seconds ago`,
    ],
    ['that never expires', () => accessToken({ exp: undefined }), 'invalid token of Sports.API: no time of expiry'],
    [
      'from the future',
      () => accessToken({ nbf: NOW_SECONDS + 61 }),
      `invalid token of Sports.API: valid from ${NOW_SECONDS + 61}, 61 seconds from now`,
    ],
    ['without issuer', () => accessToken({ iss: '' }), 'invalid token: it names no issuer'],
    ['without audience', () => accessToken({ aud: undefined }), 'invalid token: it names no audience'],
    ['without subject', () => accessToken({ sub: undefined }), 'invalid token: the subject is no principal'],
    ['whose subject has no domain', () => accessToken({ sub: 'joe' }), 'invalid token: the subject is no principal'],
    [
      'whose subject is a group',
      () => accessToken({ sub: 'sports:group.x' }),
      'invalid token: the subject is no principal',
    ],
    ['that is none', async () => 'abc', 'invalid token: not three parts separated by periods'],
  ]
  for (const [behaviour, token, reason] of cases) {
    test(`${behaviour} is refused`, async () =>
      refused(await authority.authenticateRequest(bearerRequest(await token())), reason))
  }
})

describe('a token that a service signed itself', () => {
  test('gives the service, with its key', async () => {
    const token = await ownToken()
    assert.deepEqual(await authority.authenticateRequest(bearerRequest(token)), {
      domain: 'sports',
      name: 'api',
      fullName: 'sports.api',
      authority,
      credentials: token,
      unsignedCredentials: token.slice(0, token.lastIndexOf('.')),
      issueTimeSeconds: NOW_SECONDS - 60,
      keyId: 'api-1',
    })
  })

  for (const alg of ['HS256', 'HS384', 'HS512']) {
    test(`gives the service, with its secret and ${alg}`, async () => {
      const secret = alg === 'HS256' ? SECRET : SECRET.padEnd(64, 'x')
      const local = new ServiceAccessTokenAuthority()
      local.initialize(
        contextOf(
          { 'athenz.auth.access_token.oauth_issuer': 'https://zts.example.com' },
          { keyStore: { publicKey: async () => undefined, serviceSecret: async () => secret } },
        ),
      )
      const result = await local.authenticateRequest(bearerRequest(secretTokenOf(secret, OWN, alg)))
      assert.equal(result && 'fullName' in result && result.fullName, 'sports.api')
    })
  }

  const cases: readonly [behaviour: string, token: () => Promise<string>, reason: string][] = [
    [
      'for another server',
      () => ownToken({ aud: 'https://other.example.com' }),
      'invalid token of sports.api: the audience is not this server',
    ],
    [
      'about another service',
      () => ownToken({ sub: 'sports.admin' }),
      'invalid token of sports.admin: the issuer is neither ZTS nor the subject',
    ],
    [
      'with a key that is not registered for it',
      () => ownToken({}, stranger),
      'invalid token of sports.api: the signature does not match',
    ],
    [
      'by a service without keys',
      () => ownToken({ iss: 'sports.none', sub: 'sports.none' }),
      'invalid token of sports.none: key api-1 is not known',
    ],
    [
      'with another secret',
      async () => secretTokenOf('another secret of more than 32 characters', OWN),
      'invalid token of sports.api: the signature does not match',
    ],
    [
      'with its public key as secret',
      async () => secretTokenOf(api.publicKeyPem, OWN),
      'invalid token of sports.api: the signature does not match',
    ],
    [
      'with a secret by a service that has none',
      async () => secretTokenOf(SECRET, { ...OWN, iss: 'sports.none', sub: 'sports.none' }),
      'invalid token of sports.none: key  is not known',
    ],
    [
      'with no algorithm',
      async () => {
        const [, body] = (await ownToken()).split('.')
        return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.AA`
      },
      'invalid token of sports.api: algorithm none is not accepted',
    ],
    [
      'for another purpose',
      () => tokenOf(api, OWN, 'oauth-id-jag+jwt'),
      'invalid token of sports.api: type oauth-id-jag+jwt',
    ],
  ]
  for (const [behaviour, token, reason] of cases) {
    test(`${behaviour} is refused`, async () =>
      refused(await authority.authenticateRequest(bearerRequest(await token())), reason))
  }
})

describe('a token that is bound to a certificate', () => {
  let mine: IssuedCertificate
  let other: IssuedCertificate
  before(async () => {
    const ca = await TestCa.create()
    mine = await ca.issue({ subject: [{ type: 'CN', value: 'sports.api' }] })
    other = await ca.issue({ subject: [{ type: 'CN', value: 'sports.api' }] })
  })
  const bound = () => {
    const thumbprint = createHash('sha256').update(mine.certificate.raw).digest('base64url')
    return accessToken({ cnf: { 'x5t#S256': thumbprint } })
  }
  const reason = 'invalid token of Sports.API: it is bound to a certificate that the client has not shown'

  test('counts with that certificate', async () => {
    const result = await authority.authenticateRequest(bearerRequest(await bound(), mine.certificate))
    assert.ok(result && 'roles' in result)
  })

  test('is refused with another one, without one, and with one that TLS does not trust', async () => {
    const token = await bound()
    refused(await authority.authenticateRequest(bearerRequest(token, other.certificate)), reason)
    refused(await authority.authenticateRequest(bearerRequest(token)), reason)
    refused(await authority.authenticateRequest(bearerRequest(token, mine.certificate, false)), reason)
  })

  test('is refused when it is bound to something else', async () => {
    for (const cnf of [{ jkt: 'abc' }, 'text', { 'x5t#S256': null }]) {
      refused(await authority.authenticateRequest(bearerRequest(await accessToken({ cnf }), mine.certificate)), reason)
    }
  })
})

describe('a request', () => {
  test('without credentials is none of its', async () => {
    assert.equal(await authority.authenticateRequest(requestOf({ socket: tlsSocketOf(undefined) })), null)
  })

  test('with another scheme is refused', async () => {
    const request = requestOf({ rawHeaders: ['Authorization', basic('joe:x')] })
    refused(await authority.authenticateRequest(request), "credentials do not start with 'Bearer '")
  })
})
