import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '#core/error/service-error.ts'
import { isName } from '#core/names/patterns.ts'
import { parseAccessTokenScope, parseIdTokenScope } from '#zts/service/scope.ts'

const refuses = (act: () => unknown, message: string | RegExp) =>
  assert.throws(act, (error) => {
    assert.ok(error instanceof ServiceError)
    assert.equal(error.status, 400)
    if (typeof message === 'string') assert.equal(error.message, message)
    else assert.match(error.message, message)
    return true
  })

describe('parseAccessTokenScope', () => {
  for (const [text, expected] of [
    ['sports:domain', { domain: 'sports', roles: undefined, wholeDomain: true }],
    ['sports:role.reader', { domain: 'sports', roles: ['reader'], wholeDomain: false }],
    ['SPORTS:Role.READER', { domain: 'sports', roles: ['reader'], wholeDomain: false }],
    ['sports.north:role.a.b-c', { domain: 'sports.north', roles: ['a.b-c'], wholeDomain: false }],
    [' sports:role.a  sports:role.b sports:role.a ', { domain: 'sports', roles: ['a', 'b'], wholeDomain: false }],
    ['sports:role.a sports:domain sports:role.b', { domain: 'sports', roles: undefined, wholeDomain: true }],
    ['sports:group.team', { domain: 'sports', roles: undefined, wholeDomain: false }],
    ['sports:group.team sports:role.a', { domain: 'sports', roles: ['a'], wholeDomain: false }],
    ['sports:service.api', { domain: 'sports', roles: undefined, wholeDomain: false }],
    ['roles groups openid sports:service.api', { domain: 'sports', roles: undefined, wholeDomain: false }],
    ['junk sports:role.a other', { domain: 'sports', roles: ['a'], wholeDomain: false }],
  ] as const) {
    it(`reads "${text}"`, () => {
      const scope = parseAccessTokenScope(text)
      const { domain, wholeDomain } = scope
      assert.deepEqual({ domain, roles: scope.rolesIn(domain), wholeDomain }, expected)
      assert.deepEqual(scope.domains, [domain])
    })
  }

  it('notes openid, its service, and the words for groups and roles', () => {
    const scope = parseAccessTokenScope('OpenID Groups Roles sports:service.API')
    assert.deepEqual([scope.openId, scope.groups, scope.roles, scope.audienceService], [true, true, true, 'sports.api'])
    const named = parseAccessTokenScope('sports:group.team sports:role.a')
    assert.deepEqual([named.openId, named.groups, named.roles, named.groupsIn('sports')], [false, true, true, ['team']])
  })

  it('looks at services first, then at domains, then at roles', () => {
    assert.equal(parseAccessTokenScope('sports:service.domain').audienceService, 'sports.domain')
    refuses(() => parseAccessTokenScope('sports:role.x:domain'), /^Invalid DomainName error/)
    refuses(() => parseAccessTokenScope('a:role.b:service.c'), /^Invalid DomainName error/)
  })

  it('reads bare words as roles where there is a domain for them', () => {
    const scope = parseAccessTokenScope('reader sports:role.writer', { roleDomain: 'sports' })
    assert.deepEqual(scope.rolesIn('sports'), ['reader', 'writer'])
    refuses(() => parseAccessTokenScope('reader media:role.a', { roleDomain: 'sports' }), 'Multiple domains in scope')
    refuses(() => parseAccessTokenScope('a*', { roleDomain: 'sports' }), /^Invalid EntityName error/)
  })

  for (const [text, message] of [
    ['', 'No domains in scope'],
    ['junk', 'No domains in scope'],
    ['openid roles groups', 'No domains in scope'],
    ['a:role.x b:role.x', 'Multiple domains in scope'],
    ['a:domain b:group.x', 'Multiple domains in scope'],
    ['a:service.x b:role.y', 'Multiple domains in scope'],
    ['a:service.x a:service.y', 'Multiple services in scope'],
    ['a:service.x b:service.x', 'Multiple domains in scope'],
    ['a:service.x b:service.y', 'Multiple domains in scope'],
    ['a:role.x* b:role.x', 'Multiple domains in scope'],
    ['openid a:domain', 'No audience service name for openid scope'],
    ['openid a:service.', 'No audience service name for openid scope'],
    [':domain', 'empty domain name'],
    [':role.x', 'empty domain name'],
    [':group.x', 'empty domain name'],
    [':service.x', 'empty domain name'],
    ['a:role.', /^Invalid EntityName error/],
    ['bad*name:role.x', /^Invalid DomainName error/],
    ['a:role.x*', /^Invalid EntityName error/],
    ['a\ta:role.x', /^Invalid DomainName error/],
  ] as const) {
    it(`refuses "${text}"`, () => refuses(() => parseAccessTokenScope(text), message))
  }

  it('does not look at names that have no part in the token', () => {
    for (const text of ['a:group.', 'a:service.', 'a:service.b.c', 'openid a:service.b.c', 'a:role.x* a:domain']) {
      const scope = parseAccessTokenScope(text)
      assert.deepEqual([scope.domain, scope.rolesIn('a')], ['a', undefined])
    }
  })

  it('gives only names that are such, or refuses', () => {
    const item = fc.oneof(
      fc.constantFrom('openid', 'roles', 'a:domain', 'a:role.x', 'a:group.y', 'a:service.z', 'b:role.x'),
      fc
        .tuple(fc.string(), fc.constantFrom(':domain', ':role.', ':group.', ':service.'), fc.string())
        .map((parts) => parts.join('')),
    )
    fc.assert(
      fc.property(fc.array(item), (items) => {
        try {
          const scope = parseAccessTokenScope(items.join(' '))
          assert.ok(isName('DomainName', scope.domain))
          for (const name of scope.rolesIn(scope.domain) ?? []) assert.ok(isName('EntityName', name))
        } catch (error) {
          assert.ok(error instanceof ServiceError && error.status === 400, String(error))
        }
      }),
    )
  })

  it('takes long scopes in linear time', () => {
    const start = performance.now()
    parseAccessTokenScope(Array.from({ length: 5000 }, (_, index) => `a:role.r${index}`).join(' '))
    refuses(() => parseAccessTokenScope(`a:role.${'x'.repeat(70_000)}`), 'scope is too long')
    assert.ok(performance.now() - start < 500)
  })
})

