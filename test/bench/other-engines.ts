import { createRequire } from 'node:module'
import { newEnforcer, newModelFromString } from 'casbin'
import type { Ask, RuleKind } from './zpe.ts'

/** Rules of a role, of which a denial wins, as the policies of Athenz have them. */
const CASBIN_MODEL = (match: string) => `
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.sub == p.sub && ${match} && r.act == p.act
`

/** casbin with the same rules: equality for exact resources, and its globs for patterns. */
export async function casbinEngine({ pattern, asked }: RuleKind, count: number): Promise<Ask> {
  const isExact = !pattern(0).includes('*')
  const model = newModelFromString(CASBIN_MODEL(isExact ? 'r.obj == p.obj' : 'globMatch(r.obj, p.obj)'))
  const enforcer = await newEnforcer(model)
  await enforcer.addPolicies(Array.from({ length: count }, (_, i) => ['readers', pattern(i), 'read', 'allow']))
  const resources = Array.from({ length: count }, (_, i) => asked(i))
  return (i) => enforcer.enforceSync('readers', resources[i], 'read')
}

/** Cedar with the same rules, parsed before: equality for exact resources, `like` on the id of the resource for patterns. */
export function cedarEngine({ pattern, asked }: RuleKind, count: number): Ask {
  const { preparsePolicySet, statefulIsAuthorized } = createRequire(import.meta.url)(
    '@cedar-policy/cedar-wasm/nodejs',
  ) as typeof import('@cedar-policy/cedar-wasm/nodejs')
  const isExact = !pattern(0).includes('*')
  const staticPolicies = Array.from({ length: count }, (_, i) =>
    isExact
      ? `permit(principal == Role::"readers", action == Action::"read", resource == Resource::"${pattern(i)}");`
      : `permit(principal == Role::"readers", action == Action::"read", resource) when { context.resource like "${pattern(i)}" };`,
  ).join('\n')
  const parsed = preparsePolicySet('bench', { staticPolicies })
  if (parsed.type !== 'success') throw new Error(`Cedar does not take the rules: ${JSON.stringify(parsed)}`)
  const principal = { type: 'Role', id: 'readers' }
  const action = { type: 'Action', id: 'read' }
  const resources = Array.from({ length: count }, (_, i) => asked(i))
  return (i) => {
    const id = resources[i] as string
    const answer = statefulIsAuthorized({
      principal,
      action,
      resource: { type: 'Resource', id },
      context: isExact ? {} : { resource: id },
      preparsedPolicySetId: 'bench',
      entities: [],
    })
    return answer.type === 'success' && answer.response.decision === 'allow'
  }
}
