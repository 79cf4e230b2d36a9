import { badRequest, forbidden, notFound, unauthorized } from '#core/error/service-error.ts'
import { type Handlers, ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import { type PrincipalDomains, principalInQuestion } from '#core/names/principal-name.ts'
import type { DomainView } from '#core/rbac/domain-view.ts'
import { domainOfQuestion, type PrincipalView } from '#core/rbac/evaluate.ts'
import type { accessEndpoints } from '../api/access.ts'
import { explainAccess } from './access-explanation.ts'
import { chain, type MaybePromise } from './authorization.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { principalDomainsOf } from './principal-domains.ts'
import { listResourceAccess } from './resource-access.ts'

const GRANTED: Reply = Object.freeze({ status: 200, body: '{"granted":true}' })
const DENIED: Reply = Object.freeze({ status: 200, body: '{"granted":false}' })

/**
 * Answers whether somebody may do something. The two access questions wait for nothing when the store answers from
 * memory; every call asks the store, so that no answer is older than its question.
 */
export function accessService(deps: ZmsDependencies): Handlers<typeof accessEndpoints> {
  const { authorization, now } = deps
  const principals = principalDomainsOf(deps.config)

  /**
   * `checked` names the principal the question is about, by default the caller; it counts without roles. 404 without the
   * domain, 403 when it is disabled, 400 when a group is asked about.
   */
  function access(
    { principal }: RequestContext,
    action: string,
    resource: string,
    trustDomain: string | undefined,
    checked: string | undefined,
  ): MaybePromise<Reply> {
    if (!principal) throw unauthorized('Invalid credentials')
    const name = domainOfQuestion(action, resource, trustDomain)
    if (name === undefined) throw notFound('getAccessCheck: Unable to extract resource domain')
    const decide = (domain: DomainView | undefined): MaybePromise<Reply> => {
      if (!domain) throw notFound(`getAccessCheck: Resource Domain not found: '${name}'`)
      if (!domain.enabled) throw forbidden(`getAccessCheck: Disabled domain: '${name}'`)
      const subject = checked === undefined ? principal : checkedPrincipal(checked, principals)
      const question = { principal: subject, action, resource, trustDomain, now: now() }
      return chain(authorization.decide(domain, question), ({ outcome }) => (outcome === 'allow' ? GRANTED : DENIED))
    }
    return authorization.withDomain(principal, name, decide)
  }

  /** The same with an explanation; its errors are those of the plain answer, and 403 for who may not see it. */
  async function explained(
    context: RequestContext,
    action: string,
    resource: string,
    trustDomain: string | undefined,
    checked: string | undefined,
  ): Promise<Reply> {
    await access(context, action, resource, trustDomain, checked)
    const { principal } = context
    const domain = domainOfQuestion(action, resource, trustDomain)
    if (!principal || domain === undefined) throw unauthorized('Invalid credentials')
    const subject = checked === undefined ? principal : checkedPrincipal(checked, principals)
    return ok(await explainAccess(deps, principal, { subject, domain, action, resource, trustDomain }))
  }

  return {
    getAccess: ({ params, query }, context) =>
      (query.explain ? explained : access)(context, params.action, params.resource, query.domain, query.checkPrincipal),

    getAccessExt: ({ params, query }, context) =>
      (query.explain ? explained : access)(context, params.action, query.resource, query.domain, query.checkPrincipal),

    getResourceAccessList: async ({ query }) => listResourceAccess(deps, query),
  }
}

/** The principal of that name (lower case); one without a dot is a user. */
function checkedPrincipal(name: string, principals: PrincipalDomains): PrincipalView {
  const fullName = principalInQuestion(name, principals)
  if (fullName === undefined) throw badRequest('getAccessCheck: Invalid check principal value specified')
  return { fullName }
}
