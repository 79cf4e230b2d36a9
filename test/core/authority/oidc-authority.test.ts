import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { AuthenticationResult } from '#core/authority/authority.ts'
import { OidcAuthority } from '#core/authority/oidc-authority.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { type ClaimChanges, damaged, startProvider, type TestProvider, tokenOf } from './bearer-support.ts'
import { contextOf, NOW_SECONDS, newSigner } from './support.ts'

const PREFIX = 'athenz.auth.oidc.'
const provider = newSigner('key-1')
const stranger = newSigner('key-1')
const folder = temporaryFolder()
let provided: TestProvider
let issuer = ''
before(async () => {
  provided = await startProvider(folder, provider.publicKey, 'key-1')
  issuer = provided.issuer
})
after(() => provided.close())

const authorities: OidcAuthority[] = []
after(() => Promise.all(authorities.map((each) => each.close())))

const settings = (changes: Readonly<Record<string, string>> = {}, prefix = PREFIX) => ({
  [`${prefix}issuer`]: issuer,
  [`${prefix}audience`]: 'athenz',
  [`${prefix}email_domain`]: '@example.com',
  'athenz.ts.identity_provider_ca_file': provided.caFile,
  ...changes,
})
async function start(changes: Readonly<Record<string, string>> = {}): Promise<OidcAuthority> {
  const authority = new OidcAuthority()
  await authority.initialize(contextOf(settings(changes)))
  authorities.push(authority)
  return authority
}

const CLAIMS = { sub: '1234', aud: 'athenz', email: 'Joe@Example.com', email_verified: true }
const idToken = (changes: ClaimChanges = {}, signer = provider, typ?: string) =>
  tokenOf(signer, { iss: issuer, ...CLAIMS, ...changes }, typ)
const login = async (authority: OidcAuthority, token: string): Promise<AuthenticationResult> =>
  authority.authenticateHeader(`Bearer ${token}`)
const refused = (result: AuthenticationResult, reason: string) =>
  assert.deepEqual(result, { rejected: `OIDCAuthority:authenticate: ${reason}` })
const nameOf = (result: AuthenticationResult) => result && 'fullName' in result && result.fullName

describe('a token of the provider', () => {
  let authority: OidcAuthority
  before(async () => {
    authority = await start()
  })

  test('gives the person behind its e-mail address', async () => {
    const token = await idToken()
    assert.deepEqual(await login(authority, token), {
      domain: 'user',
      name: 'joe',
      fullName: 'user.joe',
      authority,
      credentials: token,
      unsignedCredentials: token.slice(0, token.lastIndexOf('.')),
      issueTimeSeconds: NOW_SECONDS - 60,
    })
  })

  test('may be for several, and need not say that the address is verified', async () => {
    const token = await idToken({ aud: ['other', 'athenz'], email_verified: undefined })
    assert.equal(nameOf(await login(authority, token)), 'user.joe')
  })

  const cases: readonly [behaviour: string, token: () => Promise<string>, reason: string][] = [
    ['of another issuer', () => idToken({ iss: 'https://other.example.com' }), 'the token is of another issuer'],
    ['of an issuer with a slash more', () => idToken({ iss: `${issuer}/` }), 'the token is of another issuer'],
    ['without issuer', () => idToken({ iss: undefined }), 'the token is of another issuer'],
    ['for another audience', () => idToken({ aud: 'athenz2' }), 'invalid token: it is for another audience'],
    ['for nobody', () => idToken({ aud: undefined }), 'invalid token: it is for another audience'],
    ['with a foreign key', () => idToken({}, stranger), 'invalid token: the signature does not match'],
    ['with an unknown key', () => idToken({}, newSigner('x')), 'invalid token: key x is not known'],
    ['that was changed', async () => damaged(await idToken()), 'invalid token: the signature does not match'],
    [
      'that has expired',
      () => idToken({ exp: NOW_SECONDS - 100 }),
      `invalid token: expired at ${NOW_SECONDS - 100}, 100 seconds ago`,
    ],
    ['that never expires', () => idToken({ exp: undefined }), 'invalid token: no time of expiry'],
    ['about a logout', () => idToken({}, provider, 'logout+jwt'), 'invalid token: type logout+jwt'],
    ['without address', () => idToken({ email: undefined }), 'the token has no claim email'],
    ['whose address is not verified', () => idToken({ email_verified: false }), 'the e-mail address is not verified'],
    [
      'whose address is not verified, as a text',
      () => idToken({ email_verified: 'false' }),
      'the e-mail address is not verified',
    ],
    [
      'with an address of another domain',
      () => idToken({ email: 'joe@example.org' }),
      'the e-mail address is of another domain',
    ],
    [
      'with an address of a domain that ends alike',
      () => idToken({ email: 'joe@evil-example.com' }),
      'the e-mail address is of another domain',
    ],
    [
      'with an address of a subdomain',
      () => idToken({ email: 'joe@x.example.com' }),
      'the e-mail address is of another domain',
    ],
    ['with two at signs', () => idToken({ email: 'joe@evil.org@example.com' }), 'the e-mail address is none'],
    ['without name in the address', () => idToken({ email: '@example.com' }), 'the e-mail address is none'],
    [
      'whose name does not fit the pattern',
      () => idToken({ email: 'joe-smith@example.com' }),
      'email does not give a user name of the configured pattern',
    ],
    ['that is none', async () => 'a.b', 'invalid token: not three parts separated by periods'],
  ]
  for (const [behaviour, token, reason] of cases) {
    test(`${behaviour} is refused`, async () => refused(await login(authority, await token()), reason))
  }

  test('is refused under another scheme', async () => {
    refused(await authority.authenticateHeader('Basic am9lOngK'), "credentials do not start with 'Bearer '")
  })
})

