import { badRequest, notFound, unauthorized } from '#core/error/service-error.ts'
import type { Handlers, Reply, RequestContext } from '#core/http/endpoint.ts'
import { principalInQuestion } from '#core/names/principal-name.ts'
import type { PrincipalView } from '#core/rbac/evaluate.ts'
import type { accessEndpoints } from '../api/access.ts'
import { UNKNOWN_DOMAIN } from './authorization.ts'
import type { ZtsDependencies } from './dependencies.ts'

const GRANTED: Reply = Object.freeze({ status: 200, body: '{"granted":true}' })
const DENIED: Reply = Object.freeze({ status: 200, body: '{"granted":false}' })

/** Answers whether somebody may do something. */
export function accessService({
  config,
  authorization,
}: Pick<ZtsDependencies, 'config' | 'authorization'>): Handlers<typeof accessEndpoints> {
  /** `named` is the principal that the question is about, by default the caller; it counts without roles. */
  function access(
    { principal }: RequestContext,
    action: string,
    resource: string,
    trustDomain: string | undefined,
    named: string | undefined,
  ): Reply {
    if (!principal) throw unauthorized('Invalid credentials')
    const subject = named === undefined ? principal : namedPrincipal(named)
    const answer = authorization.decide(subject, action, resource, trustDomain)
    if (answer === UNKNOWN_DOMAIN) throw notFound('Domain not found')
    return answer ? GRANTED : DENIED
  }

  function namedPrincipal(name: string): PrincipalView {
    const fullName = principalInQuestion(name, config)
    if (fullName === undefined) throw badRequest(`Invalid principal name: ${name}`)
    return { fullName }
  }

  return {
    getResourceAccess: ({ params, query }, context) =>
      access(context, params.action, params.resource, query.domain, query.checkPrincipal),

    getResourceAccessExt: ({ params, query }, context) =>
      access(context, params.action, query.resource, query.domain, query.checkPrincipal),
  }
}
