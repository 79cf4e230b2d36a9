import { ProviderResourceGroupRoles, TenantResourceGroupRoles } from '#zms/api/tenancy.ts'
import { readPair, readSwitch } from './argument-values.ts'
import { type CommandGroup, domainCommand, MANY } from './command.ts'
import { indented, item } from './lines.ts'
import { blockText } from './list-text.ts'
import { done, type Result, shown } from './result.ts'
import type { Session } from './session.ts'

/** Tenants of provider services, and what providers let them do. */
export const tenancyCommands: CommandGroup = {
  title: 'Tenancy',
  commands: [
    domainCommand(
      ['add-tenant', 'provider_service tenant_domain', 'Makes a domain a tenant of a service of the domain.'],
      [2, 2],
      async (session, domain, [service = '', tenantDomain = '']) => {
        const body = { domain: tenantDomain, service: `${domain}.${service}` }
        await session.call('putTenant', { domain, service, tenantDomain, body })
        return done(`[Successfully added tenant ${tenantDomain} to provider ${domain}.${service}]`)
      },
    ),
    domainCommand(
      ['delete-tenant', 'provider_service tenant_domain', 'Makes a domain a tenant of a service no more.'],
      [2, 2],
      async (session, domain, [service = '', tenantDomain = '']) => {
        await session.call('deleteTenant', { domain, service, tenantDomain })
        return done(`[Successfully deleted tenant ${tenantDomain} from provider ${domain}.${service}]`)
      },
    ),
    domainCommand(
      [
        'add-tenancy',
        'provider [create_admin_role]',
        'Makes the domain a tenant of a service, given by its full name.',
      ],
      [1, 2],
      async (session, domain, [service = '', createAdminRole = 'true']) => {
        const body = { domain, service, createAdminRole: readSwitch(createAdminRole) }
        await session.call('putTenancy', { domain, service, body })
        return done(`[Successfully added tenant ${domain} to provider ${service}]`)
      },
    ),
    domainCommand(
      ['delete-tenancy', 'provider', 'Makes the domain a tenant of a service no more.'],
      [1, 1],
      async (session, domain, [service = '']) => {
        await session.call('deleteTenancy', { domain, service })
        return done(`[Successfully deleted tenant ${domain} from provider ${service}]`)
      },
    ),
    domainCommand(
      [
        'show-tenant-resource-group-roles',
        'service tenant_domain resource_group',
        'Shows the roles of a tenant in a group of resources of a service.',
      ],
      [3, 3],
      (session, domain, [service = '', tenantDomain = '', resourceGroup = '']) =>
        showTenantRoles(session, { domain, service, tenantDomain, resourceGroup }),
    ),
    domainCommand(
      [
        'add-tenant-resource-group-roles',
        'service tenant_domain resource_group role=action [role=action ...]',
        'Gives a tenant roles in a group of resources of a service.',
      ],
      [4, MANY],
      async (session, domain, [service = '', tenantDomain = '', resourceGroup = '', ...words]) => {
        const place = { domain, service, tenantDomain, resourceGroup }
        const body = { domain, service, tenant: tenantDomain, roles: roleActions(words), resourceGroup }
        await session.call('putTenantResourceGroupRoles', { ...place, body })
        return showTenantRoles(session, place)
      },
    ),
    domainCommand(
      [
        'delete-tenant-resource-group-roles',
        'service tenant_domain resource_group',
        'Takes the roles in a group of resources from a tenant.',
      ],
      [3, 3],
      async (session, domain, [service = '', tenantDomain = '', resourceGroup = '']) => {
        await session.call('deleteTenantResourceGroupRoles', { domain, service, tenantDomain, resourceGroup })
        return done(`[Successfully deleted resource group ${resourceGroup} roles for tenant: ${tenantDomain}]`)
      },
    ),
    domainCommand(
      [
        'show-provider-resource-group-roles',
        'provider_domain provider_service resource_group',
        'Shows the roles of the domain in a group of resources of a provider.',
      ],
      [3, 3],
      (session, tenantDomain, [provDomain = '', provService = '', resourceGroup = '']) =>
        showProviderRoles(session, { tenantDomain, provDomain, provService, resourceGroup }),
    ),
    domainCommand(
      [
        'add-provider-resource-group-roles',
        'provider_domain provider_service resource_group create_admin_role role=action [role=action ...]',
        'Gives the domain roles in a group of resources of a provider.',
      ],
      [5, MANY],
      async (session, tenant, [provDomain = '', provService = '', resourceGroup = '', adminRole = '', ...words]) => {
        const place = { tenantDomain: tenant, provDomain, provService, resourceGroup }
        const createAdminRole = readSwitch(adminRole)
        const roles = roleActions(words)
        const body = { domain: provDomain, service: provService, tenant, roles, resourceGroup, createAdminRole }
        await session.call('putProviderResourceGroupRoles', { ...place, body })
        return showProviderRoles(session, place)
      },
    ),
    domainCommand(
      [
        'delete-provider-resource-group-roles',
        'provider_domain provider_service resource_group',
        'Takes the roles in a group of resources of a provider from the domain.',
      ],
      [3, 3],
      async (session, tenantDomain, [provDomain = '', provService = '', resourceGroup = '']) => {
        await session.call('deleteProviderResourceGroupRoles', { tenantDomain, provDomain, provService, resourceGroup })
        return done(`[Successfully deleted resource group ${resourceGroup} roles for tenant: ${tenantDomain}]`)
      },
    ),
  ],
}

const roleActions = (words: readonly string[]): { role: string; action: string }[] =>
  words.map((word) => {
    const [role, action] = readPair(word)
    return { role, action }
  })

interface TenantPlace {
  readonly domain: string
  readonly service: string
  readonly tenantDomain: string
  readonly resourceGroup: string
}

async function showTenantRoles(session: Session, place: TenantPlace): Promise<Result> {
  const found = await session.call('getTenantResourceGroupRoles', place)
  return shown(found, TenantResourceGroupRoles.wire, () => {
    const roles = (found.roles ?? []).flatMap(({ role, action }) => item([`role: ${role}`, `action: ${action}`]))
    return blockText('resource-group', item([`name: ${found.resourceGroup}`, 'tenant-roles:', ...indented(2, roles)]))
  })
}

interface ProviderPlace {
  readonly tenantDomain: string
  readonly provDomain: string
  readonly provService: string
  readonly resourceGroup: string
}

async function showProviderRoles(session: Session, place: ProviderPlace): Promise<Result> {
  const found = await session.call('getProviderResourceGroupRoles', place)
  return shown(found, ProviderResourceGroupRoles.wire, () => {
    const roles = (found.roles ?? []).map(({ role }) => `- ${role}`)
    return blockText('resource-group', item([`name: ${found.resourceGroup}`, 'provider-roles:', ...indented(2, roles)]))
  })
}