describe('settings', () => {
  test('may name another claim, domain and pattern', async () => {
    const authority = await start({
      [`${PREFIX}claim_mapping`]: 'login',
      [`${PREFIX}email_domain`]: '',
      [`${PREFIX}domain`]: 'Person',
      [`${PREFIX}username_pattern`]: '[a-z._-]+',
      [`${PREFIX}name`]: 'corp',
    })
    assert.equal(authority.id, 'Auth-OIDC-corp')
    assert.equal(nameOf(await login(authority, await idToken({ login: 'Joe-Smith', email: 1 }))), 'person.joe-smith')
    refused(await login(authority, await idToken({ login: 'joe.smith' })), 'login does not give a simple name')
    refused(await login(authority, await idToken({ login: ['joe'] })), 'the token has no claim login')
  })

  test('may have the domain of addresses without its at sign, which means the same', async () => {
    const authority = await start({ [`${PREFIX}email_domain`]: 'Example.com' })
    assert.equal(nameOf(await login(authority, await idToken())), 'user.joe')
    refused(
      await login(authority, await idToken({ email: 'joe@evil-example.com' })),
      'the e-mail address is of another domain',
    )
  })

  test('stand under another prefix for another provider', async () => {
    const prefix = 'athenz.auth.oidc.okta'
    const authority = new OidcAuthority(prefix)
    await authority.initialize(contextOf(settings({}, `${prefix}.`)))
    authorities.push(authority)
    assert.equal(nameOf(await login(authority, await idToken())), 'user.joe')
    assert.equal(authority.id, 'Auth-OIDC-default')
  })
})

describe('the start fails', () => {
  const rejects = (changes: () => Readonly<Record<string, string>>, message: string | RegExp) => async () => {
    await assert.rejects(start(changes()), { message })
  }
  test(
    'without issuer',
    rejects(() => ({ [`${PREFIX}issuer`]: '' }), 'athenz.auth.oidc.issuer is not set'),
  )
  test(
    'without audience',
    rejects(() => ({ [`${PREFIX}audience`]: '' }), 'athenz.auth.oidc.audience is not set'),
  )
  test(
    'without domain of the addresses',
    rejects(() => ({ [`${PREFIX}email_domain`]: '' }), 'athenz.auth.oidc.email_domain is not set'),
  )
  test(
    'with an issuer that is not protected',
    rejects(
      () => ({ [`${PREFIX}issuer`]: 'http://localhost' }),
      'athenz.auth.oidc.issuer: "http://localhost" is no https URL',
    ),
  )
  test(
    'with a pattern that is none',
    rejects(
      () => ({ [`${PREFIX}username_pattern`]: '(' }),
      'athenz.auth.oidc.username_pattern: "(" is not a regular expression',
    ),
  )
  test(
    'when nobody trusts the provider',
    rejects(
      () => ({ 'athenz.ts.identity_provider_ca_file': '' }),
      /^the keys of https:\/\/localhost:\d+ cannot be read: no answer from localhost:\d+: .*(certificate|issuer)/,
    ),
  )
  test(
    'when the authorities cannot be read',
    rejects(
      () => ({ 'athenz.ts.identity_provider_ca_file': '/nonexistent' }),
      'athenz.ts.identity_provider_ca_file: the file /nonexistent cannot be read',
    ),
  )
  test(
    'when the provider has no metadata there',
    rejects(() => ({ [`${PREFIX}issuer`]: `${issuer}/realm` }), /openid-configuration answered with status 404$/),
  )
  test('when the metadata is about another issuer', async () => {
    provided.documents.set('/other/.well-known/openid-configuration', { issuer, jwks_uri: `${issuer}/keys` })
    await assert.rejects(start({ [`${PREFIX}issuer`]: `${issuer}/other` }), { message: /is about another issuer$/ })
  })
  test('when the keys are not protected', async () => {
    provided.documents.set('/plain/.well-known/openid-configuration', {
      issuer: `${issuer}/plain`,
      jwks_uri: 'http://localhost/keys',
    })
    await assert.rejects(start({ [`${PREFIX}issuer`]: `${issuer}/plain` }), { message: /keys .* are not protected$/ })
  })
  test('when there are no keys', async () => {
    provided.documents.set('/none/.well-known/openid-configuration', {
      issuer: `${issuer}/none`,
      jwks_uri: `${issuer}/no-keys`,
    })
    await assert.rejects(start({ [`${PREFIX}issuer`]: `${issuer}/none` }), {
      message: /no-keys answered with status 404$/,
    })
  })
})
