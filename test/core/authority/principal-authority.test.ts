import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Rejection } from '#core/authority/authority.ts'
import type { KeyStore } from '#core/authority/key-store.ts'
import type { Principal } from '#core/authority/principal.ts'
import { PrincipalAuthority } from '#core/authority/principal-authority.ts'
import {
  type PrincipalTokenClaims,
  signAuthorizedService,
  signPrincipalToken,
} from '#core/token/sign-principal-token.ts'
import { contextOf, NOW_SECONDS, newSigner } from './support.ts'

const service = newSigner('0')
const delegate = newSigner('ui')
const zms = newSigner('zms1')
const keys = new Map([
  ['sports/api/0', service],
  ['athenz/ui/ui', delegate],
  ['sys.auth/zms/zms1', zms],
])
const keyStore: KeyStore = {
  publicKey: async (domain, name, keyId) => keys.get(`${domain}/${name}/${keyId}`)?.publicKey,
}

function newAuthority(properties: Readonly<Record<string, string>> = {}): PrincipalAuthority {
  const authority = new PrincipalAuthority()
  authority.initialize(contextOf(properties, { keyStore }))
  return authority
}

const serviceClaims: PrincipalTokenClaims = {
  version: 'S1',
  domain: 'Sports',
  name: 'API',
  host: 'host1',
  salt: 'aa',
  issueTimeSeconds: NOW_SECONDS - 10,
  ip: '10.1.2.3',
  originalRequestor: 'someone',
}
const userClaims: PrincipalTokenClaims = { ...serviceClaims, version: 'U1', domain: 'user', name: 'joe' }
const serviceToken = (claims: Partial<PrincipalTokenClaims> = {}) =>
  signPrincipalToken({ ...serviceClaims, ...claims }, service)
const userToken = (claims: Partial<PrincipalTokenClaims> = {}) => signPrincipalToken({ ...userClaims, ...claims }, zms)
const delegatedToken = async () =>
  (await signAuthorizedService(await userToken({ authorizedServices: ['athenz.ui'] }), 'athenz.ui', delegate)) as string

interface Case {
  readonly token: Promise<string> | string
  readonly properties?: Readonly<Record<string, string>>
  readonly method?: string
  readonly address?: string
}
async function authenticate({ token, properties, method = 'GET', address = '10.1.2.3' }: Case) {
  return (await newAuthority(properties).authenticateHeader(await token, address, method)) as Principal | Rejection
}

test('is an authority for tokens of any domain, with header and challenge', () => {
  const { id, credentialSource, header, challenge, allowAuthorization } = newAuthority()
  assert.deepEqual(
    [id, credentialSource, header, challenge, allowAuthorization],
    ['Auth-NTOKEN', 'header', 'Athenz-Principal-Auth', 'AthenzPrincipalToken realm="athenz"', true],
  )
  assert.equal(newAuthority({ 'athenz.auth.principal.header': 'X-Auth' }).header, 'X-Auth')
})

test('gives a principal with everything the token says', async () => {
  const authority = newAuthority()
  const token = await serviceToken()
  assert.deepEqual(await authority.authenticateHeader(token, '10.9.9.9', 'PUT'), {
    domain: 'sports',
    name: 'api',
    fullName: 'sports.api',
    authority,
    credentials: token,
    unsignedCredentials: token.slice(0, token.indexOf(';s=')),
    issueTimeSeconds: NOW_SECONDS - 10,
    authorizedService: undefined,
    originalRequestor: 'someone',
    keyService: undefined,
    keyId: '0',
    ip: '10.1.2.3',
  })
})

test('names the authorized service that has signed', async () => {
  const principal = (await authenticate({ token: delegatedToken(), method: 'PUT', address: '10.9.9.9' })) as Principal
  assert.deepEqual([principal.fullName, principal.authorizedService], ['user.joe', 'athenz.ui'])
})

describe('accepts', () => {
  const cases: readonly [behaviour: string, given: Case][] = [
    ['a token of a service from anywhere', { token: serviceToken(), address: '10.9.9.9', method: 'DELETE' }],
    ['a token of a user from its address', { token: userToken(), method: 'PUT' }],
    ['a token of a user from elsewhere, to read', { token: userToken(), address: '10.9.9.9' }],
    [
      'a token of a user from elsewhere where addresses do not matter',
      {
        token: userToken(),
        address: '10.9.9.9',
        method: 'PUT',
        properties: { 'athenz.auth.principal.remote_ip_check_mode': 'OPS_NONE' },
      },
    ],
    ['a token issued within the tolerance', { token: serviceToken({ issueTimeSeconds: NOW_SECONDS + 300 }) }],
    [
      'the usual tolerance instead of a negative one',
      {
        token: serviceToken({ issueTimeSeconds: NOW_SECONDS + 300 }),
        properties: { 'athenz.auth.principal.token_allowed_offset': '-1' },
      },
    ],
    [
      'a token without expiry where that is allowed, to read',
      { token: serviceToken({ expiryTimeSeconds: 0 }), properties: { 'athenz.token_no_expiry': 'true' } },
    ],
    [
      'a token of a user of another user domain, signed by the server',
      { token: userToken({ domain: 'people' }), properties: { 'athenz.user_domain': 'People' } },
    ],
  ]
  for (const [behaviour, given] of cases) {
    test(behaviour, async () => assert.equal('fullName' in (await authenticate(given)), true))
  }
})

