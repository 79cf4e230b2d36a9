import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { policyResourceName } from '#core/names/resource-name.ts'
import type { policyEndpoints } from '../api/policy.ts'
import type { DomainChange } from '../store/change.ts'
import type { Assertion, Policy, PolicyBase, ResourceOwnership } from '../store/model.ts'
import { assertionKey, requestedAssertion, requireAdmitted, sameConditions } from './assertion-rules.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { namePage } from './name-page.ts'
import { listedPolicyReply, policyReply, wholePolicyReply } from './policy-reply.ts'
import { policyVersionService, requireVersionRoom } from './policy-version.ts'
import {
  activeVersion,
  giveOwners,
  type PolicyVersions,
  policyBaseOf,
  policyCount,
  policyVersion,
  requireNotAdmin,
} from './stored-policy.ts'
import { hasTag } from './tag-filter.ts'
import { compact, ownershipOf, tagsOf } from './wire-form.ts'

/** Version that a policy begins with when the request names none. */
const FIRST_VERSION = '0'

/** Policies and their versions. */
export function policyService(deps: ZmsDependencies): Handlers<typeof policyEndpoints> {
  const { store, writes } = deps
  return {
    ...policyVersionService(deps),

    async getPolicyList({ params, query }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`unknown domain - ${params.domainName}`)
      return ok(namePage(domain.policies.keys(), query))
    },

    async getPolicies({ params, query }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`getpolicies: Domain not found: '${params.domainName}'`)
      const reply = query.assertions ? wholePolicyReply : listedPolicyReply
      const list: Record<string, unknown>[] = []
      for (const versions of domain.policies.values()) {
        for (const policy of versions.values()) {
          if (!policy.active && !query.includeNonActive) continue
          if (hasTag(policy.tags, query.tagKey, query.tagValue)) list.push(reply(domain.name, policy))
        }
      }
      return ok({ list })
    },

    async getPolicy({ params }) {
      const { domainName, policyName } = params
      const policy = policyVersion(await store.domain(domainName), policyName)
      if (!policy) throw notFound(`getpolicy: Policy not found: '${policyResourceName(domainName, policyName)}'`)
      return ok(policyReply(domainName, policy))
    },

    async putPolicy({ params, body, headers }, context) {
      const { domainName, policyName } = params
      deps.authorizedServices.check(context)
      requireNotAdmin('putPolicy', policyName)
      requireSamePolicy(domainName, policyName, body.name)
      const caseSensitive = body.caseSensitive ?? false
      const assertions = distinct(body.assertions.map((input) => requestedAssertion(domainName, input, caseSensitive)))
      const subject = { context, domains: [domainName], entity: policyName, auditRef: headers.auditRef }
      const { version, ownership } = await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', ...headers })
        await requireAdmitted(deps, domain, policyName, assertions.values())
        const versions = domain.policies.get(policyName)
        const target = body.version ?? activeVersion(versions)?.version ?? FIRST_VERSION
        const existing = versions?.get(target)
        const active = body.active ?? true
        if (!existing) requireNewVersion(policyName, body.version, versions, active)
        const owners = deps.ownership.wholeWrite(
          'policy',
          policyResourceName(domainName, policyName),
          existing?.resourceOwnership,
          ['object', ...(assertions.size > 0 ? ['assertions'] : [])],
          headers.resourceOwner,
        )
        deps.quotas.requireTags('policy', body.tags, existing?.tags)
        deps.quotas.require(domain, 'assertion', assertions.size)
        deps.quotas.require(domain, 'policy', policyCount(domain) + 1)
        const value: PolicyBase = compact({
          ...(existing ? policyBaseOf(existing) : { name: policyName, version: target, modified: 0, created: 0 }),
          active,
          tags: body.tags && body.tags.size > 0 ? tagsOf(body.tags) : existing?.tags,
          resourceOwnership: owners ?? existing?.resourceOwnership,
        })
        if (owners) giveOwners(transaction, domainName, versions, owners, target)
        transaction.apply({ kind: 'putPolicy', domain: domainName, value })
        transaction.apply(...assertionChanges(domainName, value, existing, assertions))
        return { version: target, ownership: existing?.resourceOwnership }
      })
      return headers.returnObj ? ok(await written(domainName, policyName, version, ownership)) : noContent
    },

    async deletePolicy({ params, headers }, context) {
      const { domainName, policyName } = params
      deps.authorizedServices.check(context)
      if (policyName === 'admin') throw badRequest('deletePolicy: admin policy cannot be deleted')
      const subject = { context, domains: [domainName], entity: policyName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', ...headers })
        const versions = domain.policies.get(policyName)
        if (!versions) throw notFound('Policy does not exist')
        const owners = activeVersion(versions)?.resourceOwnership
        deps.ownership.deletion(owners, 'object', headers.resourceOwner)
        transaction.apply({ kind: 'deletePolicy', domain: domainName, policy: policyName })
      })
      return noContent
    },

    async putResourcePolicyOwnership({ params, body, headers }, context) {
      const { domainName, policyName } = params
      if (body === undefined) throw badRequest('Invalid resource policy ownership: null')
      deps.authorizedServices.check(context)
      const subject = { context, domains: [domainName], entity: policyName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', ...headers })
        const policy = policyVersion(domain, policyName)
        if (!policy) {
          throw badRequest(`unable to put resource policy ownership for policy: ${policyName} in domain: ${domainName}`)
        }
        const resourceOwnership = ownershipOf(body)
        giveOwners(transaction, domainName, domain.policies.get(policyName), resourceOwnership, policy.version)
        const value = compact({ ...policyBaseOf(policy), resourceOwnership })
        transaction.apply({ kind: 'putPolicy', domain: domainName, value })
      })
      return noContent
    },
  }

  /** The version as it is stored now, with the owners it had before the write. */
  async function written(
    domainName: string,
    policyName: string,
    version: string,
    resourceOwnership: ResourceOwnership | undefined,
  ) {
    const policy = policyVersion(await store.domain(domainName), policyName, version)
    if (!policy) throw notFound(`getpolicy: Policy not found: '${policyResourceName(domainName, policyName)}'`)
    return policyReply(domainName, compact({ ...policy, resourceOwnership }))
  }

  /**
   * Refuses a version that the policy does not have and may not get by a whole write. `version` is the one that the
   * request names, if it names one.
   */
  function requireNewVersion(
    policyName: string,
    version: string | undefined,
    versions: PolicyVersions | undefined,
    active: boolean,
  ): void {
    if (version !== undefined) {
      if (!versions && !active) throw notFound(`Policy ${policyName} doesn't exist, new version must be active `)
      if (versions && active) {
        throw badRequest(
          `Policy ${policyName} already exists with an active version. Create version ${version} as not active and activate it afterwards`,
        )
      }
    }
    if (versions) requireVersionRoom(deps, policyName, version ?? FIRST_VERSION, versions)
  }
}

