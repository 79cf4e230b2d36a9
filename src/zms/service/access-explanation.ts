import type { Principal } from '#core/authority/principal.ts'
import { forbidden, notFound } from '#core/error/service-error.ts'
import { CompiledPolicies } from '#core/rbac/compiled-policies.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import type { AccessQuestion, PrincipalView } from '#core/rbac/evaluate.ts'
import { type Explanation, explain } from '#core/rbac/explain.ts'
import type { InactiveVersions } from '#core/rbac/explain-trace.ts'
import type { AccessExplanation } from '../api/access-explanation.ts'
import type { Domain } from '../store/model.ts'
import { type ExplainedPolicy, explanationReply } from './access-explanation-reply.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { mayLookUpRoles, roleLookupResource } from './role-lookup.ts'

/** A question whose domain is known to exist and to be enabled. */
export interface ExplainedQuestion {
  readonly subject: PrincipalView
  /** Name of the domain whose policies answer. */
  readonly domain: string
  readonly action: string
  readonly resource: string
  readonly trustDomain: string | undefined
}

/**
 * Explains an access decision. 403 unless the caller may look up how the subject comes by its roles: the question is about
 * itself, it holds `access` on `{domain}:meta.role.lookup` (administrators do) or `sys.auth:meta.role.lookup`, or it may
 * update the service that the question is about. Costs as much as reading the domain with all roles and policies.
 */
export async function explainAccess(
  deps: ZmsDependencies,
  caller: Principal,
  { subject, domain: name, action, resource, trustDomain }: ExplainedQuestion,
): Promise<{ readonly granted: boolean; readonly explanation: AccessExplanation }> {
  const { authorization, store, now } = deps
  if (!(await mayLookUpRoles(deps, caller, subject.fullName, name))) {
    throw forbidden(
      `getAccessCheck: principal is not authorized to see why: the question is not its own, and access on ${roleLookupResource(name)} is missing`,
    )
  }
  const stored = await store.domain(name)
  const view: DomainView<ExplainedPolicy> | undefined = stored
    ? authorization.view(stored)
    : ((await authorization.domainFor(caller, name)) as DomainView<ExplainedPolicy> | undefined)
  if (!view) throw notFound(`getAccessCheck: Resource Domain not found: '${name}'`)
  const question: AccessQuestion = { principal: subject, action, resource, trustDomain, now: now() }
  const explanation = await explained(deps, view, question, stored && inactiveVersions(stored))
  return {
    granted: explanation.decision.outcome === 'allow',
    explanation: explanationReply(explanation, caller, stored?.modified),
  }
}

/** Loads domains of groups and delegated roles as they turn out to be needed. */
async function explained(
  { authorization, store }: ZmsDependencies,
  domain: DomainView<ExplainedPolicy>,
  question: AccessQuestion,
  inactive: InactiveVersions<ExplainedPolicy> | undefined,
): Promise<Explanation<ExplainedPolicy>> {
  const loaded = new Map<string, DomainView<ExplainedPolicy> | null>([[domain.name, domain]])
  for (;;) {
    const explanation = explain(domain, question, (name) => loaded.get(name), inactive)
    if (explanation.outcome === 'explained') return explanation
    const found = await store.domains(explanation.domains)
    for (const name of explanation.domains) {
      const other = found.get(name)
      loaded.set(name, other ? authorization.view(other) : null)
    }
  }
}

function inactiveVersions({ name, policies }: Domain): InactiveVersions<ExplainedPolicy> {
  const inactive = [...policies.values()].flatMap((versions) => [...versions.values()].filter(({ active }) => !active))
  return {
    policies: new CompiledPolicies<ExplainedPolicy>(name, inactive, { roleNames: 'local' }),
    replaces: (version, other) => version.name === other.name,
  }
}
