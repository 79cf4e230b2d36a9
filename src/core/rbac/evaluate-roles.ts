import type { AssertionOf, CompiledAssertion, CompiledPolicies, PolicyView } from './compiled-policies.ts'

/** Answer to {@link evaluateRoles}. Only `allow` grants access. */
export type RolesDecision<P extends PolicyView = PolicyView> =
  | {
      readonly outcome: 'allow' | 'deny'
      readonly policy: P
      readonly assertion: AssertionOf<P>
      /** The given role through which the assertion applies. */
      readonly role: string
    }
  | { readonly outcome: 'no-match' }

const NO_MATCH = Object.freeze({ outcome: 'no-match' })

/**
 * Decides for the bearer of a token that names roles, where only the policies of the domain are known: the decision of
 * a policy engine beside the application. `roles` are local names as the token has them; action and resource are in
 * lower case. A DENY that applies wins. Which of several assertions is named follows the peer's engine: those that name
 * one role come before those with a glob, then the order of the roles in the token counts, then that of the assertions.
 */
export function evaluateRoles<P extends PolicyView>(
  policies: CompiledPolicies<P>,
  roles: readonly string[],
  action: string,
  resource: string,
): RolesDecision<P> {
  let best: CompiledAssertion<P> | undefined
  let bestRank = 0
  let bestRole = 0
  for (const candidate of policies.matching(action, resource)) {
    const rank = rankOf(candidate)
    if (best !== undefined && rank > bestRank) continue
    const role = roles.findIndex((name) => candidate.selectsRole(name))
    if (role < 0 || (best !== undefined && rank === bestRank && role >= bestRole)) continue
    best = candidate
    bestRank = rank
    bestRole = role
  }
  if (best === undefined) return NO_MATCH
  const { policy, assertion, denies } = best
  return { outcome: denies ? 'deny' : 'allow', policy, assertion, role: roles[bestRole] as string }
}

function rankOf(candidate: CompiledAssertion): number {
  return (candidate.denies ? 0 : 2) + (candidate.role === undefined ? 1 : 0)
}
