import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { rolesOf } from '#core/rbac/memberships.ts'
import type { MemoryDomains } from '#zts/cache/memory-domains.ts'
import { type DomainJson, domainData, domainsOf } from '../../support/zts-domains.ts'

const judged = (domains: MemoryDomains, domain: string, principal: string): string[] => [
  ...(domains.get(domain)?.rolesToJudge(principal) ?? []),
]

const role = (name: string, ...members: string[]) => ({
  name,
  roleMembers: members.map((memberName) => ({ memberName })),
})

describe('roles to judge', () => {
  test('are those that name the principal, match it, or may hold it through groups and delegation', () => {
    const domains = domainsOf(
      {
        name: 'sports',
        roles: [
          role('sports:role.a', 'user.joe', 'user.jane'),
          role('sports:role.b', 'user.*'),
          role('sports:role.c', '*'),
          role('sports:role.d', 'user.jane'),
          role('sports:role.e', 'news:group.editors'),
          role('sports:role.f', 'news:group.readers'),
          { name: 'sports:role.g', trust: 'news' },
          { name: 'sports:role.h', trust: 'weather' },
          role('sports:role.i', 'sports:group.own'),
        ],
        groups: [{ name: 'sports:group.own', groupMembers: [{ memberName: 'user.joe' }] }],
      },
      {
        name: 'news',
        roles: [role('news:role.x', 'user.joe')],
        groups: [
          { name: 'news:group.editors', groupMembers: [{ memberName: 'user.joe' }] },
          { name: 'news:group.readers', groupMembers: [{ memberName: 'user.jane' }] },
        ],
      },
      { name: 'weather', roles: [role('weather:role.x', 'user.jane')] },
    )
    assert.deepEqual(judged(domains, 'sports', 'user.joe'), ['a', 'b', 'c', 'e', 'g', 'i'])
    assert.deepEqual(judged(domains, 'sports', 'media.api'), ['c'])
  })

  test('follow changes of the domains that they depend on', () => {
    const domains = domainsOf({
      name: 'sports',
      roles: [role('sports:role.e', 'news:group.editors'), { name: 'sports:role.g', trust: 'news' }],
    })
    assert.deepEqual(judged(domains, 'sports', 'user.joe'), [])
    domains.read(
      domainData({
        name: 'news',
        roles: [role('news:role.x', 'user.joe')],
        groups: [{ name: 'news:group.editors', groupMembers: [{ memberName: 'user.joe' }] }],
      }),
    )
    assert.deepEqual(judged(domains, 'sports', 'user.joe'), ['e', 'g'])
    domains.remove('news')
    assert.deepEqual(judged(domains, 'sports', 'user.joe'), [])
  })

  test('do not go round in circles', () => {
    const domains = domainsOf(
      {
        name: 'sports',
        roles: [
          { name: 'sports:role.g', trust: 'news' },
          { name: 'sports:role.own', trust: 'sports' },
        ],
      },
      { name: 'news', roles: [{ name: 'news:role.g', trust: 'sports' }] },
    )
    assert.deepEqual(judged(domains, 'sports', 'user.joe'), [])
  })

  test('never leave out a role that is held', () => {
    const members = ['user.joe', 'user.jane', 'user.*', '*', 'a:group.g', 'b:group.g', 'user.j*']
    const domain = (name: string): fc.Arbitrary<DomainJson> =>
      fc
        .record({
          roles: fc.array(
            fc.record({
              members: fc.subarray(members),
              trust: fc.constantFrom(undefined, 'a', 'b', 'c'),
            }),
            { maxLength: 4 },
          ),
          group: fc.subarray(['user.joe', 'user.jane']),
          delegations: fc.array(fc.record({ role: fc.nat(3), to: fc.constantFrom('a', 'b'), target: fc.nat(3) }), {
            maxLength: 4,
          }),
        })
        .map(({ roles, group, delegations }) => ({
          name,
          roles: roles.map(({ members: names, trust }, index) => ({
            ...role(`${name}:role.r${index}`, ...names),
            ...(trust !== undefined && { trust }),
          })),
          groups: [{ name: `${name}:group.g`, groupMembers: group.map((memberName) => ({ memberName })) }],
          policies: [
            {
              name: `${name}:policy.p`,
              assertions: delegations.map((each) => ({
                role: `${name}:role.r${each.role}`,
                resource: `${each.to}:role.r${each.target}`,
                action: 'assume_role',
              })),
            },
          ],
        }))
    fc.assert(
      fc.property(
        domain('a'),
        domain('b'),
        fc.constantFrom('user.joe', 'user.jane', 'user.*', 'x.y'),
        (a, b, principal) => {
          const domains = domainsOf(a, b)
          const lookup = (name: string) => domains.get(name) ?? null
          for (const each of [domains.get('a'), domains.get('b')]) {
            assert.ok(each)
            for (const rules of ['token', 'access'] as const) {
              const question = { principal, now: 0, rules }
              const all: unknown = rolesOf(each, question, lookup)
              assert.deepEqual(rolesOf(each, question, lookup, each.rolesToJudge(principal)), all)
            }
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