describe('refuses', () => {
  const tampered = serviceToken().then((token) => token.replace('n=API', 'n=web'))
  const cases: readonly [behaviour: string, given: Case, reason: RegExp][] = [
    ['what is no token', { token: 'garbage' }, /^a field is not of the form key=value$/],
    ['an empty header', { token: '' }, /^empty$/],
    ['a token without signature', { token: 'v=S1;d=sports;n=api;t=1;e=2' }, /^field s is missing$/],
    [
      'a changed token',
      { token: tampered },
      /^no such public key \(key 0 of sports\.web\), credentials: v=S1;d=Sports;n=web;/,
    ],
    [
      'a token signed with another key',
      { token: signPrincipalToken(serviceClaims, newSigner('0')) },
      /^the signature does not match \(key 0 of sports\.api\), credentials: v=S1;d=Sports;n=API;h=host1;a=aa;/,
    ],
    [
      'a token of a user signed by a service',
      { token: signPrincipalToken(userClaims, service) },
      /^no such public key \(key 0 of sys\.auth\.zms\)/,
    ],
    ['an expired token', { token: serviceToken({ issueTimeSeconds: NOW_SECONDS - 7200 }) }, /^expired at /],
    ['a token of the future', { token: serviceToken({ issueTimeSeconds: NOW_SECONDS + 301 }) }, /^issued at /],
    [
      'a token of the future beyond a smaller tolerance',
      {
        token: serviceToken({ issueTimeSeconds: NOW_SECONDS + 11 }),
        properties: { 'athenz.auth.principal.token_allowed_offset': '10' },
      },
      /^issued at /,
    ],
    [
      'a token that lives too long',
      { token: serviceToken({ expiryTimeSeconds: NOW_SECONDS + 2_592_301 }) },
      /^expires at /,
    ],
    [
      'a token that lives longer than configured',
      {
        token: serviceToken({ expiryTimeSeconds: NOW_SECONDS + 401 }),
        properties: { 'athenz.token_max_expiry': '100' },
      },
      /^expires at /,
    ],
    ['a token without expiry', { token: serviceToken({ expiryTimeSeconds: 0 }) }, /^expired at 0/],
    [
      'a token without expiry for writing, even where it is allowed',
      {
        token: serviceToken({ expiryTimeSeconds: 0 }),
        method: 'PUT',
        properties: { 'athenz.token_no_expiry': 'true' },
      },
      /^expired at 0/,
    ],
    [
      'a token of a user from elsewhere, to write',
      { token: userToken(), address: '10.9.9.9', method: 'POST' },
      /^issued to 10\.1\.2\.3, presented from 10\.9\.9\.9, /,
    ],
    [
      'a token of a user from elsewhere where addresses always matter',
      {
        token: delegatedToken(),
        address: '10.9.9.9',
        properties: { 'athenz.auth.principal.remote_ip_check_mode': 'OPS_ALL' },
      },
      /^issued to 10\.1\.2\.3, presented from 10\.9\.9\.9, /,
    ],
    [
      'a token for a service that has not signed',
      { token: userToken({ authorizedServices: ['athenz.ui'] }) },
      /^no authorized service has signed, /,
    ],
  ]
  for (const [behaviour, given, reason] of cases) {
    test(behaviour, async () => {
      const result = (await authenticate(given)) as Rejection
      const prefix = 'PrincipalAuthority:authenticate: '
      assert.ok(result.rejected?.startsWith(prefix), JSON.stringify(result))
      assert.match(result.rejected.slice(prefix.length), reason)
      assert.doesNotMatch(result.rejected, /;s=|;bs=/)
    })
  }

  test('no token when the keys cannot be read, but fails', async () => {
    const authority = new PrincipalAuthority()
    authority.initialize(contextOf({}, { keyStore: { publicKey: () => Promise.reject(new Error('store is down')) } }))
    await assert.rejects(authority.authenticateHeader(await serviceToken(), '10.1.2.3', 'GET'), {
      message: 'store is down',
    })
  })
})

describe('start', () => {
  const cases: readonly [property: string, value: string, message: RegExp][] = [
    [
      'athenz.auth.principal.token_allowed_offset',
      '5m',
      /^athenz\.auth\.principal\.token_allowed_offset: "5m" is not a whole number$/,
    ],
    [
      'athenz.auth.principal.remote_ip_check_mode',
      'none',
      /remote_ip_check_mode: "none" is none of OPS_WRITE, OPS_ALL, OPS_NONE$/,
    ],
    ['athenz.token_no_expiry', '1', /^athenz\.token_no_expiry: "1" is neither true nor false$/],
    ['athenz.token_max_expiry', '1e9', /^athenz\.token_max_expiry: "1e9" is not a whole number$/],
  ]
  for (const [property, value, message] of cases) {
    test(`fails on ${property}=${value}`, () => assert.throws(() => newAuthority({ [property]: value }), { message }))
  }
})
