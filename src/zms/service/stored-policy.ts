import { badRequest, notFound } from '#core/error/service-error.ts'
import { policyResourceName } from '#core/names/resource-name.ts'
import type { Assertion, Domain, Policy, PolicyBase, ResourceOwnership } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { compact } from './wire-form.ts'

/** The versions of one policy. */
export type PolicyVersions = ReadonlyMap<string, Policy>

/** 400 for the policy that makes administrators what they are; `label` begins the message. */
export function requireNotAdmin(label: string, policyName: string): void {
  if (policyName === 'admin') throw badRequest(`${label}: admin policy cannot be modified`)
}

/** The versions of a policy; 404 without it. */
export function versionsOf(domain: Domain, policyName: string): PolicyVersions {
  const versions = domain.policies.get(policyName)
  if (!versions) throw notFound(`unknown policy - ${policyResourceName(domain.name, policyName)}`)
  return versions
}

/** The version that counts. */
export function activeVersion(versions: PolicyVersions | undefined): Policy | undefined {
  for (const policy of versions?.values() ?? []) if (policy.active) return policy
  return undefined
}

/** The version of a policy by its name, the active one when none is named. */
export function policyVersion(domain: Domain | undefined, name: string, version?: string): Policy | undefined {
  const versions = domain?.policies.get(name)
  return version === undefined ? activeVersion(versions) : versions?.get(version)
}

/** The assertion of that id in any version of the policy, with the version that has it. */
export function findAssertion(
  versions: PolicyVersions | undefined,
  id: number,
): { policy: Policy; assertion: Assertion } | undefined {
  for (const policy of versions?.values() ?? []) {
    const assertion = policy.assertions.get(id)
    if (assertion) return { policy, assertion }
  }
  return undefined
}

/** A policy version without its assertions. */
export function policyBaseOf(policy: Policy): PolicyBase {
  const { assertions: _, ...base } = policy
  return base
}

/**
 * Gives the versions of a policy their new owners, but for the one that the caller writes: owners belong to the policy,
 * not to a version, as in the original. To be called before that write, which decides which version is active.
 */
export function giveOwners(
  transaction: Transaction,
  domain: string,
  versions: PolicyVersions | undefined,
  owners: ResourceOwnership | undefined,
  written?: string,
): void {
  const others = [...(versions?.values() ?? [])].filter(
    ({ version, resourceOwnership }) => version !== written && !sameOwners(resourceOwnership, owners),
  )
  for (const policy of others) {
    const value = compact({ ...policyBaseOf(policy), resourceOwnership: owners })
    transaction.apply({ kind: 'putPolicy', domain, value })
  }
}

const sameOwners = (a: ResourceOwnership | undefined, b: ResourceOwnership | undefined): boolean =>
  (a?.size ?? 0) === (b?.size ?? 0) && [...(a ?? [])].every(([component, owner]) => b?.get(component) === owner)

/** Number of policies that the quota counts: every version is one. */
export function policyCount({ policies }: Domain): number {
  let count = 0
  for (const versions of policies.values()) count += versions.size
  return count
}
