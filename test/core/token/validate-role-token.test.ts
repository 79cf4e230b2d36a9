import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSigner } from '#core/crypto/signing.ts'
import { type RoleTokenClaims, signRoleToken } from '#core/token/sign-role-token.ts'
import { type RoleTokenRules, validateRoleToken } from '#core/token/validate-role-token.ts'

const NOW = 1_700_000_000
const ZTS = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'zts.0')
const ZTS_RSA = createSigner(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey, 'zts.1')
const STRANGER = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'zts.0')

const CLAIMS: RoleTokenClaims = {
  domain: 'sports',
  roles: ['readers', 'writers'],
  completeRoleSet: true,
  principal: 'user.joe',
  host: 'zts.example.com',
  proxyUser: 'ui.web',
  salt: '1f2e',
  issueTimeSeconds: NOW,
  expiryTimeSeconds: NOW + 7200,
  ip: '10.0.0.1',
}

const RULES: RoleTokenRules = {
  nowSeconds: NOW,
  allowedOffsetSeconds: 300,
  maxExpirySeconds: 2_592_000,
  publicKey: async (domain, service, keyId) =>
    domain === 'sys.auth' && service === 'zts'
      ? [ZTS, ZTS_RSA].find((signer) => signer.keyId === keyId)?.publicKey
      : undefined,
}

const accepts = async (text: string, rules: Partial<RoleTokenRules> = {}) => {
  const outcome = await validateRoleToken(text, { ...RULES, ...rules })
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.reason)
  return outcome.token
}

const refuses = async (text: string, code: string, reason: RegExp, rules: Partial<RoleTokenRules> = {}) => {
  const outcome = await validateRoleToken(text, { ...RULES, ...rules })
  assert.ok(!outcome.ok, 'the token was accepted')
  assert.equal(outcome.failure.code, code)
  assert.match(outcome.failure.reason, reason)
}

const from = (remoteAddress: string, method: string) => ({ request: { remoteAddress, method, userDomain: 'user' } })
const tokenOf = (principal: string, ip: string | undefined = '10.0.0.1') =>
  signRoleToken({ ...CLAIMS, principal, ip }, ZTS)

describe('validateRoleToken', () => {
  for (const signer of [ZTS, ZTS_RSA]) {
    it(`accepts a token signed with ${signer.kind.name}`, async () => {
      assert.deepEqual((await accepts(await signRoleToken(CLAIMS, signer))).roles, CLAIMS.roles)
    })
  }

  for (const field of ['v', 'd', 'r', 'c', 'p', 'h', 'proxy', 'a', 't', 'e', 'k', 'i'] as const) {
    it(`refuses a token whose field ${field} was changed`, async () => {
      const replacement = { v: 'Z1x', c: '0', t: String(NOW - 1), e: String(NOW + 9000) }[field as 'v'] ?? 'x1'
      const text = (await signRoleToken(CLAIMS, ZTS)).replace(
        new RegExp(`(^|;)${field}=[^;]*`),
        `$1${field}=${replacement}`,
      )
      const [code, reason] =
        field === 'v' ? (['bad-value', /field v/] as const) : (['bad-signature', /does not match/] as const)
      await refuses(text, code, reason, { publicKey: async () => ZTS.publicKey })
    })
  }

  it('refuses a token by another key, an unknown key, and a signature that is none', async () => {
    await refuses(await signRoleToken(CLAIMS, STRANGER), 'bad-signature', /key zts\.0 of sys\.auth\.zts/)
    await refuses(
      await signRoleToken(CLAIMS, createSigner(ZTS.privateKey, '9')),
      'unknown-key',
      /key 9 of sys\.auth\.zts/,
    )
    await refuses((await signRoleToken(CLAIMS, ZTS)).replace(/;s=.*/, ';s=a+b/'), 'bad-signature', /plain base64/)
  })

  const times: [name: string, claims: Partial<RoleTokenClaims>, code: string][] = [
    ['has expired', { expiryTimeSeconds: NOW - 1 }, 'expired'],
    ['never expires', { expiryTimeSeconds: 0 }, 'expired'],
    ['was issued in the future', { issueTimeSeconds: NOW + 301 }, 'issued-in-future'],
    ['lives too long', { expiryTimeSeconds: NOW + 2_592_301 }, 'expires-too-late'],
  ]
  for (const [name, claims, code] of times) {
    it(`refuses a token that ${name}`, async () => {
      await refuses(await signRoleToken({ ...CLAIMS, ...claims }, ZTS), code, /./)
    })
  }

  it('does not accept a token without expiry even if the rules of another kind of token say so', async () => {
    const rules = { allowNoExpiry: true } as Partial<RoleTokenRules>
    await refuses(await signRoleToken({ ...CLAIMS, expiryTimeSeconds: 0 }, ZTS), 'expired', /./, rules)
  })
})

describe('validateRoleToken: address', () => {
  it('must be that of a user who writes', async () => {
    const text = await tokenOf('user.joe')
    for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
      await refuses(
        text,
        'address-mismatch',
        /issued to 10\.0\.0\.1, presented from 10\.0\.0\.9/,
        from('10.0.0.9', method),
      )
    }
    await accepts(text, from('10.0.0.1', 'PUT'))
    await accepts(text, from('10.0.0.9', 'GET'))
  })

  it('does not matter when a service writes', async () => {
    await accepts(await tokenOf('sports.api'), from('10.0.0.9', 'PUT'))
    await accepts(await tokenOf('user.joe.app'), from('10.0.0.9', 'PUT'))
  })

  it('must be right when the holder has no domain', async () => {
    await refuses(await tokenOf('joe'), 'address-mismatch', /presented from/, from('10.0.0.9', 'PUT'))
    await refuses(await tokenOf('.joe'), 'address-mismatch', /presented from/, from('10.0.0.9', 'PUT'))
  })
})
