import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Rejection } from '#core/authority/authority.ts'
import type { Principal } from '#core/authority/principal.ts'
import { RoleAuthority } from '#core/authority/role-authority.ts'
import { type RoleTokenClaims, signRoleToken } from '#core/token/sign-role-token.ts'
import { contextOf, NOW_SECONDS, newSigner } from './support.ts'

const zts = newSigner('zts1')

function newAuthority(properties: Readonly<Record<string, string>> = {}): RoleAuthority {
  const authority = new RoleAuthority()
  const keyStore = {
    publicKey: async (domain: string, service: string, keyId: string) =>
      `${domain}.${service}/${keyId}` === 'sys.auth.zts/zts1' ? zts.publicKey : undefined,
  }
  authority.initialize(contextOf(properties, { keyStore }))
  return authority
}

const claims: RoleTokenClaims = {
  domain: 'Sports',
  roles: ['readers', 'writers'],
  completeRoleSet: true,
  principal: 'weather.api',
  salt: 'aa',
  issueTimeSeconds: NOW_SECONDS - 10,
  expiryTimeSeconds: NOW_SECONDS + 3600,
  ip: '10.1.2.3',
}
const roleToken = async (changes: Partial<RoleTokenClaims> = {}) => signRoleToken({ ...claims, ...changes }, zts)

interface Case {
  readonly token: Promise<string> | string
  readonly properties?: Readonly<Record<string, string>>
  readonly method?: string
  readonly address?: string
}
async function authenticate({ token, properties, method = 'GET', address = '10.1.2.3' }: Case) {
  return (await newAuthority(properties).authenticateHeader(await token, address, method)) as Principal | Rejection
}

test('is an authority of sys.auth, with header and challenge', () => {
  const { id, credentialSource, domain, header, challenge, allowAuthorization } = newAuthority()
  assert.deepEqual(
    [id, credentialSource, domain, header, challenge, allowAuthorization],
    ['Auth-ROLE', 'header', 'sys.auth', 'Athenz-Role-Auth', 'AthenzRoleToken realm="athenz"', true],
  )
  assert.equal(newAuthority({ 'athenz.auth.role.header': 'X-Role' }).header, 'X-Role')
})

test('gives a principal that is its roles', async () => {
  const authority = newAuthority()
  const token = await roleToken()
  assert.deepEqual(await authority.authenticateHeader(token, '10.9.9.9', 'PUT'), {
    domain: 'sports',
    fullName: 'sports',
    authority,
    credentials: token,
    unsignedCredentials: token.slice(0, token.indexOf(';s=')),
    issueTimeSeconds: NOW_SECONDS - 10,
    roles: ['readers', 'writers'],
    rolePrincipalName: 'weather.api',
    keyId: 'zts1',
    ip: '10.1.2.3',
  })
})

describe('accepts', () => {
  const cases: readonly [behaviour: string, given: Case][] = [
    ['a token of a user from elsewhere, to read', { token: roleToken({ principal: 'user.joe' }), address: '10.9.9.9' }],
    ['a token of a user from its address, to write', { token: roleToken({ principal: 'user.joe' }), method: 'PUT' }],
    [
      'a token of somebody outside of the user domain from elsewhere, to write',
      {
        token: roleToken({ principal: 'user.joe' }),
        address: '10.9.9.9',
        method: 'PUT',
        properties: { 'athenz.user_domain': 'people' },
      },
    ],
  ]
  for (const [behaviour, given] of cases) {
    test(behaviour, async () => assert.equal('fullName' in (await authenticate(given)), true))
  }
})

describe('refuses', () => {
  const cases: readonly [behaviour: string, given: Case, reason: RegExp][] = [
    ['what is no token', { token: 'garbage' }, /^a field is not of the form key=value$/],
    [
      'a token signed by another',
      { token: signRoleToken(claims, newSigner('zts1')) },
      /^the signature does not match \(key zts1 of sys\.auth\.zts\)/,
    ],
    [
      'a token with an unknown key',
      { token: signRoleToken(claims, newSigner('zts2')) },
      /^no such public key \(key zts2 of sys\.auth\.zts\)/,
    ],
    [
      'a changed token',
      { token: roleToken().then((token) => token.replace('readers', 'admin')) },
      /^the signature does not match/,
    ],
    ['an expired token', { token: roleToken({ expiryTimeSeconds: NOW_SECONDS - 1 }) }, /^expired at /],
    ['a token without expiry', { token: roleToken({ expiryTimeSeconds: 0 }) }, /^expired at 0/],
    [
      'a token without expiry where principal tokens may have none',
      { token: roleToken({ expiryTimeSeconds: 0 }), properties: { 'athenz.token_no_expiry': 'true' } },
      /^expired at 0/,
    ],
    [
      'a token of the future',
      {
        token: roleToken({ issueTimeSeconds: NOW_SECONDS + 11 }),
        properties: { 'athenz.auth.role.token_allowed_offset': '10' },
      },
      /^issued at /,
    ],
    [
      'a token of a user from elsewhere, to write',
      { token: roleToken({ principal: 'user.joe' }), address: '10.9.9.9', method: 'DELETE' },
      /^issued to 10\.1\.2\.3, presented from 10\.9\.9\.9/,
    ],
    [
      'a token from elsewhere whose holder has no domain, to write',
      { token: roleToken({ principal: 'joe' }), address: '10.9.9.9', method: 'DELETE' },
      /^issued to 10\.1\.2\.3, presented from 10\.9\.9\.9/,
    ],
  ]
  for (const [behaviour, given, reason] of cases) {
    test(behaviour, async () => {
      const result = (await authenticate(given)) as Rejection
      const prefix = 'RoleAuthority:authenticate: '
      assert.ok(result.rejected?.startsWith(prefix), JSON.stringify(result))
      assert.match(result.rejected.slice(prefix.length), reason)
      assert.doesNotMatch(result.rejected, /;s=/)
    })
  }
})