describe('parseIdTokenScope', () => {
  const parse = (text: string, maxDomains = 2) => parseIdTokenScope(text, { maxDomains })

  it('demands openid', () => {
    refuses(() => parse('roles'), 'openid scope not specified')
    assert.deepEqual(parse('openid').domains, [])
  })

  it('takes as many domains as are allowed', () => {
    const scope = parse('openid a:role.x b:role.y a:group.z')
    assert.deepEqual(scope.domains, ['a', 'b'])
    assert.deepEqual([scope.rolesIn('a'), scope.rolesIn('b'), scope.groupsIn('a')], [['x'], ['y'], ['z']])
    refuses(() => parse('openid a:role.x b:role.y c:domain'), 'Domain limit: 2 has been reached')
  })

  it('does not count the domains of free roles', () => {
    const isFreeRole = (role: string) => role.endsWith(':role.free')
    const scope = parseIdTokenScope('openid a:role.free b:role.free c:role.x', { maxDomains: 1, isFreeRole })
    assert.deepEqual(scope.domains, ['a', 'b', 'c'])
    refuses(
      () => parseIdTokenScope('openid a:role.free b:role.x c:role.x', { maxDomains: 1, isFreeRole }),
      'Domain limit: 1 has been reached',
    )
  })

  it('keeps the letters of names', () => {
    const scope = parse('OpenID Sports:role.Reader Sports:Role.Writer')
    assert.deepEqual([scope.domains, scope.rolesIn('Sports')], [['Sports'], ['Reader']])
  })

  it('compares services by their local names', () => {
    assert.deepEqual(parse('openid a:service.x b:service.x').domains, ['a', 'b'])
    refuses(() => parse('openid a:service.x b:service.y'), 'Multiple services in scope')
  })

  it('drops single names where a whole domain is asked for', () => {
    const scope = parse('openid a:role.x b:domain')
    assert.deepEqual(
      [scope.rolesIn('a'), scope.rolesIn('b'), scope.roles, scope.wholeDomain],
      [undefined, undefined, true, true],
    )
  })
})
