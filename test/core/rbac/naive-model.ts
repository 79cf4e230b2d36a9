import type { PendingEntry } from '#core/rbac/domain-view.ts'
import type { AccessQuestion } from '#core/rbac/evaluate.ts'
import type { MemberEntry } from '#core/rbac/members.ts'

/**
 * The rules of access decisions written as plainly as possible, with nested loops and without any index, cache or early
 * exit: what the engine is compared with.
 */

const LINE_TERMINATORS = ['\n', '\r', '\u0085', '\u2028', '\u2029']
const plain = (c: string | undefined) => c !== undefined && !LINE_TERMINATORS.includes(c)

/** `*` any characters, `?` one, but no line terminators; by the set of places reached. */
export function naiveGlob(pattern: string, text: string): boolean {
  const t = Array.from(text)
  // reachable[j]: the pattern read so far matches the first j characters.
  let reachable = new Set([0])
  for (const c of pattern) {
    const next = new Set<number>()
    for (const j of reachable) {
      if (c === '*') for (let k = j; next.add(k) && plain(t[k]); k++);
      else if (c === '?' ? plain(t[j]) : c === t[j]) next.add(j + 1)
    }
    reachable = next
  }
  return reachable.has(t.length)
}

/** An assertion of a naive policy. */
export interface NaiveAssertion {
  readonly role: string
  readonly resource: string
  readonly action: string
  readonly effect?: 'ALLOW' | 'DENY'
}

/** A role of a naive domain. */
export interface NaiveRole {
  readonly trust?: string
  readonly members: readonly MemberEntry[]
  /** Requests that await a decision; they never count. */
  readonly pending?: readonly PendingEntry[]
}

/** A domain as the naive model knows it: everything by full lists. */
export interface NaiveDomain {
  readonly name: string
  readonly roles: Readonly<Record<string, NaiveRole>>
  readonly groups: Readonly<Record<string, readonly MemberEntry[]>>
  readonly policies: readonly (readonly NaiveAssertion[])[]
  /** Versions that are not in force, by the position of the policy they belong to; they never count. */
  readonly inactive?: readonly (readonly NaiveAssertion[])[]
  readonly pendingInGroups?: Readonly<Record<string, readonly PendingEntry[]>>
}

/** The outcome that the engine must have, given all domains. */
export function naiveOutcome(
  domains: readonly NaiveDomain[],
  domain: NaiveDomain,
  question: AccessQuestion,
): 'allow' | 'deny' | 'no-match' {
  if (refused(domain, question)) return 'deny'
  const action = question.action.toLowerCase()
  const resource = question.resource.toLowerCase()
  const applying = domain.policies
    .flat()
    .filter(
      (each) =>
        naiveGlob(each.action.toLowerCase(), action) &&
        naiveGlob(each.resource.toLowerCase(), resource) &&
        Object.keys(domain.roles).some(
          (role) =>
            naiveGlob(each.role, `${domain.name}:role.${role}`) &&
            (question.principal.roles
              ? question.principal.roles.some((held) => held === role || held === `${domain.name}:role.${role}`)
              : naiveHolds(domains, domain, role, question)),
        ),
    )
  if (applying.some((each) => each.effect === 'DENY')) return 'deny'
  return applying.length > 0 ? 'allow' : 'no-match'
}

function refused(domain: NaiveDomain, { principal, trustDomain }: AccessQuestion): boolean {
  if (principal.mtlsRestricted) return true
  if (principal.roles === undefined) return false
  if (trustDomain !== undefined) return true
  return !principal.roles.every(
    (role) =>
      role.startsWith(`${domain.name}:role.`) || (!role.includes(':role.') && principal.fullName === domain.name),
  )
}

/** Whether the principal of the question holds the role, by its members or by delegation. */
export function naiveHolds(
  domains: readonly NaiveDomain[],
  domain: NaiveDomain,
  roleName: string,
  { principal, now, trustDomain }: AccessQuestion,
): boolean {
  const who = principal.fullName.toLowerCase()
  const isIn = (members: readonly MemberEntry[]) =>
    members.some((entry) => {
      const name = entry.memberName.toLowerCase()
      const matches = name.endsWith('*') ? who.startsWith(name.slice(0, -1)) : who === name
      const expired = entry.expiration !== undefined && entry.expiration < now
      return matches && !name.includes(':group.') && !expired && !entry.systemDisabled
    })
  const isInRole = (role: NaiveRole) =>
    isIn(role.members) ||
    role.members.some((entry) => {
      const [home, group] = entry.memberName.toLowerCase().split(':group.')
      const members = domains.find((each) => each.name === home)?.groups[group ?? '']
      const expired = entry.expiration !== undefined && entry.expiration < now
      return members !== undefined && !expired && isIn(members)
    })
  const role = domain.roles[roleName]
  if (role === undefined) return false
  if (role.members.length > 0 || role.trust === undefined) return isInRole(role)
  if (trustDomain !== undefined && trustDomain.toLowerCase() !== role.trust) return false
  const trusted = domains.find((each) => each.name === role.trust)
  return (trusted?.policies.flat() ?? []).some(
    (each) =>
      each.action.toLowerCase() === 'assume_role' &&
      naiveGlob(each.resource, `${domain.name}:role.${roleName}`) &&
      Object.entries(trusted?.roles ?? {}).some(
        ([name, other]) => naiveGlob(each.role, `${trusted?.name}:role.${name}`) && isInRole(other),
      ),
  )
}

/** Which roles of a domain the principal of the question holds. */
export const naiveRoles = (domains: readonly NaiveDomain[], domain: NaiveDomain, question: AccessQuestion): string[] =>
  Object.keys(domain.roles).filter((role) => naiveHolds(domains, domain, role, question))
