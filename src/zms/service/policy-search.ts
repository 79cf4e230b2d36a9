import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { policyResourceName, roleResourceName } from '#core/names/resource-name.ts'
import type { AssertionsPage, PolicySummaries, PolicySummary, policySearchEndpoints } from '../api/policy-search.ts'
import type { Assertion, Domain, Policy } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { contains, KeysetPage, namedPage, pageLimit } from './keyset-page.ts'
import { conditionalAssertionReply } from './policy-reply.ts'
import { compact, ownershipReply, tagsReply, timestamp } from './wire-form.ts'

/** Policies and assertions, a part at a time. */
export function policySearchService({ store }: ZmsDependencies): Handlers<typeof policySearchEndpoints> {
  return {
    async searchPolicies({ params, query }) {
      const limit = pageLimit('searchPolicies', query.limit)
      const domain = await knownDomain('searchPolicies', params.domainName)
      const { entries, ...part } = namedPage(listed(domain), { ...query, limit })
      const list = entries.map(({ name, versions }) => policySummary(domain.name, name, versions))
      return ok(compact<PolicySummaries>({ list, ...part }))
    },

    async searchAssertions({ params, query }) {
      const { domainName, policyName } = params
      const limit = pageLimit('searchAssertions', query.limit)
      const domain = await knownDomain('searchAssertions', domainName)
      const versions = domain.policies.get(policyName)
      const policy = query.version === undefined ? versions && leading(versions) : versions?.get(query.version)
      if (!versions || !policy) {
        const version = query.version === undefined ? '' : ` with version: ${query.version}`
        throw notFound(`searchAssertions: Policy not found: '${policyResourceName(domainName, policyName)}'${version}`)
      }
      const page = new KeysetPage<Assertion, number>({ limit, skip: query.skip, keyOf: ({ id }) => id ?? 0 })
      for (const assertion of policy.assertions.values()) {
        if (isAskedFor(domainName, assertion, query)) page.offer(assertion)
      }
      const { entries, next } = page.get()
      return ok(
        compact<AssertionsPage>({
          policy: policySummary(domainName, policyName, versions),
          version: policy.version,
          list: entries.map((each) => conditionalAssertionReply(domainName, each)) as AssertionsPage['list'],
          total: page.total,
          next,
        }),
      )
    },
  }

  async function knownDomain(api: string, name: string): Promise<Domain> {
    const domain = await store.domain(name)
    if (!domain) throw notFound(`${api}: Domain not found: '${name}'`)
    return domain
  }
}

type Versions = ReadonlyMap<string, Policy>

/** The version that speaks for a policy: the active one, or the first one where none is. */
function leading(versions: Versions): Policy {
  const all = [...versions.values()]
  return all.find(({ active }) => active) ?? (all[0] as Policy)
}

function* listed({ policies }: Domain) {
  for (const [name, versions] of policies) {
    const { tags } = leading(versions)
    yield { name, versions, ...(tags && { tags }) }
  }
}

function policySummary(domain: string, name: string, versions: Versions): PolicySummary {
  const policy = leading(versions)
  const inOrder = [...versions.values()].sort((a, b) => (a.version < b.version ? -1 : 1))
  return compact<PolicySummary>({
    name: policyResourceName(domain, name),
    activeVersion: policy.active ? policy.version : undefined,
    description: policy.description,
    modified: timestamp(policy.modified),
    tags: tagsReply(policy.tags),
    resourceOwnership: ownershipReply(policy.resourceOwnership),
    versions: inOrder.map((each) =>
      compact({
        version: each.version,
        active: each.active,
        description: each.description,
        modified: timestamp(each.modified),
        assertionCount: each.assertions.size,
        conditionCount: conditioned(each),
      }),
    ),
  })
}

function conditioned({ assertions }: Policy): number {
  let count = 0
  for (const { conditions } of assertions.values()) if (conditions !== undefined && conditions.size > 0) count++
  return count
}

interface AssertionQuery {
  readonly filter?: string | undefined
  readonly role?: string | undefined
  readonly action?: string | undefined
  readonly resource?: string | undefined
}

function isAskedFor(
  domain: string,
  { role: name, action, resource }: Assertion,
  { filter, ...parts }: AssertionQuery,
): boolean {
  const role = roleResourceName(domain, name)
  return (
    contains(role, parts.role) &&
    contains(action, parts.action) &&
    contains(resource, parts.resource) &&
    (contains(role, filter) || contains(action, filter) || contains(resource, filter))
  )
}
