import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestUserAuthority } from '#core/authority/test-user-authority.ts'
import { basic, contextOf } from './support.ts'

test('is an authority of users that only get tokens, and warns at its start', () => {
  const authority = new TestUserAuthority()
  const context = contextOf()
  authority.initialize(context)
  const { id, credentialSource, domain, header, challenge, allowAuthorization } = authority
  assert.deepEqual(
    [id, credentialSource, domain, header, challenge, allowAuthorization],
    ['Auth-TESTUSER', 'header', 'user', 'Authorization', 'Basic realm="athenz"', false],
  )
  assert.match(context.lines.join(), /^warn TestUserAuthority .* never use it in production$/)
})

test('accepts a user whose password is the name', () => {
  const authority = new TestUserAuthority()
  assert.deepEqual(authority.authenticateHeader(basic('Joe:Joe')), {
    domain: 'user',
    name: 'joe',
    fullName: 'user.joe',
    authority,
    unsignedCredentials: 'joe',
    issueTimeSeconds: 0,
  })
})

for (const [credential, reason] of [
  [basic('joe:jane'), 'login of joe refused: name and password differ'],
  [basic('joe:Joe'), 'login of joe refused: name and password differ'],
  [basic(':'), 'the user name is not a simple name'],
  ['Bearer x', "credentials do not start with 'Basic '"],
] as const) {
  test(`refuses ${credential}`, () => {
    const result = new TestUserAuthority().authenticateHeader(credential)
    assert.deepEqual(result, { rejected: `TestUserAuthority:authenticate: ${reason}` })
  })
}
