import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** An instance by its service and the provider that launched it; lower case. */
export interface InstanceNames {
  /** Full name. */
  readonly provider: string
  readonly domain: string
  /** Local name. */
  readonly service: string
}

/** What decides whether a provider may launch instances of a service. */
export type InstanceAdmissionDependencies = Pick<
  ZtsDependencies,
  'config' | 'domains' | 'authorization' | 'allowedAddresses'
>

const LAUNCH = 'launch'
const INSTANCES = 'sys.auth:instance'

/**
 * The first look at an instance, before anything it presents: where the request comes from, and whether its provider may
 * launch its service. Gives the domain.
 * @throws ServiceError `forbidden`, `not-found` or `bad-request` with the reason
 */
export function admitInstance(
  deps: InstanceAdmissionDependencies,
  names: InstanceNames,
  remoteAddress: string,
): CachedDomain {
  const domain = domainOfInstance(deps, names, remoteAddress)
  requireLaunchable(deps, names)
  return domain
}

/**
 * The domain of an instance, if requests may come from there, and its service is registered.
 * @throws ServiceError `forbidden`, `not-found` or `bad-request` with the reason
 */
export function domainOfInstance(
  deps: Omit<InstanceAdmissionDependencies, 'authorization'>,
  names: InstanceNames,
  remoteAddress: string,
): CachedDomain {
  const { provider } = names
  if (!deps.allowedAddresses.allowsProvider(provider, remoteAddress)) {
    throw forbidden(`Unknown IP: ${remoteAddress} for Provider: ${provider}`)
  }
  return registeredDomain(deps, names)
}

/** The domain of an instance whose service is registered. @throws ServiceError `not-found` or `bad-request` */
export function registeredDomain(
  { config, domains }: Pick<InstanceAdmissionDependencies, 'config' | 'domains'>,
  { domain: name, service }: InstanceNames,
): CachedDomain {
  const domain = domains.get(name)
  if (domain === undefined) throw notFound(`Domain not found: ${name}`)
  if (!domain.services.has(service) && mustBeRegistered(config, name)) {
    throw badRequest('Service not registered in domain')
  }
  return domain
}

/** Refuses an instance whose provider may not launch its service. @throws ServiceError `forbidden` */
export function requireLaunchable(
  { authorization }: Pick<InstanceAdmissionDependencies, 'authorization'>,
  { provider, domain, service }: InstanceNames,
): void {
  if (!authorization.mayPrincipal(provider, LAUNCH, INSTANCES)) {
    throw forbidden(`provider '${provider}' not authorized to launch instances in Athenz`)
  }
  if (!authorization.mayPrincipal(provider, LAUNCH, `${domain}:service.${service}`)) {
    throw forbidden(`provider '${provider}' not authorized to launch ${serviceFullName(domain, service)} instances`)
  }
}

function mustBeRegistered({ zts }: ZtsDependencies['config'], domain: string): boolean {
  if (!zts.validateServiceIdentity.value) return false
  for (const entry of zts.validateServiceSkipDomains) {
    const skipped = entry.endsWith('*') ? domain.startsWith(entry.slice(0, -1)) : domain === entry
    if (skipped) return false
  }
  return true
}
