import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok, type RequestContext } from '#core/http/endpoint.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import type { TenancyInput, tenancyEndpoints } from '../api/tenancy.ts'
import type { Domain } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { servicePrincipal } from './service-principal.ts'
import { type Provider, providerName } from './tenancy-names.ts'
import {
  putProviderSide,
  type RoleAction,
  removeProviderSide,
  resourceGroupRolesOf,
  roleActionsOf,
} from './tenancy-provider.ts'
import { putTenantAdmin, putTenantSide, removeTenantSide, tenantRolesOf } from './tenancy-tenant.ts'

/** Whom a request is about. */
interface Parties {
  readonly provider: Provider
  readonly tenant: string
}

/** Tenants of provider services: each side by itself, or both when a provider acts through its own chained token. */
export function tenancyService(deps: ZmsDependencies): Handlers<typeof tenancyEndpoints> {
  const { store, writes } = deps
  return {
    async putTenancy({ params, body, headers: { auditRef } }, context) {
      const parties = { provider: providerOf(params.service), tenant: params.domain }
      const { provider, tenant } = parties
      deps.authorizedServices.check(context)
      requireTenancy(body, tenant, params.service)
      requireTwoDomains(parties)
      await requireService(provider, params.service)
      const both = await completes(context, parties)
      const acting = context.principal?.authorizedService
      if (acting !== undefined && !both) {
        throw badRequest(`Authorized service provider mismatch: ${params.service}/${acting}`)
      }
      const noted = both && (await isRegistered(provider))
      const domains = both ? [tenant, provider.domain] : [tenant]
      await writes.commit({ context, domains, entity: params.service, auditRef }, async (transaction) => {
        const stored = await audited(context, transaction, tenant, auditRef)
        if (body.createAdminRole ?? true) putTenantAdmin(transaction, stored, provider)
        if (both) {
          const domain = await audited(context, transaction, provider.domain, auditRef)
          const side = { ...parties, roles: [], auditRef }
          await putProviderSide(context, transaction, domain, side)
        }
        if (noted) await noteDependency(transaction, parties)
      })
      return noContent
    },

    async deleteTenancy({ params, headers: { auditRef } }, context) {
      const parties = { provider: providerOf(params.service), tenant: params.domain }
      const { provider, tenant } = parties
      deps.authorizedServices.check(context)
      if (!(await serviceExists(provider))) throw notFound(`Unable to retrieve service: ${params.service}`)
      const both = await completes(context, parties)
      const noted = both && (await isRegistered(provider))
      const domains = both ? [tenant, provider.domain] : [tenant]
      await writes.commit({ context, domains, entity: params.service, auditRef }, async (transaction) => {
        removeTenantSide(transaction, await audited(context, transaction, tenant, auditRef), provider)
        if (both) {
          const domain = await audited(context, transaction, provider.domain, auditRef)
          await removeProviderSide(transaction, domain, provider, tenant)
        }
        if (noted) await forgetDependency(transaction, parties)
      })
      return noContent
    },

    async putTenant({ params, body, headers: { auditRef } }, context) {
      const parties = { provider: { domain: params.domain, service: params.service }, tenant: params.tenantDomain }
      const { provider, tenant } = parties
      deps.authorizedServices.check(context)
      requireTwoDomains(parties)
      requireTenancy(body, tenant, providerName(provider))
      await requireService(provider, provider.service)
      const noted = await isRegistered(provider)
      const domains = noted ? [provider.domain, tenant] : [provider.domain]
      const subject = { context, domains, entity: tenant, auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await audited(context, transaction, provider.domain, auditRef)
        const side = { ...parties, roles: [], auditRef }
        await putProviderSide(context, transaction, domain, side)
        if (noted) await noteDependency(transaction, parties)
      })
      return noContent
    },

    async deleteTenant({ params, headers: { auditRef } }, context) {
      const parties = { provider: { domain: params.domain, service: params.service }, tenant: params.tenantDomain }
      const { provider, tenant } = parties
      deps.authorizedServices.check(context)
      await requireService(provider, provider.service)
      const noted = await isRegistered(provider)
      const domains = noted ? [provider.domain, tenant] : [provider.domain]
      const subject = { context, domains, entity: tenant, auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await audited(context, transaction, provider.domain, auditRef)
        await removeProviderSide(transaction, domain, provider, tenant)
        if (noted) await forgetDependency(transaction, parties)
      })
      return noContent
    },

    async putTenantResourceGroupRoles({ params, body, headers: { auditRef } }, context) {
      const { domain, service, tenantDomain: tenant, resourceGroup } = params
      const parties = { provider: { domain, service }, tenant }
      deps.authorizedServices.check(context)
      requireTwoDomains(parties)
      const same =
        body.domain === domain &&
        body.service === service &&
        body.tenant === tenant &&
        body.resourceGroup === resourceGroup
      if (!same || body.roles.length === 0) throw badRequest('Invalid tenant resource group role object')
      const noted = await isRegistered(parties.provider)
      const domains = noted ? [domain, tenant] : [domain]
      await writes.commit({ context, domains, entity: tenant, auditRef }, async (transaction) => {
        const stored = await audited(context, transaction, domain, auditRef)
        const side = { ...parties, resourceGroup, roles: body.roles, auditRef }
        await putProviderSide(context, transaction, stored, side)
        if (noted) await noteDependency(transaction, parties)
      })
      return ok({ domain, service, tenant, roles: body.roles, resourceGroup })
    },

    async getTenantResourceGroupRoles({ params }) {
      const { domain: name, service, tenantDomain: tenant, resourceGroup } = params
      const domain = await store.domain(name)
      if (!domain) throw notFound(`getTenantResourceGroupRoles: No such domain: ${name}`)
      const roles = roleActionsOf(domain, service, tenant, resourceGroup)
      return ok({ domain: name, service, tenant, roles, resourceGroup })
    },

    async deleteTenantResourceGroupRoles({ params, headers: { auditRef } }, context) {
      const { domain: name, service, tenantDomain: tenant, resourceGroup } = params
      const parties = { provider: { domain: name, service }, tenant }
      deps.authorizedServices.check(context)
      const noted = await isRegistered(parties.provider)
      const domains = noted ? [name, tenant] : [name]
      await writes.commit({ context, domains, entity: tenant, auditRef }, async (transaction) => {
        const domain = await audited(context, transaction, name, auditRef)
        await removeProviderSide(transaction, domain, parties.provider, tenant, resourceGroup)
        if (noted) await forgetDependency(transaction, parties)
      })
      return noContent
    },

    async putProviderResourceGroupRoles({ params, body, headers: { auditRef } }, context) {
      const { tenantDomain: tenant, provDomain: domain, provService: service, resourceGroup } = params
      const parties = { provider: { domain, service }, tenant }
      deps.authorizedServices.check(context)
      requireTwoDomains(parties)
      const same =
        body.domain === domain &&
        body.service === service &&
        body.tenant === tenant &&
        body.resourceGroup === resourceGroup
      if (!same || body.roles.length === 0) throw badRequest('Invalid provider resource group role object')
      const { roles, createAdminRole = true, skipPrincipalMember = false } = body
      const both = await completes(context, parties)
      const noted = both && (await isRegistered(parties.provider))
      const member = skipPrincipalMember ? undefined : context.principal?.fullName
      const domains = both ? [tenant, domain] : [tenant]
      await writes.commit(
        { context, domains, entity: providerName(parties.provider), auditRef },
        async (transaction) => {
          const stored = await audited(context, transaction, tenant, auditRef)
          if (createAdminRole) putTenantAdmin(transaction, stored, parties.provider)
          const names = roles.map(({ role }) => role)
          const side = { provider: parties.provider, resourceGroup, roles: names, member, auditRef }
          await putTenantSide(deps, context, transaction, stored, side)
          if (both) {
            const other = await audited(context, transaction, domain, auditRef)
            const given = { ...parties, resourceGroup, roles, auditRef }
            await putProviderSide(context, transaction, other, given)
          }
          if (noted) await noteDependency(transaction, parties)
        },
      )
      return ok({ domain, service, tenant, roles, resourceGroup, createAdminRole, skipPrincipalMember })
    },

    async getProviderResourceGroupRoles({ params }) {
      const { tenantDomain: tenant, provDomain: domain, provService: service, resourceGroup } = params
      const stored = await store.domain(tenant)
      if (!stored) throw notFound(`No such domain: ${tenant}`)
      // What a role may do is known at the provider only.
      const roles: RoleAction[] = tenantRolesOf(stored, { domain, service }, resourceGroup).map((role) => ({
        role,
        action: 'n/a',
      }))
      return ok({ domain, service, tenant, roles, resourceGroup })
    },

    async deleteProviderResourceGroupRoles({ params, headers: { auditRef } }, context) {
      const { tenantDomain: tenant, provDomain, provService, resourceGroup } = params
      const parties = { provider: { domain: provDomain, service: provService }, tenant }
      deps.authorizedServices.check(context)
      const both = await completes(context, parties)
      const noted = both && (await isRegistered(parties.provider))
      const domains = both ? [tenant, provDomain] : [tenant]
      const entity = providerName(parties.provider)
      await writes.commit({ context, domains, entity, auditRef }, async (transaction) => {
        const domain = await audited(context, transaction, tenant, auditRef)
        removeTenantSide(transaction, domain, parties.provider, resourceGroup)
        if (!both) return
        const other = await audited(context, transaction, provDomain, auditRef)
        await removeProviderSide(transaction, other, parties.provider, tenant, resourceGroup)
        if (noted) await forgetDependency(transaction, parties)
      })
      return noContent
    },
  }

  /** 404 without the service, which messages call `word`. */
  async function requireService(provider: Provider, word: string): Promise<void> {
    if (!(await serviceExists(provider))) throw notFound(`Unable to retrieve service=${word}`)
  }

  async function serviceExists({ domain, service }: Provider): Promise<boolean> {
    return (await store.domain(domain))?.services.has(service) ?? false
  }

  function audited(
    context: RequestContext,
    transaction: Transaction,
    domainName: string,
    auditRef: string | undefined,
  ): Promise<Domain> {
    return auditedDomain(deps, context, transaction, { domainName, kind: 'tenancy', auditRef })
  }

  /**
   * Whether the request, made to the tenant, does the provider's side too: it comes through the chained token of the
   * provider, which may manage its tenants.
   */
  async function completes({ principal }: RequestContext, { provider }: Parties): Promise<boolean> {
    const service = principal?.authorizedService
    if (service === undefined || service !== providerName(provider)) return false
    const acting = servicePrincipal(service)
    if (!acting) return false
    return deps.authorization.isAllowed(acting, 'update', `${provider.domain}:tenant.${provider.service}`)
  }

  /** Whether what is done on the provider's side of its tenancies is noted as a dependency. */
  function isRegistered(provider: Provider): Promise<boolean> {
    return deps.serviceProviders.has(providerName(provider))
  }
}

