import { lookup } from 'node:dns/promises'
import { JsonClient } from '#core/http/json-client.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { serviceFullName, splitResourceName } from '#core/names/resource-name.ts'
import type { ZtsDependencies } from '../../service/dependencies.ts'
import type { ProviderFactory } from '../instance-providers.ts'
import { ZtsProvider, type ZtsProviderOptions } from './zts-provider.ts'

/** What the built-in providers are made with. */
export interface BuiltInProviderParts
  extends Pick<
    ZtsDependencies,
    'config' | 'domains' | 'roleAccess' | 'signers' | 'publishedKeys' | 'requestRules' | 'now' | 'log'
  > {}

const CLASS_PATH = 'com.yahoo.athenz.instance.provider.impl.'

/** Providers inside this server by the class names that existing endpoints use. */
export const builtInProviders = (parts: BuiltInProviderParts): ReadonlyMap<string, ProviderFactory> =>
  new Map<string, ProviderFactory>([[`${CLASS_PATH}InstanceZTSProvider`, (provider) => ztsProvider(provider, parts)]])

const ADVICE = 'give a module of your own in athenz.ts.instance_providers, or a provider behind HTTPS'
const needs = (service: string) => `is not supported: it needs ${service} (${ADVICE})`

/** Classes of existing endpoints that are not supported: the rest of the sentence about each. */
export const unsupportedProviders: ReadonlyMap<string, string> = new Map(
  [
    ['InstanceAWSProvider', needs('the instance documents and STS of AWS')],
    ['InstanceAWSECSProvider', needs('the task documents and STS of AWS')],
    ['InstanceAWSLambdaProvider', needs('STS of AWS')],
    ['InstanceAzureProvider', needs('the management service of Azure')],
    ['InstanceGCPProvider', needs('the identity tokens of Google')],
    ['InstanceK8SProvider', needs('the cloud that runs the cluster, to know the issuers of its tokens')],
    ['SecureBootProvider', needs('the attestation of a vendor')],
  ].map(([name = '', text = '']) => [CLASS_PATH + name, text]),
)

function ztsProvider(provider: string, parts: BuiltInProviderParts): ZtsProvider {
  const { config, domains, signers, requestRules, now } = parts
  const { zts, auth } = config
  const offset = auth.principalTokenAllowedOffset
  return new ZtsProvider({
    provider,
    domains,
    signer: signers.instanceProviders,
    registerTokenKeys: registerTokenKeys(parts),
    launches: launchableServices(parts),
    dnsSuffixes: zts.providerDnsSuffix.map(plainSuffix),
    registerTokenLifeSeconds: zts.providerTokenExpiryTimeMinutes * 60,
    principalTokens: { allowedOffsetSeconds: offset < 0 ? 300 : offset, maxExpirySeconds: auth.tokenMaxExpirySeconds },
    userDomain: config.userDomain,
    addressesOf: async (hostname) => requestRules.hostnames?.addressesOf(hostname) ?? addressesOfHost(hostname),
    now,
  })
}

const plainSuffix = (suffix: string) => suffix.toLowerCase().replace(/^\./, '')

const CONNECT_TIMEOUT_MILLIS = 10_000
const READ_TIMEOUT_MILLIS = 20_000

/** Keys of this server and of its peers that share its name; then those of the configured address. */
function registerTokenKeys({
  config,
  publishedKeys,
  now,
  log,
}: BuiltInProviderParts): ZtsProviderOptions['registerTokenKeys'] {
  const address = config.zts.providerJwksUri
  const own = (keyId: string | undefined) => (keyId === undefined ? undefined : publishedKeys.ztsPublicKeys.get(keyId))
  if (address === undefined) return { keyOf: ({ kid }) => own(kid), close: () => {} }
  const client = new JsonClient({
    connectTimeoutMillis: CONNECT_TIMEOUT_MILLIS,
    readTimeoutMillis: READ_TIMEOUT_MILLIS,
  })
  const remote = new RemoteKeys({ client, url: new URL(address), now, log })
  return { keyOf: (header) => own(header.kid) ?? remote.keyOf(header), close: () => client.close() }
}

/** All services when nothing limits them; otherwise those of the list and the members of the role. */
function launchableServices({ config, domains, roleAccess }: BuiltInProviderParts) {
  const { zts, userDomain } = config
  const { providerServiceList: list, providerUserCertSkipServiceCheck: skipsUsers } = zts
  const role =
    zts.providerServiceRole === undefined ? undefined : splitResourceName('role', zts.providerServiceRole.toLowerCase())
  const limited = list.size > 0 || zts.providerServiceRole !== undefined
  return (domain: string, service: string): boolean => {
    const name = serviceFullName(domain, service)
    if (!limited || (skipsUsers && domain === userDomain) || list.has(name)) return true
    const roleDomain = role && domains.get(role.domain)
    if (role === undefined || roleDomain === undefined) return false
    return roleAccess.rolesOf(roleDomain, name, { names: [role.name], match: 'exact' }).length > 0
  }
}

/** By the resolver of this machine; none when the host is not known. */
async function addressesOfHost(hostname: string): Promise<readonly string[]> {
  try {
    return (await lookup(hostname, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}
