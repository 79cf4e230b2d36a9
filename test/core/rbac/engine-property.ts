import * as fc from 'fast-check'
import type { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import type { evaluate } from '#core/rbac/evaluate.ts'
import type { Members } from '#core/rbac/members.ts'
import type { TestPolicy } from './fixtures.ts'
import { type NaiveDomain, naiveOutcome } from './naive-model.ts'
import { question, world } from './worlds.ts'

/** The parts of an engine that make a decision: this project's, or a copy with a fault. */
export interface Engine {
  readonly evaluate: typeof evaluate
  readonly CompiledPolicies: typeof CompiledPolicies
  readonly Members: typeof Members
}

/** That an engine decides random questions as the naive model does. */
export const decidesAsModel = (engine: Engine) =>
  fc.property(world, question, (domains, asked) => {
    const [domain] = domains as [NaiveDomain]
    const views = new Map(domains.map((each) => [each.name, viewFor(engine, each)]))
    const view = views.get(domain.name) as DomainView<TestPolicy>
    return (
      engine.evaluate(view, asked, (name) => views.get(name) ?? null).outcome === naiveOutcome(domains, domain, asked)
    )
  })

function viewFor({ CompiledPolicies: Policies, Members: List }: Engine, domain: NaiveDomain): DomainView<TestPolicy> {
  const { name, roles, groups, policies } = domain
  return {
    name,
    enabled: true,
    roles: new Map(
      Object.entries(roles).map(([role, { trust, members }]) => [role, { trust, members: new List(members) }]),
    ),
    groups: new Map(Object.entries(groups).map(([group, members]) => [group, { members: new List(members) }])),
    policies: new Policies(
      name,
      policies.map((assertions, index) => ({ name: `policy-${index}`, assertions })),
    ),
  }
}