/** 400 when the name in the body is neither the local nor the full name of the policy in the path. */
function requireSamePolicy(domainName: string, policyName: string, given: string): void {
  const fullName = policyResourceName(domainName, policyName)
  if (given !== policyName && given !== fullName) {
    throw badRequest(`putPolicy: Inconsistent policy names - expected: ${fullName}, actual: ${given}`)
  }
}

/** Assertions by what makes them the same; the first of several counts. */
function distinct(assertions: readonly Assertion[]): ReadonlyMap<string, Assertion> {
  const found = new Map<string, Assertion>()
  for (const assertion of assertions) {
    const key = assertionKey(assertion)
    if (!found.has(key)) found.set(key, assertion)
  }
  return found
}

/** The changes that leave a version with exactly the wanted assertions; those it has already keep their ids. */
function assertionChanges(
  domain: string,
  { name: policy, version }: PolicyBase,
  existing: Policy | undefined,
  wanted: ReadonlyMap<string, Assertion>,
): DomainChange[] {
  const place = { domain, policy, version }
  const changes: DomainChange[] = []
  const kept = new Set<string>()
  for (const [id, assertion] of existing?.assertions ?? []) {
    const key = assertionKey(assertion)
    const next = wanted.get(key)
    if (!next) {
      changes.push({ kind: 'deleteAssertion', ...place, id })
      continue
    }
    kept.add(key)
    if (sameConditions(assertion.conditions, next.conditions)) continue
    changes.push({ kind: 'putConditions', ...place, id, value: next.conditions ?? new Map() })
  }
  for (const [key, value] of wanted) if (!kept.has(key)) changes.push({ kind: 'putAssertion', ...place, value })
  return changes
}
