import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseRoleToken } from '#core/token/role-token.ts'

const GOLDEN =
  'v=Z1;d=sports;r=readers,writers;c=1;p=user.joe;h=zts.example.com;proxy=ui.web;a=1f2e;t=1700000000;e=1700007200;k=zts.0;i=10.0.0.1'

describe('parseRoleToken', () => {
  it('reads every field', () => {
    const parsed = parseRoleToken(`${GOLDEN};s=YWJj`)
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.token, {
      version: 'Z1',
      domain: 'sports',
      roles: ['readers', 'writers'],
      completeRoleSet: true,
      principal: 'user.joe',
      host: 'zts.example.com',
      proxyUser: 'ui.web',
      salt: '1f2e',
      issueTimeSeconds: 1_700_000_000,
      expiryTimeSeconds: 1_700_007_200,
      keyId: 'zts.0',
      ip: '10.0.0.1',
      signature: 'YWJj',
      signedText: GOLDEN,
    })
  })

  it('reads a token of ten thousand roles', () => {
    const roles = Array.from({ length: 10_000 }, (_, index) => `role_${index}`)
    const parsed = parseRoleToken(`v=Z1;d=sports;r=${roles.join(',')};e=1;s=YWJj`)
    assert.ok(parsed.ok)
    assert.deepEqual(parsed.token.roles, roles)
  })

  const refused: [name: string, text: string, code: string, reason: RegExp][] = [
    ['a principal token', 'v=S1;d=sports;n=api;r=x;e=1;s=YWJj', 'bad-value', /field v is not Z1/],
    ['a missing domain', 'v=Z1;r=x;e=1;s=YWJj', 'missing-field', /field d/],
    ['missing roles', 'v=Z1;d=sports;e=1;s=YWJj', 'missing-field', /field r/],
    ['empty roles', 'v=Z1;d=sports;r=;e=1;s=YWJj', 'missing-field', /field r/],
    ['an empty role', 'v=Z1;d=sports;r=a,,b;e=1;s=YWJj', 'bad-value', /field r/],
    ['a missing expiry', 'v=Z1;d=sports;r=x;s=YWJj', 'missing-field', /field e/],
    ['a missing signature', 'v=Z1;d=sports;r=x;e=1', 'missing-field', /field s/],
    ['a domain that is none', 'v=Z1;d=../x;r=x;e=1;s=YWJj', 'bad-value', /field d/],
    ['an expiry that is none', 'v=Z1;d=sports;r=x;e=soon;s=YWJj', 'bad-value', /field e/],
    ['an issue time that is none', 'v=Z1;d=sports;r=x;t=-1;e=1;s=YWJj', 'bad-value', /field t/],
    ['roles twice', 'v=Z1;d=sports;r=x;r=admin;e=1;s=YWJj', 'duplicate-field', /field r occurs twice/],
    ['a field behind the signature', 'v=Z1;d=sports;r=x;e=1;s=YWJj;c=1', 'malformed', /a field follows the signature/],
    ['too long a text', `v=Z1;d=sports;r=${'x'.repeat(1_048_576)};e=1;s=YWJj`, 'oversized', /1048576/],
  ]
  for (const [name, text, code, reason] of refused) {
    it(`refuses ${name}`, () => {
      const parsed = parseRoleToken(text)
      assert.ok(!parsed.ok)
      assert.equal(parsed.failure.code, code)
      assert.match(parsed.failure.reason, reason)
    })
  }
})
