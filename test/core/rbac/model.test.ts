import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { DomainLookup, DomainView } from '#core/rbac/domain-view.ts'
import { type AccessQuestion, evaluate } from '#core/rbac/evaluate.ts'
import { explain } from '#core/rbac/explain.ts'
import { rolesOf } from '#core/rbac/memberships.ts'
import { FUTURE, NOW, PAST, type TestPolicy, viewOf } from './fixtures.ts'
import { type NaiveDomain, naiveOutcome, naiveRoles } from './naive-model.ts'

const DOMAINS = ['a', 'b', 'a.sub'] as const
const ROLES = ['r', 'rr', 'admin', 'r.role.x']
const PRINCIPALS = ['user.x', 'user.xy', 'a.api', 'b.api', 'a']

const name = fc.constantFrom(...DOMAINS)
const memberName = fc.oneof(
  fc.constantFrom(...PRINCIPALS, 'USER.X', '*', 'user.*', 'user.x*', 'a.*'),
  fc.tuple(name, fc.constantFrom('g', 'h')).map(([domain, group]) => `${domain}:group.${group}`),
)
const member = fc.record({
  memberName,
  expiration: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(PAST, NOW, FUTURE)),
})
const groupMember = fc.record({
  memberName: fc.constantFrom(...PRINCIPALS),
  expiration: fc.constantFrom(undefined, PAST, FUTURE),
  systemDisabled: fc.constantFrom(undefined, undefined, 0, 4),
})
const members = fc.uniqueArray(
  fc.oneof(
    member,
    member.map((each) => ({ ...each, systemDisabled: 4 })),
  ),
  { maxLength: 4, selector: (each) => each.memberName.toLowerCase() },
)
const role = fc.oneof(
  { weight: 3, arbitrary: fc.record({ members }) },
  fc.record({ trust: name, members: fc.constant([]) }),
)
const roleName = fc.constantFrom(...ROLES)
const rolePattern = fc.oneof(
  { weight: 2, arbitrary: roleName },
  fc.constantFrom('*', 'r*', '*x', 'r?', '?dmin', 'gone'),
)

const assertionOf = (domain: string) => {
  const given = rolePattern.map((pattern) => `${domain}:role.${pattern}`)
  const effect = fc.constantFrom<(undefined | 'ALLOW' | 'DENY')[]>(undefined, 'ALLOW', 'ALLOW', 'DENY')
  const plain = fc.record({
    role: given,
    action: fc.constantFrom('read', 'READ', 'r*', '*', '?ead', 'write'),
    resource: fc.constantFrom(
      ...['thing', 'Thing', 'th*', '*', '*ng', 'other', 'x'].map((part) => `${domain}:${part}`),
      '*',
    ),
    effect,
  })
  const delegation = fc.record({
    role: given,
    action: fc.constantFrom('assume_role', 'ASSUME_ROLE', 'assume_rol?'),
    resource: fc
      .tuple(fc.constantFrom(...DOMAINS, '*'), fc.constantFrom(...ROLES, '*', 'r*', 'RR'))
      .map(([other, local]) => `${other}:role.${local}`),
    effect,
  })
  return fc.oneof(plain, delegation)
}

const domainOf = (domain: string): fc.Arbitrary<NaiveDomain> =>
  fc.record({
    name: fc.constant(domain),
    roles: fc.dictionary(roleName, role, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
    groups: fc.record({
      g: fc.uniqueArray(groupMember, { maxLength: 3, selector: (each) => each.memberName }),
      h: fc.constant([{ memberName: 'user.x' }]),
    }),
    // Up to a size at which the engine uses its indexes.
    policies: fc.array(fc.array(assertionOf(domain), { maxLength: 12 }), { maxLength: 3 }),
  })

const world = fc.tuple(...DOMAINS.map(domainOf))
const credentialRole = fc.oneof(
  roleName,
  fc.tuple(name, roleName).map(([domain, local]) => `${domain}:role.${local}`),
)
const question: fc.Arbitrary<AccessQuestion> = fc.record({
  principal: fc.record({
    fullName: fc.constantFrom(...PRINCIPALS, 'User.X', 'user.z'),
    roles: fc.oneof({ weight: 6, arbitrary: fc.constant(undefined) }, fc.array(credentialRole, { maxLength: 3 })),
    mtlsRestricted: fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, fc.boolean()),
  }),
  action: fc.constantFrom('read', 'Read', 'write', 'assume_role'),
  resource: fc.constantFrom('a:thing', 'A:THING', 'a:other', 'b:role.rr', 'a.sub:role.admin'),
  trustDomain: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.constantFrom('a', 'B', 'a.sub')),
  now: fc.constant(NOW),
})

