import { forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok, type RequestContext } from '#core/http/endpoint.ts'
import { policyResourceName } from '#core/names/resource-name.ts'
import type { AssertionInput, assertionEndpoints } from '../api/assertion.ts'
import type { Domain, Policy } from '../store/model.ts'
import { assertionConditionService } from './assertion-condition.ts'
import { assertionKey, requestedAssertion, requireAdmitted } from './assertion-rules.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { assertionReply } from './policy-reply.ts'
import { findAssertion, giveOwners, policyVersion, requireNotAdmin } from './stored-policy.ts'
import { compact } from './wire-form.ts'

/** Headers of requests that change assertions. */
interface WriteHeaders {
  readonly auditRef?: string | undefined
  readonly resourceOwner?: string | undefined
}

/** Where an assertion is added or removed; without version in the active one. */
interface AssertionPlace {
  readonly domainName: string
  readonly policyName: string
  readonly version?: string
}

/** Single assertions of policies, and their conditions. */
export function assertionService(deps: ZmsDependencies): Handlers<typeof assertionEndpoints> {
  const { store, writes, authorization } = deps
  return {
    ...assertionConditionService(deps),

    async getAssertion({ params }) {
      const { domainName, policyName, assertionId } = params
      const versions = (await store.domain(domainName))?.policies.get(policyName)
      const found = findAssertion(versions, assertionId)
      if (!found) {
        const fullName = policyResourceName(domainName, policyName)
        throw notFound(`getAssertion: Assertion not found: '${fullName}' Assertion: '${assertionId}'`)
      }
      return ok(assertionReply(domainName, found.assertion))
    },

    async putAssertion({ params, body, headers }, context) {
      requireNotAdmin('putAssertion', params.policyName)
      return ok(await addAssertion(context, params, body, headers))
    },

    async putAssertionPolicyVersion({ params, body, headers }, context) {
      requireNotAdmin('putAssertionPolicyVersion', params.policyName)
      return ok(await addAssertion(context, params, body, headers))
    },

    async deleteAssertion({ params, headers }, context) {
      const { domainName, policyName, assertionId } = params
      deps.authorizedServices.check(context)
      requireNotAdmin('deleteAssertion', policyName)
      if (!policyVersion(await store.domain(domainName), policyName)) throw notFound('Invalid policy name specified')
      if (!(await mayDelete(context, params))) {
        throw forbidden('deleteAssertion: principal is not authorized to delete assertion')
      }
      await removeAssertion(context, { domainName, policyName }, assertionId, headers)
      return noContent
    },

    async deleteAssertionPolicyVersion({ params, headers }, context) {
      const { assertionId, ...place } = params
      deps.authorizedServices.check(context)
      // The name of another operation in the message is the original's, as in the refusal below.
      requireNotAdmin('deleteAssertion', place.policyName)
      if (!(await mayDelete(context, params))) {
        throw forbidden('deleteAssertion: principal is not authorized to delete assertions')
      }
      await removeAssertion(context, place, assertionId, headers)
      return noContent
    },
  }

  /**
   * Adds an assertion and gives the body to answer with: what was asked for, as it is stored, with the new id. An
   * assertion that the policy has already is not added again, and the answer has no id then.
   */
  async function addAssertion(
    context: RequestContext,
    { domainName, policyName, version }: AssertionPlace,
    input: AssertionInput,
    { auditRef, resourceOwner }: WriteHeaders,
  ): Promise<Record<string, unknown>> {
    deps.authorizedServices.check(context)
    // A version that is named is looked up before the assertion is looked at, as in the original.
    if (version !== undefined) requirePolicy(await store.domain(domainName), domainName, policyName, version)
    // Conditions are not stored this way, only repeated in the answer, as in the original.
    const assertion = requestedAssertion(domainName, { ...input, conditions: undefined }, false)
    const subject = { context, domains: [domainName], entity: policyName, auditRef }
    const added = await writes.commit(subject, async (transaction) => {
      const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', auditRef })
      const policy = requirePolicy(domain, domainName, policyName, version)
      await requireAdmitted(deps, domain, policyName, [assertion])
      const stored = policy.resourceOwnership
      const fullName = policyResourceName(domainName, policyName)
      const owners = deps.ownership.componentWrite('policy', fullName, stored, 'assertions', 'member', resourceOwner)
      deps.quotas.require(domain, 'assertion', policy.assertions.size + 1)
      if (owners) giveOwners(transaction, domainName, domain.policies.get(policyName), owners)
      const key = assertionKey(assertion)
      for (const existing of policy.assertions.values()) if (assertionKey(existing) === key) return undefined
      const place = { domain: domainName, policy: policyName, version: policy.version }
      transaction.apply({ kind: 'putAssertion', ...place, value: assertion })
      return { version: policy.version, key }
    })
    return compact({
      role: input.role,
      resource: assertion.resource,
      action: assertion.action,
      effect: assertion.effect,
      id: added && (await idOf(domainName, policyName, added.version, added.key)),
      caseSensitive: input.caseSensitive,
      conditions: input.conditions && {
        conditionsList: input.conditions.conditionsList.map(({ id, conditionsMap }) =>
          compact({ id, conditionsMap: Object.fromEntries(conditionsMap) }),
        ),
      },
    })
  }

  /** Id that the store gave to an assertion of a version. */
  async function idOf(domainName: string, policyName: string, version: string, key: string) {
    const policy = policyVersion(await store.domain(domainName), policyName, version)
    for (const [id, assertion] of policy?.assertions ?? []) if (assertionKey(assertion) === key) return id
    return undefined
  }

  async function removeAssertion(
    context: RequestContext,
    { domainName, policyName, version }: AssertionPlace,
    assertionId: number,
    { auditRef, resourceOwner }: WriteHeaders,
  ): Promise<void> {
    const subject = { context, domains: [domainName], entity: policyName, auditRef }
    await writes.commit(subject, async (transaction) => {
      const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', auditRef })
      const policy = policyVersion(domain, policyName, version)
      if (!policy) throw notFound('Policy does not exist')
      deps.ownership.deletion(policy.resourceOwnership, 'assertions', resourceOwner)
      if (!policy.assertions.has(assertionId)) {
        throw notFound(
          `${context.api}: unable to read assertion: ${assertionId} from policy: ${policyName} version: ${version ?? 'active version'}`,
        )
      }
      const place = { domain: domainName, policy: policyName, version: policy.version }
      transaction.apply({ kind: 'deleteAssertion', ...place, id: assertionId })
    })
  }

  /** Assertions may be deleted by those who may change the policy, and by those who may delete this assertion. */
  async function mayDelete(
    { principal }: RequestContext,
    { domainName, policyName, assertionId }: AssertionPlace & { readonly assertionId: number },
  ): Promise<boolean> {
    if (!principal) return false
    const policy = policyResourceName(domainName, policyName)
    return (
      (await authorization.isAllowed(principal, 'update', policy)) ||
      (await authorization.isAllowed(principal, 'delete', `${policy}.assertion.${assertionId}`))
    )
  }
}

/** The version that an assertion is to be added to; 404 without it. */
function requirePolicy(domain: Domain | undefined, domainName: string, policyName: string, version?: string): Policy {
  const policy = policyVersion(domain, policyName, version)
  if (policy) return policy
  throw notFound(`putAssertion: Unable to retrieve policy: ${policyResourceName(domainName, policyName)}`)
}
