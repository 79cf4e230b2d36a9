import { type AzureDependencies, AzureProvider } from './azure.ts'
import type { CloudProvider } from './cloud-provider.ts'
import { type GcpDependencies, GcpProvider } from './gcp.ts'

/** Clouds for which credentials can be given, by the names in `athenz.zts.external_creds_providers`. */
const PROVIDERS: ReadonlyMap<string, (deps: CloudProviderDependencies) => CloudProvider> = new Map([
  ['gcp', (deps: CloudProviderDependencies): CloudProvider => new GcpProvider(deps)],
  ['azure', (deps: CloudProviderDependencies): CloudProvider => new AzureProvider(deps)],
])

/** What the providers of clouds need. */
export type CloudProviderDependencies = GcpDependencies & AzureDependencies

/** The clouds that are switched on, by name; a name that is not known is passed over, and the log says so. */
export function openCloudProviders(deps: CloudProviderDependencies): ReadonlyMap<string, CloudProvider> {
  const providers = new Map<string, CloudProvider>()
  for (const name of deps.config.zts.externalCredsProviders) {
    const make = PROVIDERS.get(name.toLowerCase())
    if (make === undefined) deps.log('warn', `athenz.zts.external_creds_providers: ${name} gives no credentials`)
    else providers.set(name.toLowerCase(), make(deps))
  }
  return providers
}
