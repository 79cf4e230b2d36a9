import { policyResourceName, roleResourceName } from '#core/names/resource-name.ts'
import type { Assertion, AssertionCondition, Policy } from '../store/model.ts'
import { compact, ownershipReply, tagsReply, timestamp } from './wire-form.ts'

/** A condition of an assertion as the API writes it. */
export function conditionReply(id: number, condition: AssertionCondition): Record<string, unknown> {
  return { id, conditionsMap: Object.fromEntries(condition) }
}

/** An assertion without its conditions, as it is read by its id. */
export function assertionReply(domain: string, assertion: Assertion): Record<string, unknown> {
  return {
    role: roleResourceName(domain, assertion.role),
    resource: assertion.resource,
    action: assertion.action,
    effect: assertion.effect,
    id: assertion.id,
  }
}

/** An assertion with its conditions; without conditions the member is left out. */
export function conditionalAssertionReply(domain: string, assertion: Assertion): Record<string, unknown> {
  const { conditions } = assertion
  if (!conditions || conditions.size === 0) return assertionReply(domain, assertion)
  const conditionsList = [...conditions].map(([id, condition]) => conditionReply(id, condition))
  return { ...assertionReply(domain, assertion), conditions: { conditionsList } }
}

/** A single policy version with all it has. */
export function policyReply(domain: string, policy: Policy): Record<string, unknown> {
  return { ...wholePolicyReply(domain, policy), assertions: conditionalAssertionsReply(domain, policy) }
}

/**
 * A policy version with all it has in lists and JWS domains, which write null where a single policy has an empty list of
 * assertions.
 */
export function wholePolicyReply(domain: string, policy: Policy): Record<string, unknown> {
  return compact({
    ...listedPolicyReply(domain, policy),
    assertions: policy.assertions.size > 0 ? conditionalAssertionsReply(domain, policy) : null,
    resourceOwnership: ownershipReply(policy.resourceOwnership),
  })
}

/** A policy version in a list without assertions, which then are null; such a list does not show owners either. */
export function listedPolicyReply(domain: string, policy: Policy): Record<string, unknown> {
  return compact({
    name: policyResourceName(domain, policy.name),
    modified: timestamp(policy.modified),
    assertions: null,
    version: policy.version,
    active: policy.active,
    description: policy.description,
    tags: tagsReply(policy.tags),
  })
}

/**
 * A policy in signed domains: name, time and assertions (null for none) only. Assertions have ids and conditions when the
 * receiver asks for conditions.
 */
export function signedPolicyReply(
  domain: string,
  policy: Policy,
  { conditions }: { conditions: boolean },
): Record<string, unknown> {
  const replies = conditions ? conditionalAssertionsReply : bareAssertionsReply
  return {
    name: policyResourceName(domain, policy.name),
    modified: timestamp(policy.modified),
    assertions: policy.assertions.size > 0 ? replies(domain, policy) : null,
  }
}

function conditionalAssertionsReply(domain: string, { assertions }: Policy): Record<string, unknown>[] {
  return [...assertions.values()].map((assertion) => conditionalAssertionReply(domain, assertion))
}

function bareAssertionsReply(domain: string, { assertions }: Policy): Record<string, unknown>[] {
  return [...assertions.values()].map((assertion) => {
    const { id: _, ...bare } = assertionReply(domain, assertion)
    return bare
  })
}
