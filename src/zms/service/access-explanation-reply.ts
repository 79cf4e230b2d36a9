import type { Principal } from '#core/authority/principal.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { AssertionView, PolicyView } from '#core/rbac/compiled-policies.ts'
import type { CredentialHolding, DecidingAssertion } from '#core/rbac/evaluate.ts'
import type { Explanation } from '#core/rbac/explain.ts'
import { mostAlike } from '#core/rbac/explain-likeness.ts'
import type { Remedy } from '#core/rbac/explain-remedies.ts'
import type { AssertionStep, RoleStep } from '#core/rbac/explain-trace.ts'
import type { Change } from '#core/rbac/explain-trial.ts'
import { remedyLine, verdictLine } from '#core/rbac/explanation-text.ts'
import type { Holding, Lapse } from '#core/rbac/holding.ts'
import type { AccessExplanation } from '../api/access-explanation.ts'
import type { PendingRoleMember, RoleMember } from '../store/model.ts'
import { suspensionNames } from './suspension.ts'
import { compact, timestamp } from './wire-form.ts'

/** What an explanation tells of a policy: those of stored domains and of home domains that nobody has made yet have it. */
export interface ExplainedPolicy extends PolicyView {
  readonly name: string
  readonly version?: string
  readonly active?: boolean
  readonly assertions: { values(): Iterable<ExplainedAssertion> }
}

interface ExplainedAssertion extends AssertionView {
  readonly id?: number
  readonly conditions?: { readonly size: number }
}

type Told = Explanation<ExplainedPolicy>
type RoleTold = AccessExplanation['roles'][number]
type AssertionTold = AccessExplanation['assertions'][number]
type LapseTold = NonNullable<RoleTold['lapses']>[number]
type ChangeTold = AccessExplanation['remedies'][number]['changes'][number]

const ROLES = 50
const ASSERTIONS = 50

/** An explanation as the API answers it; `modified` is the stamp of the domain, in epoch milliseconds. */
export function explanationReply(told: Told, caller: Principal, modified: number | undefined): AccessExplanation {
  const { question, domain, decision, roles, assertions, inactive, nearestMisses, remedies } = told
  const { principal, action, resource, trustDomain } = question
  const tried = mostAlike([...assertions, ...inactive], question).sort((a, b) => a.misses.length - b.misses.length)
  const refusal = decision.outcome === 'deny' && decision.reason !== 'assertion' ? decision.reason : undefined
  return compact<AccessExplanation>({
    summary: verdictLine(told, policyText),
    caller: identityReply(caller),
    principal: principal.fullName,
    action,
    resource,
    trustDomain,
    domain,
    modified: timestamp(modified),
    outcome: decision.outcome,
    refusal,
    decidedBy: 'by' in decision ? decidedBy(decision.by, domain) : undefined,
    roles: roles.slice(0, ROLES).map((step) => roleReply(step, domain)),
    moreRoles: more(roles, ROLES),
    assertions: tried.slice(0, ASSERTIONS).map((step) => assertionReply(step, domain)),
    moreAssertions: more(tried, ASSERTIONS),
    nearestMisses: nearestMisses.map((step) => assertionReply(step, domain)),
    remedies: remedies.map((remedy) => remedyReply(remedy, told)),
  })
}

/** How many are left out; undefined when none are. */
const more = (list: readonly unknown[], limit: number): number | undefined =>
  list.length > limit ? list.length - limit : undefined

const policyText = ({ name, version, active = true }: ExplainedPolicy): string =>
  active ? name : `${name} version ${version}`

function identityReply(caller: Principal): AccessExplanation['caller'] {
  const { fullName, authority, roles, rolePrincipalName, authorizedService } = caller
  const credential = authority.credentialSource === 'certificate' ? 'certificate' : 'token'
  return compact<AccessExplanation['caller']>({
    principal: fullName,
    authority: authority.id,
    credential: roles ? `role-${credential}` : credential,
    roles: roles?.slice(0, ROLES),
    moreRoles: more(roles ?? [], ROLES),
    rolePrincipal: rolePrincipalName,
    authorizedService,
  })
}

