import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { createSigner, type Signer } from '#core/crypto/signing.ts'
import { type RoleTokenClaims, signRoleToken } from '#core/token/sign-role-token.ts'

/** Signs nothing, so that the text of a token is the same in every run. */
const FIXED: Signer = {
  ...createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'zts.0'),
  sign: () => Buffer.from('signature?>'),
}

const CLAIMS: RoleTokenClaims = {
  domain: 'sports',
  roles: ['readers', 'writers'],
  completeRoleSet: true,
  principal: 'user.joe',
  host: 'zts.example.com',
  proxyUser: 'ui.web',
  salt: '1f2e',
  issueTimeSeconds: 1_700_000_000,
  expiryTimeSeconds: 1_700_007_200,
  ip: '10.0.0.1',
}

describe('signRoleToken', () => {
  it('writes all fields in the order of existing servers', async () => {
    assert.equal(
      await signRoleToken(CLAIMS, FIXED),
      'v=Z1;d=sports;r=readers,writers;c=1;p=user.joe;h=zts.example.com;proxy=ui.web;a=1f2e;t=1700000000;e=1700007200;k=zts.0;i=10.0.0.1;s=c2lnbmF0dXJlPz4-',
    )
  })

  it('leaves out what is not given', async () => {
    const claims = { ...CLAIMS, completeRoleSet: false, host: undefined, proxyUser: undefined, ip: undefined }
    assert.equal(
      await signRoleToken(claims, FIXED),
      'v=Z1;d=sports;r=readers,writers;p=user.joe;a=1f2e;t=1700000000;e=1700007200;k=zts.0;s=c2lnbmF0dXJlPz4-',
    )
  })

  it('refuses a value that would add a field', async () => {
    assert.throws(() => signRoleToken({ ...CLAIMS, roles: ['a;c=1'] }, FIXED), { name: 'RangeError' })
  })
})
