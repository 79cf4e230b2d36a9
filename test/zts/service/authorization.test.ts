import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Authorization, UNKNOWN_DOMAIN } from '#zts/service/authorization.ts'
import { type DomainJson, domainsOf } from '../../support/zts-domains.ts'
import { principalOf } from './harness.ts'

const NOW = Date.parse('2026-08-02T00:00:00.000Z')
const SPORTS: DomainJson = {
  name: 'sports',
  roles: [
    { name: 'sports:role.readers', roleMembers: [{ memberName: 'user.ann' }] },
    { name: 'sports:role.tenants', trust: 'fans' },
  ],
  policies: [
    {
      name: 'sports:policy.p',
      assertions: [
        { role: 'sports:role.readers', action: 'read', resource: 'sports:data' },
        { role: 'sports:role.tenants', action: 'visit', resource: 'sports:data' },
      ],
    },
  ],
}
const FANS: DomainJson = {
  name: 'fans',
  roles: [{ name: 'fans:role.members', roleMembers: [{ memberName: 'user.bob' }] }],
  policies: [
    {
      name: 'fans:policy.assume',
      assertions: [{ role: 'fans:role.members', action: 'assume_role', resource: 'sports:role.tenants' }],
    },
  ],
}

const authorizationOf = (rolesOfCredentials = false) =>
  new Authorization(domainsOf(SPORTS, FANS), { rolesOfCredentials }, () => NOW)

const ann = principalOf('user.ann')
const bob = principalOf('user.bob')
/** A role certificate: the roles in it, held by somebody who is no member. */
const bearer = (...roles: string[]) => principalOf('user.eve', { roles, rolePrincipalName: 'user.eve' })

describe('check', () => {
  const authorization = authorizationOf()
  const outcome = (error: { status: number; message: string } | undefined) => error && [error.status, error.message]

  test('passes who may, in any letter case', () => {
    assert.equal(authorization.check(ann, 'READ', 'Sports:Data'), undefined)
  })

  test('refuses who may not', () => {
    assert.deepEqual(outcome(authorization.check(bob, 'read', 'sports:data')), [403, 'Forbidden'])
  })

  test('answers 404 without the domain', () => {
    for (const resource of ['nosuch:data', 'sports', ':data']) {
      assert.deepEqual(outcome(authorization.check(ann, 'read', resource)), [404, 'Domain not found'])
    }
  })

  test('refuses certificates that may only authenticate, before it tells whether the domain exists', () => {
    const restricted = { ...ann, mtlsRestricted: true }
    assert.deepEqual(outcome(authorization.check(restricted, 'read', 'nosuch:data')), [403, 'mTLS Restricted'])
  })

  test('refuses principals of an authority that does not allow authorization', () => {
    const foreign = { ...ann, authority: { ...ann.authority, allowAuthorization: false } }
    assert.deepEqual(outcome(authorization.check(foreign, 'read', 'sports:data')), [403, 'Forbidden'])
  })
})

describe('isAllowed', () => {
  test('counts roles delegated to a domain, and only to the trust domain when one is named', () => {
    const authorization = authorizationOf()
    assert.equal(authorization.isAllowed(bob, 'visit', 'sports:data'), true)
    assert.equal(authorization.isAllowed(bob, 'visit', 'sports:data', 'fans'), true)
    assert.equal(authorization.isAllowed(bob, 'visit', 'sports:data', 'others'), false)
  })

  test('asks the trust domain whether a role may be assumed', () => {
    const authorization = authorizationOf()
    assert.equal(authorization.isAllowed(bob, 'assume_role', 'sports:role.tenants', 'fans'), true)
    assert.equal(authorization.isAllowed(ann, 'assume_role', 'sports:role.tenants', 'fans'), false)
  })

  test('is false without the domain', () => {
    assert.equal(authorizationOf().isAllowed(ann, 'read', 'nosuch:data'), false)
  })

  test('is false for an authority that does not allow authorization, though the holder may', () => {
    const foreign = { ...ann, authority: { ...ann.authority, allowAuthorization: false } }
    assert.equal(authorizationOf().isAllowed(foreign, 'read', 'sports:data'), false)
  })
})

test('mayPrincipal asks about somebody by name', () => {
  const authorization = authorizationOf()
  assert.equal(authorization.mayPrincipal('user.ann', 'read', 'sports:data'), true)
  assert.equal(authorization.mayPrincipal('user.bob', 'read', 'sports:data'), false)
  assert.equal(authorization.mayPrincipal('user.ann', 'read', 'nosuch:data'), false)
})

test('decide tells a domain that is not known from a refusal', () => {
  assert.equal(authorizationOf().decide(bob, 'read', 'sports:data'), false)
  assert.equal(authorizationOf().decide(bob, 'read', 'nosuch:data'), UNKNOWN_DOMAIN)
})

describe('roles of credentials', () => {
  test('do not count unless the server is set so', () => {
    assert.equal(authorizationOf().isAllowed(bearer('sports:role.readers'), 'read', 'sports:data'), false)
    assert.equal(authorizationOf(true).isAllowed(bearer('sports:role.readers'), 'read', 'sports:data'), true)
  })

  test('count instead of memberships', () => {
    const other = { ...ann, roles: ['sports:role.tenants'] }
    assert.equal(authorizationOf(true).isAllowed(other, 'read', 'sports:data'), false)
    assert.equal(authorizationOf(false).isAllowed(other, 'read', 'sports:data'), true)
  })

  test('count by their local names when the principal is the domain itself', () => {
    const token = { ...bearer('readers'), domain: 'sports', name: undefined, fullName: 'sports' }
    assert.equal(authorizationOf(true).isAllowed(token, 'read', 'sports:data'), true)
    assert.equal(authorizationOf(true).isAllowed({ ...token, fullName: 'fans' }, 'read', 'sports:data'), false)
  })

  test('must all be of the domain', () => {
    const both = bearer('sports:role.readers', 'fans:role.members')
    assert.equal(authorizationOf(true).isAllowed(both, 'read', 'sports:data'), false)
  })

  test('do not go with a trust domain', () => {
    assert.equal(authorizationOf(true).isAllowed(bearer('sports:role.readers'), 'read', 'sports:data', 'fans'), false)
  })
})
