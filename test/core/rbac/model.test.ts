import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { DomainLookup, DomainView } from '#core/rbac/domain-view.ts'
import { evaluate } from '#core/rbac/evaluate.ts'
import { explain } from '#core/rbac/explain.ts'
import { rolesOf } from '#core/rbac/memberships.ts'
import { type TestPolicy, viewOf } from './fixtures.ts'
import { type NaiveDomain, naiveOutcome, naiveRoles } from './naive-model.ts'
import { question, world } from './worlds.ts'

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
