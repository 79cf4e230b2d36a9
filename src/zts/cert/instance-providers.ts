import { ConfigError } from '#core/config/config-error.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import type { Domains } from '../cache/domains.ts'
import type { InstanceProvider } from './instance-provider.ts'

/** Makes a provider inside this server for a provider service (full name); answers with the reason when it cannot. */
export type ProviderFactory = (provider: string) => InstanceProvider | string

/** Makes the client of a provider service (full name) at an address; answers with the reason when it may not be asked. */
export type RemoteProviderFactory = (provider: string, endpoint: URL) => InstanceProvider | string

/** What the providers are made of. */
export interface InstanceProvidersOptions {
  readonly domains: Pick<Domains, 'get'>
  /** Providers inside this server by class name: only what the operator or this program put there. */
  readonly classes: ReadonlyMap<string, ProviderFactory>
  /** Classes of existing configurations that are not supported: what is to be said about each. */
  readonly unsupported: ReadonlyMap<string, string>
  readonly remote: RemoteProviderFactory
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

const CLASS_SCHEME = 'class://'

/**
 * The providers of instances, found by the endpoint that their service has in its domain. Which code runs is never
 * decided by the domain: a class name selects one of the operator's.
 */
export class InstanceProviders {
  readonly #options: InstanceProvidersOptions
  readonly #made = new Map<string, InstanceProvider>()

  constructor(options: InstanceProvidersOptions) {
    this.#options = options
  }

  /** The provider with a full name (lower case); undefined when there is none, and then the log says why. */
  provider(fullName: string): InstanceProvider | undefined {
    const found = this.#find(fullName)
    if (typeof found !== 'string') return found
    this.#options.log('warn', `provider ${fullName}: ${found}`)
    return undefined
  }

  async close(): Promise<void> {
    for (const provider of this.#made.values()) await provider.close?.()
  }

  #find(fullName: string): InstanceProvider | string {
    const parts = splitPrincipalName(fullName)
    const service = parts && this.#options.domains.get(parts.domain)?.services.get(parts.name)
    if (service === undefined) return 'there is no such service'
    const endpoint = service.providerEndpoint
    if (!endpoint) return 'the service has no provider endpoint'
    const known = this.#made.get(keyOf(fullName, endpoint))
    if (known !== undefined) return known
    const made = this.#make(fullName, endpoint)
    if (typeof made !== 'string') this.#replace(fullName, endpoint, made)
    return made
  }

  #make(fullName: string, endpoint: string): InstanceProvider | string {
    const { classes, unsupported, remote } = this.#options
    if (endpoint.toLowerCase().startsWith(CLASS_SCHEME)) {
      const name = endpoint.slice(CLASS_SCHEME.length)
      const factory = classes.get(name)
      if (factory !== undefined) return madeOrRefused(() => factory(fullName))
      return `the class ${name} ${unsupported.get(name) ?? 'is not known (athenz.ts.instance_providers gives classes of your own)'}`
    }
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
    if (url?.protocol !== 'https:') return `the endpoint ${endpoint} is neither class:// nor https://`
    return remote(fullName, url)
  }

  /** A service has one endpoint: what was made for a former one is closed. */
  #replace(fullName: string, endpoint: string, made: InstanceProvider): void {
    for (const [key, provider] of this.#made) {
      if (!key.startsWith(keyOf(fullName, ''))) continue
      this.#made.delete(key)
      void Promise.resolve(provider.close?.()).catch(() => {})
    }
    this.#made.set(keyOf(fullName, endpoint), made)
  }
}

/** No name of a service has a blank. */
const keyOf = (fullName: string, endpoint: string) => `${fullName} ${endpoint}`

/** Settings of a provider may be missing: that concerns only those who ask for it. */
function madeOrRefused(make: () => InstanceProvider | string): InstanceProvider | string {
  try {
    return make()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}
