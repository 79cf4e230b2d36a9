import { serviceFullName } from '#core/names/resource-name.ts'

/** Marks the names of what belongs to one resource group of a tenancy. */
const RESOURCE_GROUP = 'res_group.'

/** A provider service. */
export interface Provider {
  readonly domain: string
  /** Local name of the service. */
  readonly service: string
}

/** Full name of a provider service. */
export const providerName = ({ domain, service }: Provider): string => serviceFullName(domain, service)

const group = (resourceGroup: string | undefined) =>
  resourceGroup === undefined ? '' : `${RESOURCE_GROUP}${resourceGroup}.`

/** Beginning of the local names of what a provider keeps for a tenant, or for one of its resource groups. */
export const tenantPrefix = (service: string, tenant: string, resourceGroup?: string): string =>
  `${service}.tenant.${tenant}.${group(resourceGroup)}`

/** The same for all resource groups together. */
export const resourceGroupsPrefix = (service: string, tenant: string): string =>
  tenantPrefix(service, tenant) + RESOURCE_GROUP

/** Beginning of the local names of the roles that a tenant keeps for a provider, or for one of its resource groups. */
export const providerPrefix = (provider: Provider, resourceGroup?: string): string =>
  `${providerName(provider)}.${group(resourceGroup)}`

/** Local name of what lets a tenant use a provider: `tenancy.` and the name of the provider, or of a role for it. */
export const tenancyName = (name: string): string => `tenancy.${name}`

/** Whether a name is the prefix and one more part. */
export const isDirectlyBelow = (name: string, prefix: string): boolean =>
  name.length > prefix.length && name.startsWith(prefix) && !name.includes('.', prefix.length)
