import type { Principal } from '#core/authority/principal.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { forbidden } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { isGroupName, splitPrincipalName } from '#core/names/principal-name.ts'
import type { MemberEntry } from '#core/rbac/members.ts'
import type { Domain } from '../store/model.ts'
import type { Store } from '../store/store.ts'
import type { Authorization } from './authorization.ts'
import type { DependencyAnswer, ProviderClient } from './provider-client.ts'
import { servicePrincipal } from './service-principal.ts'
import { hasTag } from './tag-filter.ts'

/** Tag of a domain that system administrators may delete without asking providers. */
const SKIP_TAG = 'zms.DeleteSkipServiceProviderCheck'

/** A provider that can be asked. */
interface Endpoint {
  readonly provider: string
  readonly text: string
}

/**
 * The services that may note that domains depend on them: the members of the configured role, as they are in the store
 * when they are needed.
 */
export class ServiceProviders {
  readonly #config: ConfigOf['zms']
  readonly #store: Store
  readonly #authorization: Authorization
  readonly #client: ProviderClient | undefined
  readonly #now: () => number

  constructor(options: {
    config: ConfigOf['zms']
    store: Store
    authorization: Authorization
    /** Asks providers over the network; without one nobody is asked. */
    client?: ProviderClient | undefined
    /** Epoch milliseconds. */
    now: () => number
  }) {
    this.#config = options.config
    this.#store = options.store
    this.#authorization = options.authorization
    this.#client = options.client
    this.#now = options.now
  }

  /** Full names of the providers: members of the role, and of groups in it, whose membership counts now. */
  async names(): Promise<readonly string[]> {
    const { serviceProviderManagerDomain, serviceProviderManagerRole } = this.#config.zms
    const role = (await this.#store.domain(serviceProviderManagerDomain))?.roles.get(serviceProviderManagerRole)
    if (!role || role.trust) return []
    const now = this.#now()
    const counts = ({ expiration, systemDisabled }: MemberEntry) =>
      !systemDisabled && (expiration === undefined || expiration > now)
    const groups = role.members.groups.filter(({ entry }) => counts(entry))
    const domains = await this.#store.domains([...new Set(groups.map(({ domain }) => domain))])
    const names = new Set<string>()
    for (const member of role.members) {
      if (counts(member) && !isGroupName(member.memberName)) names.add(member.memberName)
    }
    for (const { domain, group } of groups) {
      for (const member of domains.get(domain)?.groups.get(group)?.members ?? []) {
        if (counts(member)) names.add(member.memberName)
      }
    }
    return [...names]
  }

  /** Whether the service is a provider. */
  async has(service: string): Promise<boolean> {
    return (await this.names()).includes(service)
  }

  /**
   * 403 when a provider still needs the domain that is to be deleted. `recheck` carries out the checks that need no
   * network, which come first. All providers with an endpoint are asked at the same time; one that gives no proper answer
   * objects. Without a client nobody is asked, and neither is when a system administrator deletes a domain that has the
   * tag for it.
   */
  async requireNoObjection(context: RequestContext, domain: Domain, recheck: () => Promise<void>): Promise<void> {
    await recheck()
    const client = this.#client
    const { principal } = context
    if (!client || !principal) return
    if (hasTag(domain.tags, SKIP_TAG, 'true') && (await this.#authorization.isSystemAdministrator(principal))) return
    const endpoints = await this.#endpoints()
    const objections = await Promise.all(
      endpoints.map(async (endpoint) =>
        objection(endpoint, domain.name, await this.#ask(client, endpoint, domain, principal)),
      ),
    )
    const messages = objections.filter((message) => message !== undefined)
    if (messages.length > 0) throw forbidden(messages.join(', '))
  }

  /** The providers that have an endpoint. */
  async #endpoints(): Promise<Endpoint[]> {
    const providers = (await this.names()).flatMap((provider) => {
      const parts = splitPrincipalName(provider)
      return parts ? [{ provider, ...parts }] : []
    })
    const domains = await this.#store.domains([...new Set(providers.map(({ domain }) => domain))])
    return providers.flatMap(({ provider, domain, name }) => {
      const text = domains.get(domain)?.services.get(name)?.providerEndpoint
      return text ? [{ provider, text }] : []
    })
  }

  async #ask(
    client: ProviderClient,
    { provider, text }: Endpoint,
    { name }: Domain,
    principal: Principal,
  ): Promise<DependencyAnswer> {
    const url = endpointUrl(text, await this.#launchesInstances(provider))
    if (!url) return { allowed: false, message: 'the endpoint of the provider is no https URL' }
    return client.ask(url, {
      operation: 'delete',
      domainName: name,
      objectType: 'domain',
      objectName: name,
      principal: principal.fullName,
      provider,
    })
  }

  /** Providers of instances answer other questions at their endpoint; those of dependencies are asked below it. */
  #launchesInstances(provider: string): Promise<boolean> {
    const principal = servicePrincipal(provider)
    return principal ? this.#authorization.isAllowed(principal, 'launch', 'sys.auth:instance') : Promise.resolve(false)
  }
}

function endpointUrl(text: string, instanceProvider: boolean): URL | undefined {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:') return undefined
  if (instanceProvider) url.pathname = `${url.pathname.replace(/\/+$/, '')}/dependency-check`
  return url
}

function objection({ provider }: Endpoint, domain: string, { allowed, message }: DependencyAnswer): string | undefined {
  if (allowed) return undefined
  const text = `Service '${provider}' is dependent on domain '${domain}'`
  return message ? `${text}. Error: ${message}` : text
}