function roleReply({ role, holding, lapses }: RoleStep<ExplainedPolicy>, domain: string): RoleTold {
  return compact<RoleTold>({
    role: roleResourceName(domain, role),
    held: holding !== undefined,
    ...(holding && holdingReply(holding)),
    lapses: lapses.length === 0 ? undefined : lapses.slice(0, ROLES).map(lapseReply),
  })
}

function holdingReply(holding: Holding<ExplainedPolicy> | CredentialHolding): Partial<RoleTold> {
  switch (holding.via) {
    case 'credential':
      return { via: holding.via }
    case 'trust': {
      const { via: _, ...within } = holdingReply(holding.within)
      return { ...within, via: holding.via, trustRole: roleResourceName(holding.domain, holding.role) }
    }
    case 'group':
      return { ...holdingReply(holding.within), via: holding.via, group: holding.group }
    default: {
      const { memberName, expiration } = holding.entry
      return { via: holding.via, member: memberName, expiration: timestamp(expiration) }
    }
  }
}

function lapseReply({ state, domain, role, group, entry }: Lapse): LapseTold {
  const { memberName, expiration, systemDisabled = 0 } = entry
  // In the domains of a store, every pending entry is one of these, and no other entry has the time of a request.
  const { requestPrincipal, requestTime } = entry as RoleMember & Partial<PendingRoleMember>
  return compact<LapseTold>({
    state,
    member: memberName,
    role: roleResourceName(domain, role),
    group,
    expiration: timestamp(expiration),
    disabledBy: state === 'disabled' ? suspensionNames(systemDisabled) : undefined,
    requestedBy: state === 'pending' ? requestPrincipal : undefined,
    requested: state === 'pending' ? timestamp(requestTime) : undefined,
  })
}

function assertionReply(step: AssertionStep<ExplainedPolicy>, domain: string): AssertionTold {
  const { policy, assertion, denies, misses, role, by } = step
  return compact<AssertionTold>({
    policy: policy.name,
    version: policy.version,
    active: policy.active ?? true,
    id: assertion.id,
    effect: denies ? 'DENY' : 'ALLOW',
    role: fullRole(assertion.role, domain),
    action: assertion.action,
    resource: assertion.resource,
    misses: [...misses],
    standing: role,
    through: by && roleResourceName(domain, by.role),
    conditions: (assertion.conditions?.size ?? 0) > 0 ? true : undefined,
  })
}

function decidedBy({ policy, assertion, role, holding }: DecidingAssertion<ExplainedPolicy>, domain: string) {
  const by = { role, holding, lapses: [] }
  return assertionReply(
    { policy, assertion, denies: assertion.effect === 'DENY', misses: [], role: 'held', by },
    domain,
  )
}

/** Stored assertions name roles by local name, those of a home domain that nobody has made yet in full. */
const fullRole = (role: string, domain: string): string =>
  role.startsWith(roleResourceName(domain, '')) ? role : roleResourceName(domain, role)

function remedyReply(remedy: Remedy<ExplainedPolicy>, { question }: Told): AccessExplanation['remedies'][number] {
  return {
    text: remedyLine(remedy, question, policyText),
    changes: remedy.changes.map((change) => changeReply(change, question.principal.fullName)),
  }
}

function changeReply(change: Change<ExplainedPolicy>, member: string): ChangeTold {
  const { kind } = change
  switch (kind) {
    case 'add-member':
    case 'remove-member':
      return { kind, role: roleResourceName(change.domain, change.role), member }
    case 'create-role':
      return compact<ChangeTold>({ kind, role: change.role && roleResourceName(change.domain, change.role), member })
    case 'add-assertion':
      return compact<ChangeTold>({ kind, role: change.role && roleResourceName(change.domain, change.role) })
    case 'renew-member':
    case 'enable-member':
    case 'approve-member': {
      const { domain, role, group, entry } = change.lapse
      const place = group === undefined ? { role: roleResourceName(domain, role) } : { group }
      return { kind, ...place, member: entry.memberName }
    }
    case 'remove-assertion': {
      const { policy, assertion } = change
      return compact<ChangeTold>({ kind, policy: policy.name, version: policy.version, assertion: assertion.id })
    }
    case 'activate-version':
      return compact<ChangeTold>({ kind, policy: change.policy.name, version: change.policy.version })
    case 'name-role':
      return { kind, role: change.role }
    default:
      return { kind, refusal: change.refusal }
  }
}
