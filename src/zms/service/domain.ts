import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { lastPart } from '#core/names/resource-name.ts'
import type { domainEndpoints } from '../api/domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { createDomain, requireDomainName, requireSame, withoutOperatorSettings } from './domain-creation.ts'
import { deleteDomain } from './domain-deletion.ts'
import { listDomains } from './domain-list.ts'
import { domainReply, newDomainReply } from './domain-reply.ts'
import { purgeExpiredMembers } from './expired-members.ts'

/** Domains: create, read, list, delete. */
export function domainService(deps: ZmsDependencies): Handlers<typeof domainEndpoints> {
  const { config, store, authorization } = deps
  return {
    async getDomain({ params }) {
      const domain = await store.domain(params.domain)
      if (!domain) throw notFound(`getDomain: Domain not found: ${params.domain}`)
      return ok(domainReply(domain))
    },

    async getDomainList(request) {
      return ok(await listDomains(deps, request))
    },

    async postTopLevelDomain({ body, headers }, context) {
      const { name } = body
      if (config.zms.reservedDomainNames.value.has(name)) throw badRequest('Domain name is reserved')
      await requireDomainName(deps, context, { fullName: name, checked: name, word: 'Domain' })
      const domain = await createDomain(deps, context, {
        kind: 'top',
        name,
        detail: body,
        admins: body.adminUsers,
        ...headers,
      })
      return ok({ ...newDomainReply(domain, body), ypmId: domain.ypmId })
    },

    async postSubDomain({ params, body, headers }, context) {
      const { parent } = params
      requireSame(parent, body.parent, 'postSubDomain: Request and detail parent domains do not match')
      const name = `${parent}.${body.name}`
      await requireDomainName(deps, context, { fullName: name, checked: body.name, word: 'SubDomain' })
      const detail = withoutOperatorSettings(body)
      const admins = body.adminUsers
      const domain = await createDomain(deps, context, { kind: 'sub', name, parent, detail, admins, ...headers })
      return ok(newDomainReply(domain, detail))
    },

    async postUserDomain({ params, body, headers }, context) {
      if (!config.zms.allowUserDomains) throw badRequest('User domains are not allowed')
      requireSame(params.name, body.name, 'postUserDomain: Request and detail domain names do not match')
      const name = homeDomainOf(params.name)
      await requireDomainName(deps, context, { fullName: name, checked: body.name, word: 'Domain' })
      const admins = [`${config.userDomain}.${params.name}`]
      const detail = withoutOperatorSettings(body)
      const domain = await createDomain(deps, context, { kind: 'user', name, detail, admins, ...headers })
      return ok(newDomainReply(domain, detail))
    },

    async deleteTopLevelDomain({ params, headers }, context) {
      await deleteDomain(deps, context, { name: params.name, ...headers })
      return noContent
    },

    async deleteSubDomain({ params, headers }, context) {
      const name = `${params.parent}.${params.name}`
      if (!(await store.domain(name))) throw notFound(`Domain not found: ${name}`)
      const { principal } = context
      const mayDelete = async (domain: string) =>
        principal !== undefined && (await authorization.isAllowed(principal, 'delete', `${domain}:domain`))
      if (!(await mayDelete(name)) && !(await mayDelete(params.parent))) {
        throw forbidden(`Principal is not authorized to delete domain: ${name}`)
      }
      await deleteDomain(deps, context, { name, ...headers })
      return noContent
    },

    async deleteUserDomain({ params, headers }, context) {
      await deleteDomain(deps, context, { name: homeDomainOf(params.name), ...headers })
      return noContent
    },

    async getAuthHistoryDependencies({ params }) {
      return ok(await deps.authHistory.dependencies(params.domainName))
    },

    async deleteExpiredMembers({ query, headers }, context) {
      deps.authorizedServices.check(context)
      const removed = await purgeExpiredMembers(deps, context, query.purgeResources, headers.auditRef)
      return headers.returnObj ? ok(removed) : noContent
    },
  }

  /** Name of the home domain of a user, as the user authority maps it. */
  function homeDomainOf(user: string): string {
    return `${config.homeDomain}.${deps.userAuthority?.userDomainName?.(user) ?? lastPart(user)}`
  }
}
