import type { Assertion, Domain, PolicyBase } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { assertionKey } from './assertion-rules.ts'
import { activeVersion, policyBaseOf } from './stored-policy.ts'

/**
 * Gives the active version of a policy the assertions that it lacks, and takes its others away or keeps them. A policy
 * that does not exist is made with `settings`, in version 0. The transaction holds the domain.
 */
export function putAssertions(
  transaction: Transaction,
  domain: Domain,
  policy: string,
  wanted: readonly Assertion[],
  { others, settings }: { others: 'keep' | 'remove'; settings?: Pick<PolicyBase, 'description' | 'tags'> },
): void {
  const existing = activeVersion(domain.policies.get(policy))
  const base = existing ? policyBaseOf(existing) : { ...NEW_POLICY, ...settings, name: policy }
  if (!existing) transaction.apply({ kind: 'putPolicy', domain: domain.name, value: base })
  const place = { domain: domain.name, policy, version: base.version }
  const missing = new Map(wanted.map((assertion) => [assertionKey(assertion), assertion]))
  for (const [id, assertion] of existing?.assertions ?? []) {
    const has = missing.delete(assertionKey(assertion))
    if (!has && others === 'remove') transaction.apply({ kind: 'deleteAssertion', ...place, id })
  }
  for (const value of missing.values()) transaction.apply({ kind: 'putAssertion', ...place, value })
}

const NEW_POLICY = { version: '0', active: true, modified: 0, created: 0 }