/** Nothing is loaded but what was asked for. */
function loading(domains: readonly NaiveDomain[]) {
  const loaded = new Map<string, DomainView<TestPolicy> | null>()
  const lookup: DomainLookup<TestPolicy> = (wanted) => loaded.get(wanted)
  const load = (wanted: string) => {
    assert.ok(!loaded.has(wanted), 'no domain is asked for twice')
    const found = domains.find((each) => each.name === wanted)
    loaded.set(wanted, found ? viewOf(found) : null)
  }
  return { lookup, load }
}

/** Loads what is needed until there is an answer. */
function settled<T extends { outcome: string }>(
  domains: readonly NaiveDomain[],
  ask: (lookup: DomainLookup<TestPolicy>) => T | { outcome: 'needs'; domains: readonly string[] },
): T {
  const { lookup, load } = loading(domains)
  for (;;) {
    const answer = ask(lookup)
    if (answer.outcome !== 'needs') return answer as T
    ;(answer as { domains: readonly string[] }).domains.forEach(load)
  }
}

describe('the engine agrees with the naive model', () => {
  test('on decisions, with other domains loaded at once or on demand', () => {
    fc.assert(
      fc.property(world, question, (domains, asked) => {
        const [domain] = domains as [NaiveDomain]
        const expected = naiveOutcome(domains, domain, asked)
        const view = viewOf(domain)
        const all = new Map(domains.map((each) => [each.name, viewOf(each)]))
        assert.equal(evaluate(view, asked, (wanted) => all.get(wanted) ?? null).outcome, expected)
        assert.equal(settled(domains, (lookup) => evaluate(view, asked, lookup)).outcome, expected)
      }),
      { numRuns: 5_000 },
    )
  })

  test('on the roles of a principal', () => {
    fc.assert(
      fc.property(world, question, (domains, { principal, trustDomain, now }) => {
        const [domain] = domains as [NaiveDomain]
        const view = viewOf(domain)
        const asked = { principal: principal.fullName, trustDomain, now }
        const answer = settled(domains, (lookup) => rolesOf(view, asked, lookup))
        assert.ok(answer.outcome === 'roles')
        const expected = naiveRoles(domains, domain, { principal, trustDomain, now, action: '', resource: '' })
        assert.deepEqual(
          answer.roles.map((held) => held.role),
          expected,
        )
      }),
      { numRuns: 2_000 },
    )
  })

  test('in what explanations say of roles and assertions', () => {
    fc.assert(
      fc.property(world, question, (domains, asked) => {
        const [domain] = domains as [NaiveDomain]
        const view = viewOf(domain)
        const explanation = settled(domains, (lookup) => explain(view, asked, lookup))
        assert.ok(explanation.outcome === 'explained')
        assert.equal(explanation.decision.outcome, naiveOutcome(domains, domain, asked))
        if (explanation.decision.outcome === 'deny' && explanation.decision.reason !== 'assertion') return
        const applying = explanation.assertions.filter((step) => step.misses.length === 0)
        const denying = applying.some((step) => step.denies)
        assert.equal(explanation.decision.outcome, denying ? 'deny' : applying.length > 0 ? 'allow' : 'no-match')
        if (asked.principal.roles !== undefined) return
        assert.deepEqual(
          explanation.roles.filter((step) => step.holding !== undefined).map((step) => step.role),
          naiveRoles(domains, domain, asked),
        )
      }),
      { numRuns: 1_000 },
    )
  })
})
