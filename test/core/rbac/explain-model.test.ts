import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { DomainView } from '#core/rbac/domain-view.ts'
import { type AccessQuestion, evaluate } from '#core/rbac/evaluate.ts'
import { type Explanation, explain } from '#core/rbac/explain.ts'
import type { Change } from '#core/rbac/explain-trial.ts'
import type { MemberEntry } from '#core/rbac/members.ts'
import { inactiveOf, type TestPolicy, viewOf } from './fixtures.ts'
import { type NaiveAssertion, type NaiveDomain, type NaiveRole, naiveHolds, naiveOutcome } from './naive-model.ts'
import { question, world } from './worlds.ts'

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Domain = Writable<NaiveDomain> & {
  roles: Record<string, Writable<NaiveRole>>
  groups: Record<string, readonly MemberEntry[]>
}
type World = readonly Domain[]

interface Explained {
  readonly domains: World
  readonly asked: AccessQuestion
  readonly explanation: Explanation<TestPolicy>
  readonly lookup: (name: string) => DomainView<TestPolicy> | null
}

/** Explains random questions to the first domain of random worlds. */
function explaining(check: (explained: Explained) => void, numRuns: number): void {
  fc.assert(
    fc.property(world, question, (generated, asked) => {
      const domains = generated as unknown as World
      const [domain] = domains as [Domain]
      const views = new Map(domains.map((each) => [each.name, viewOf(each)]))
      const lookup = (name: string) => views.get(name) ?? null
      const explanation = explain(views.get(domain.name) as DomainView<TestPolicy>, asked, lookup, inactiveOf(domain))
      assert.ok(explanation.outcome === 'explained')
      check({ domains, asked, explanation, lookup })
    }),
    { numRuns },
  )
}

/** The one of those that the change names; made when it is not there. */
const named = (domains: World, name: string): Domain => domains.find((each) => each.name === name) as Domain

const lower = (text: string) => text.toLowerCase()
const put = (members: readonly MemberEntry[], memberName: string): MemberEntry[] => [
  ...members.filter((entry) => lower(entry.memberName) !== lower(memberName)),
  { memberName },
]

/** Makes a change as an administrator would; gives the question as it is then to be asked. */
function make(domains: World, asked: AccessQuestion, change: Change<TestPolicy>): AccessQuestion {
  const [domain] = domains as [Domain]
  const { principal, action, resource } = asked
  switch (change.kind) {
    case 'add-member': {
      const role = named(domains, change.domain).roles[change.role] as Writable<NaiveRole>
      assert.ok(role.trust === undefined, 'nobody can be put into a delegated role')
      role.members = put(role.members, principal.fullName)
      return asked
    }
    case 'remove-member': {
      const role = named(domains, change.domain).roles[change.role] as Writable<NaiveRole>
      role.members = role.members.filter(({ memberName }) => lower(memberName) !== lower(principal.fullName))
      return asked
    }
    case 'create-role': {
      const { roles } = named(domains, change.domain)
      const name = change.role ?? 'new'
      assert.ok(roles[name] === undefined)
      roles[name] = { members: [{ memberName: principal.fullName }] }
      return asked
    }
    case 'renew-member':
    case 'enable-member':
    case 'approve-member': {
      const { lapse } = change
      const [home, group] = lapse.group?.split(':group.') ?? []
      if (home !== undefined && group !== undefined) {
        const { groups } = named(domains, home)
        groups[group] = put(groups[group] ?? [], lapse.entry.memberName)
      } else {
        const role = named(domains, lapse.domain).roles[lapse.role] as Writable<NaiveRole>
        role.members = put(role.members, lapse.entry.memberName)
      }
      return asked
    }
    case 'add-assertion':
      domain.policies = [
        ...domain.policies,
        [{ role: `${domain.name}:role.${change.role ?? 'new'}`, action, resource }],
      ]
      return asked
    case 'remove-assertion':
      domain.policies = domain.policies.map((policy) => policy.filter((assertion) => assertion !== change.assertion))
      return asked
    case 'activate-version': {
      const index = Number(change.policy.name.split('-')[1])
      const version = change.policy.assertions as readonly NaiveAssertion[]
      domain.policies = [...domain.policies.filter((_, at) => at !== index), version]
      return asked
    }
    case 'name-role':
      return { ...asked, principal: { ...principal, roles: [...(principal.roles ?? []), change.role] } }
    default:
      if (change.refusal === 'mtls-restricted') return { ...asked, principal: { ...principal, mtlsRestricted: false } }
      if (change.refusal === 'trust-domain-with-roles') return { ...asked, trustDomain: undefined }
      return { ...asked, principal: { ...principal, roles: [] } }
  }
}

/** A copy in which assertions are the very same objects. */
const copied = (domains: World): World =>
  domains.map((domain) => ({
    ...domain,
    roles: Object.fromEntries(Object.entries(domain.roles).map(([name, role]) => [name, { ...role }])),
    groups: { ...domain.groups },
  }))

describe('an explanation', () => {
  test('has the very decision of the engine, and its assertions and roles lead to it', () => {
    explaining(({ domains, asked, explanation, lookup }) => {
      const view = lookup(explanation.domain) as DomainView<TestPolicy>
      const { decision, assertions } = explanation
      assert.deepEqual(decision, evaluate(view, asked, lookup))
      if (decision.outcome === 'deny' && decision.reason !== 'assertion') {
        assert.deepEqual(assertions, [])
        return
      }
      const applying = assertions.filter(({ misses }) => misses.length === 0)
      const denying = applying.some(({ denies }) => denies)
      assert.equal(decision.outcome, denying ? 'deny' : applying.length > 0 ? 'allow' : 'no-match')
      if ('by' in decision) {
        const step = applying.find(({ assertion }) => assertion === decision.by.assertion)
        assert.equal(step?.by?.role, decision.by.role)
        assert.deepEqual(step?.by?.holding, decision.by.holding)
      }
      if (asked.principal.roles !== undefined) return
      for (const { role, holding } of explanation.roles) {
        assert.equal(holding !== undefined, naiveHolds(domains, domains[0] as Domain, role, asked), role)
      }
    }, 3_000)
  })

  test('names only changes that make the question pass', () => {
    const kinds = new Map<string, number>()
    explaining(({ domains, asked, explanation }) => {
      if (explanation.decision.outcome === 'allow') assert.deepEqual(explanation.remedies, [])
      for (const { changes } of explanation.remedies) {
        const changed = copied(domains)
        const again = changes.reduce((before, change) => make(changed, before, change), asked)
        assert.equal(naiveOutcome(changed, changed[0] as Domain, again), 'allow', JSON.stringify(changes))
        for (const { kind } of changes) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      }
    }, 8_000)
    // Leaving a role is too seldom a way.
    kinds.delete('remove-member')
    assert.deepEqual([...kinds.keys()].sort(), [
      'activate-version',
      'add-assertion',
      'add-member',
      'approve-member',
      'avoid-refusal',
      'create-role',
      'enable-member',
      'name-role',
      'remove-assertion',
      'renew-member',
    ])
  })

  test('knows a way for everybody who can be a member', () => {
    explaining(({ domains, asked, explanation }) => {
      const { decision, remedies } = explanation
      if (decision.outcome === 'allow' || asked.principal.roles !== undefined || asked.action === 'assume_role') return
      const denials = domains[0]?.policies.flat().filter(({ effect }) => effect === 'DENY') ?? []
      // Where a DENY is about every role, no new one helps.
      assert.ok(remedies.length > 0 || denials.length > 0)
    }, 1_000)
  })
})