/** The provider of that full name; 400 when the name has no domain. */
function providerOf(name: string): Provider {
  const parts = splitPrincipalName(name)
  if (!parts) throw badRequest('Invalid tenancy object')
  return { domain: parts.domain, service: parts.name }
}

/** 400 when tenant and provider are the same. */
function requireTwoDomains({ provider, tenant }: Parties): void {
  if (provider.domain === tenant) throw badRequest('Provider and tenant domains cannot be the same')
}

/** 400 when the body names another tenant or provider than the path. */
function requireTenancy(body: TenancyInput, tenant: string, service: string): void {
  if (body.domain !== tenant || body.service !== service) throw badRequest('Invalid tenancy object')
}

async function noteDependency(transaction: Transaction, { provider, tenant }: Parties): Promise<void> {
  const service = providerName(provider)
  if ((await transaction.queries.dependentServices(tenant)).includes(service)) return
  transaction.apply({ kind: 'putDependency', dependentDomain: tenant, service })
}

/** Ends the dependency, unless the provider still has roles of resource groups for the tenant. */
async function forgetDependency(transaction: Transaction, { provider, tenant }: Parties): Promise<void> {
  const service = providerName(provider)
  const domain = await transaction.domain(provider.domain)
  if (domain && resourceGroupRolesOf(domain, provider.service, tenant).length > 0) return
  if (!(await transaction.queries.dependentServices(tenant)).includes(service)) return
  transaction.apply({ kind: 'deleteDependency', dependentDomain: tenant, service })
}
