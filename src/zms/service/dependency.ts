import { badRequest, notFound, unauthorized } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok, type RequestContext } from '#core/http/endpoint.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import { requireName } from '#core/names/require-name.ts'
import type { dependencyEndpoints } from '../api/dependency.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { resourceGroupRolesOf } from './tenancy-provider.ts'

/** Which domains depend on which provider services. */
export function dependencyService(deps: ZmsDependencies): Handlers<typeof dependencyEndpoints> {
  const { store, writes, serviceProviders } = deps
  return {
    async putDomainDependency({ params: { domainName }, body, headers: { auditRef } }, context) {
      deps.authorizedServices.check(context)
      const service = await providerOf(context, body.service)
      requireName('DomainName', domainName)
      const domains = concerned(domainName, service)
      await writes.commit({ context, domains, entity: service, auditRef }, async (transaction) => {
        await auditedDomain(deps, context, transaction, { domainName, kind: 'domain', auditRef })
        const known = await transaction.queries.dependentServices(domainName)
        if (known.includes(service)) throw badRequest('Entry already exists')
        transaction.apply({ kind: 'putDependency', dependentDomain: domainName, service })
      })
      return noContent
    },

    async deleteDomainDependency({ params, headers: { auditRef } }, context) {
      const { domainName } = params
      deps.authorizedServices.check(context)
      const service = await providerOf(context, params.service)
      requireName('DomainName', domainName)
      const domains = concerned(domainName, service)
      await writes.commit({ context, domains, entity: service, auditRef }, async (transaction) => {
        await auditedDomain(deps, context, transaction, { domainName, kind: 'domain', auditRef })
        const known = await transaction.queries.dependentServices(domainName)
        if (!known.includes(service)) {
          throw badRequest(`unable to delete dependency on domain ${domainName} for service ${service}`)
        }
        transaction.apply({ kind: 'deleteDependency', dependentDomain: domainName, service })
      })
      return noContent
    },

    async getDependentServiceList({ params: { domainName } }) {
      if (!(await store.domain(domainName))) throw notFound(`No such domain: ${domainName}`)
      return ok({ names: await store.dependentServices(domainName) })
    },

    async getDependentServiceResourceGroupList({ params: { domainName } }) {
      const services = await store.dependentServices(domainName)
      const list = services.map(async (service) => {
        const resourceGroups = await resourceGroupsOf(service, domainName)
        return { service, domain: domainName, ...(resourceGroups.length > 0 && { resourceGroups }) }
      })
      return ok({ serviceAndResourceGroups: await Promise.all(list) })
    },

    async getDependentDomainList({ params: { service } }) {
      if (!(await serviceProviders.has(service))) throw badRequest(`${service} is not a registered service provider`)
      return ok({ names: await store.dependentDomains(service) })
    },
  }

  /**
   * The provider a request is about: for system administrators (services among them) the one it names, for everybody else
   * the caller. 401 when that is no provider.
   */
  async function providerOf({ principal }: RequestContext, named: string | undefined): Promise<string> {
    if (!principal) throw unauthorized('Invalid credentials')
    const administrator = await deps.authorization.isAllowed(principal, 'create', 'sys.auth:domain')
    if (administrator && !named) throw badRequest('service is mandatory')
    const service = administrator && named ? named : principal.fullName
    if (!(await serviceProviders.has(service))) {
      throw unauthorized(`${service} is not an authorized service provider`)
    }
    return service
  }

  /** Local names of the roles that a provider has delegated to the domain for its resource groups. */
  async function resourceGroupsOf(service: string, tenant: string): Promise<string[]> {
    const parts = splitPrincipalName(service)
    const provider = parts && (await store.domain(parts.domain))
    if (!parts || !provider) return []
    return resourceGroupRolesOf(provider, parts.name, tenant).sort()
  }
}

/** The domain, and that of the service, so that the service cannot be deleted at the same time. */
function concerned(domain: string, service: string): string[] {
  const parts = splitPrincipalName(service)
  return parts && parts.domain !== domain ? [domain, parts.domain] : [domain]
}
