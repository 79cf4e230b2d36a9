import { badRequest, notFound, quotaExceeded } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { policyResourceName } from '#core/names/resource-name.ts'
import type { policyEndpoints } from '../api/policy.ts'
import type { Policy, PolicyBase } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { policyReply } from './policy-reply.ts'
import {
  activeVersion,
  giveOwners,
  type PolicyVersions,
  policyBaseOf,
  policyCount,
  policyVersion,
  requireNotAdmin,
  versionsOf,
} from './stored-policy.ts'
import { compact } from './wire-form.ts'

type VersionOperation =
  | 'getPolicyVersionList'
  | 'getPolicyVersion'
  | 'putPolicyVersion'
  | 'setActivePolicyVersion'
  | 'deletePolicyVersion'

/** Versions of policies: exactly one of a policy counts. */
export function policyVersionService(deps: ZmsDependencies): Pick<Handlers<typeof policyEndpoints>, VersionOperation> {
  const { store, writes } = deps
  return {
    async getPolicyVersionList({ params }) {
      const { domainName, policyName } = params
      const domain = await store.domain(domainName)
      if (!domain) throw notFound(`unknown domain - ${domainName}`)
      return ok({ names: [...versionsOf(domain, policyName).keys()].sort() })
    },

    async getPolicyVersion({ params }) {
      const { domainName, policyName, version } = params
      const policy = policyVersion(await store.domain(domainName), policyName, version)
      if (!policy) {
        const fullName = policyResourceName(domainName, policyName)
        throw notFound(`getpolicyversion: Policy not found: '${fullName}' with version: ${version}`)
      }
      return ok(policyReply(domainName, policy))
    },

    async putPolicyVersion({ params, body, headers }, context) {
      const { domainName, policyName } = params
      const { version, fromVersion } = body
      deps.authorizedServices.check(context)
      requireNotAdmin(context.api, policyName)
      const subject = { context, domains: [domainName], entity: policyName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', ...headers })
        const versions = versionsOf(domain, policyName)
        requireVersionRoom(deps, policyName, version, versions)
        const source = fromVersion === undefined ? activeVersion(versions) : versions.get(fromVersion)
        if (!source) throw notFound(`unable to fetch policy version: ${fromVersion ?? 'active'}`)
        deps.quotas.require(domain, 'assertion', source.assertions.size)
        deps.quotas.require(domain, 'policy', policyCount(domain) + 1)
        if (versions.has(version)) throw badRequest('Entry already exists')
        const { resourceOwner } = headers
        // The header goes in as it is, as in the original: nothing is owned yet that it could be checked against.
        const resourceOwnership = resourceOwner
          ? new Map([
              ['object', resourceOwner],
              ['assertions', resourceOwner],
            ])
          : undefined
        const { rowId: _, ...base } = policyBaseOf(source)
        const value: PolicyBase = compact({ ...base, version, active: false, resourceOwnership })
        if (resourceOwnership) giveOwners(transaction, domainName, versions, resourceOwnership)
        transaction.apply({ kind: 'putPolicy', domain: domainName, value })
        for (const { id: __, ...assertion } of source.assertions.values()) {
          const place = { domain: domainName, policy: policyName, version }
          transaction.apply({ kind: 'putAssertion', ...place, value: assertion })
        }
      })
      return headers.returnObj ? ok(await written(domainName, policyName, version)) : noContent
    },

    async setActivePolicyVersion({ params, body, headers }, context) {
      const { domainName, policyName } = params
      deps.authorizedServices.check(context)
      requireNotAdmin(context.api, policyName)
      const subject = { context, domains: [domainName], entity: policyName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', ...headers })
        const versions = domain.policies.get(policyName)
        if (!versions) throw notFound(`unknown policy: ${policyName}`)
        const next = versions.get(body.version)
        if (!next) throw notFound(`unknown policy version: ${body.version}`)
        const current = activeVersion(versions)
        // The version that stops counting changes too, so its time moves like that of the new one.
        if (current && current !== next) put(transaction, domainName, current, false)
        put(transaction, domainName, next, true)
      })
      return noContent
    },

    async deletePolicyVersion({ params, headers }, context) {
      const { domainName, policyName, version } = params
      deps.authorizedServices.check(context)
      if (policyName === 'admin') throw badRequest(`${context.api}: admin policy version cannot be deleted`)
      const subject = { context, domains: [domainName], entity: policyName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'policy', ...headers })
        const policy = policyVersion(domain, policyName, version)
        if (!policy) throw notFound('Policy does not exist')
        deps.ownership.deletion(policy.resourceOwnership, 'object', headers.resourceOwner)
        if (policy.active) {
          throw badRequest(
            `${context.api}: unable to delete active policy version. Policy: ${policyName}, version: ${version}`,
          )
        }
        transaction.apply({ kind: 'deletePolicy', domain: domainName, policy: policyName, version })
      })
      return noContent
    },
  }

  /** The new version as it is stored now; its owners do not show yet. */
  async function written(domainName: string, policyName: string, version: string) {
    const policy = policyVersion(await store.domain(domainName), policyName, version)
    if (!policy) throw notFound(`unable to fetch policy version: ${version}`)
    return policyReply(domainName, compact({ ...policy, resourceOwnership: undefined }))
  }
}

/** 429 when the policy has as many versions as it may have; `version` is the one asked for. */
export function requireVersionRoom(
  { config }: Pick<ZmsDependencies, 'config'>,
  policyName: string,
  version: string,
  versions: PolicyVersions,
): void {
  const limit = config.zms.maxPolicyVersions
  if (versions.size >= limit) {
    throw quotaExceeded(
      `unable to put policy: ${policyName}, version: ${version}, max number of versions reached (${limit})`,
    )
  }
}

function put(transaction: Transaction, domain: string, policy: Policy, active: boolean): void {
  transaction.apply({ kind: 'putPolicy', domain, value: { ...policyBaseOf(policy), active } })
}
