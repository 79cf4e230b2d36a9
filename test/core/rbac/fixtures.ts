import { type AssertionView, CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import type { InactiveVersions } from '#core/rbac/explain-trace.ts'
import { type MemberEntry, Members } from '#core/rbac/members.ts'
import type { NaiveDomain } from './naive-model.ts'

/** Epoch milliseconds of every question in the tests. */
export const NOW = Date.parse('2026-08-01T12:00:00Z')
export const PAST = NOW - 1
export const FUTURE = NOW + 1

/** A policy as the tests write it. */
export interface TestPolicy {
  readonly name: string
  readonly assertions: readonly AssertionView[]
}

/** A member by name only, or with more. */
export type TestMember = string | MemberEntry

/** A domain as the tests write it: `ALLOW read article.1 to readers` and so on. */
export interface TestDomain {
  readonly name?: string
  readonly enabled?: boolean
  /** Members by role; a text instead of a list is the domain the role is delegated to. */
  readonly roles?: Readonly<Record<string, readonly TestMember[] | string>>
  readonly groups?: Readonly<Record<string, readonly TestMember[]>>
  /** Lines `EFFECT role action resource`, with local role names; one policy `rules`. */
  readonly rules?: readonly string[]
}

/** The view of a domain written for a test; its name is `sports` by default. */
export function domainOf(domain: TestDomain): DomainView<TestPolicy> {
  const { name = 'sports', enabled = true, roles = {}, groups = {}, rules = [] } = domain
  const assertions = rules.map((rule) => {
    const [effect, role, action = '', resource = ''] = rule.split(' ')
    return { effect: effect as 'ALLOW' | 'DENY', role: `${name}:role.${role}`, action, resource }
  })
  return {
    name,
    enabled,
    roles: new Map(
      Object.entries(roles).map(([role, members]) => [
        role,
        typeof members === 'string'
          ? { trust: members, members: new Members() }
          : { members: new Members(members.map(entryOf)) },
      ]),
    ),
    groups: new Map(
      Object.entries(groups).map(([group, members]) => [group, { members: new Members(members.map(entryOf)) }]),
    ),
    policies: new CompiledPolicies(name, [{ name: 'rules', assertions }]),
  }
}

/** A lookup that knows these domains; of all others it knows that they do not exist. */
export const lookupOf =
  (...domains: readonly DomainView<TestPolicy>[]) =>
  (name: string): DomainView<TestPolicy> | null =>
    domains.find((domain) => domain.name === name) ?? null

/** A lookup with nothing loaded. */
export const nothingLoaded = (): undefined => undefined

/** The engine's view of a domain of the naive model. */
export function viewOf(domain: NaiveDomain): DomainView<TestPolicy> {
  const { name, roles, groups, policies, pendingInGroups = {} } = domain
  return {
    name,
    enabled: true,
    roles: new Map(
      Object.entries(roles).map(([role, { trust, members, pending }]) => [
        role,
        { trust, members: new Members(members), pending },
      ]),
    ),
    groups: new Map(
      Object.entries(groups).map(([group, members]) => [
        group,
        { members: new Members(members), pending: pendingInGroups[group] },
      ]),
    ),
    policies: compiled(name, policies),
  }
}

/** The versions of a domain of the naive model that are not in force. */
export const inactiveOf = ({ name, inactive = [] }: NaiveDomain): InactiveVersions<TestPolicy> => ({
  policies: compiled(name, inactive),
  replaces: (version, other) => version.name === other.name,
})

const compiled = (domain: string, policies: NaiveDomain['policies']) =>
  new CompiledPolicies<TestPolicy>(
    domain,
    policies.map((assertions, index) => ({ name: `policy-${index}`, assertions })),
  )

function entryOf(member: TestMember): MemberEntry {
  return typeof member === 'string' ? { memberName: member } : member
}
