import { lookup } from 'node:dns/promises'
import { loadPlugIn, missingMethods } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { JsonClient } from '#core/http/json-client.ts'
import { RemoteKeys } from '#core/http/remote-keys.ts'
import { serviceFullName, splitResourceName } from '#core/names/resource-name.ts'
import type { InstanceProvider } from './cert/instance-provider.ts'
import type { ProviderFactory } from './cert/instance-providers.ts'
import { type BuildService, BuildServiceProvider } from './cert/providers/build-service-provider.ts'
import { buildkite, gitHubActions, harness, spacelift } from './cert/providers/build-services.ts'
import { type ClaimsJudge, CodeSigningProvider } from './cert/providers/code-signing-provider.ts'
import { personProviderClasses } from './cert/providers/person-providers.ts'
import { RoleBasedProvider } from './cert/providers/role-based-provider.ts'
import { openIdAddress, TokenIssuer } from './cert/providers/token-issuer.ts'
import { ZtsProvider, type ZtsProviderOptions } from './cert/providers/zts-provider.ts'
import type { ZtsDependencies } from './service/dependencies.ts'

/** What the built-in providers are made with. */
export interface BuiltInProviderParts
  extends Pick<
    ZtsDependencies,
    | 'config'
    | 'domains'
    | 'authorization'
    | 'roleAccess'
    | 'signers'
    | 'publishedKeys'
    | 'privateKeyStore'
    | 'requestRules'
    | 'now'
    | 'log'
  > {}

/** Modules of the operator that built-in providers ask. */
export interface ProviderJudges {
  readonly codeSigning: ClaimsJudge | undefined
}

/** Loads the modules that the properties name. Throws ConfigError for one that cannot be used. */
export async function openProviderJudges({ zts }: ConfigOf['zts']): Promise<ProviderJudges> {
  const specifier = zts.codeSigningAttrValidatorFactoryClass
  if (specifier === undefined) return { codeSigning: undefined }
  const codeSigning = await loadPlugIn<ClaimsJudge, []>(specifier, {
    property: 'athenz.zts.code_signing_attr_validator_factory_class',
    what: 'judge of claims',
    builtIn: new Map(),
    problemsOf: missingMethods('accepts'),
    directory: zts.rootDir,
  })
  return { codeSigning }
}

const CLASS_PATH = 'com.yahoo.athenz.instance.provider.impl.'

/** Providers inside this server by the class names that existing endpoints use. */
export function builtInProviders(
  parts: BuiltInProviderParts,
  judges: ProviderJudges,
): ReadonlyMap<string, ProviderFactory> {
  const { zts } = parts.config
  const rows: readonly (readonly [string, ProviderFactory])[] = [
    ['InstanceZTSProvider', (provider) => ztsProvider(provider, parts)],
    [
      'InstanceGithubActionsProvider',
      () =>
        buildServiceProvider(
          gitHubActions(zts.githubActionsEnterprise, zts.githubActionsJobWorkflowRefAuthzCheck),
          parts,
          {
            issuer: zts.githubActionsIssuer,
            issuerProperty: 'athenz.zts.github_actions.issuer',
            audience: zts.githubActionsAudience,
            keySet: zts.githubActionsJwksUri,
            maxAgeSeconds: zts.githubActionsBootTimeOffsetSeconds,
            expiryMins: zts.githubActionsCertExpiryTimeMinutes,
            dnsSuffixes: zts.githubActionsProviderDnsSuffix,
          },
        ),
    ],
    [
      'InstanceBuildKiteProvider',
      () =>
        buildServiceProvider(buildkite, parts, {
          issuer: zts.buildKiteIssuer,
          issuerProperty: 'athenz.zts.build_kite.issuer',
          audience: zts.buildKiteAudience,
          keySet: zts.buildKiteJwksUri,
          maxAgeSeconds: zts.buildKiteBootTimeOffsetSeconds,
          expiryMins: zts.buildKiteCertExpiryTimeMinutes,
          dnsSuffixes: zts.buildKiteProviderDnsSuffix,
        }),
    ],
    [
      'InstanceSpaceliftProvider',
      () =>
        buildServiceProvider(spacelift, parts, {
          issuer: zts.spaceliftIssuer,
          issuerProperty: 'athenz.zts.spacelift.issuer',
          audience: zts.spaceliftAudience,
          keySet: zts.spaceliftJwksUri,
          maxAgeSeconds: zts.spaceliftBootTimeOffsetSeconds,
          expiryMins: zts.spaceliftCertExpiryTimeMinutes,
          dnsSuffixes: zts.spaceliftProviderDnsSuffix,
        }),
    ],
    [
      'InstanceHarnessProvider',
      () =>
        buildServiceProvider(harness(zts.harnessAccountId), parts, {
          issuer: zts.harnessIssuer,
          issuerProperty: 'athenz.zts.harness.issuer',
          audience: zts.harnessAudience,
          keySet: zts.harnessJwksUri,
          maxAgeSeconds: zts.harnessBootTimeOffsetSeconds,
          expiryMins: zts.harnessCertExpiryTimeMinutes,
          dnsSuffixes: zts.harnessProviderDnsSuffix,
        }),
    ],
    ['InstanceCodeSigningProvider', () => codeSigningProvider(parts, judges)],
    ['InstanceAthenzRBACProvider', () => roleBasedProvider(parts)],
  ]
  const own = rows.map(([name, factory]): [string, ProviderFactory] => [CLASS_PATH + name, factory])
  return new Map([...own, ...personProviderClasses(parts.config, parts)])
}

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
    signer: () => signers.instanceProviders,
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
  const client = keyClient(config)
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

const keyClient = ({ auth }: BuiltInProviderParts['config']): JsonClient =>
  new JsonClient({
    connectTimeoutMillis: auth.jwkConnectTimeoutMillis,
    readTimeoutMillis: auth.jwkReadTimeoutMillis,
  })

/** Settings of a build service. */
interface BuildServiceSettings {
  readonly issuer: string | undefined
  readonly issuerProperty: string
  readonly audience: string
  readonly keySet: string | undefined
  readonly maxAgeSeconds: number
  readonly expiryMins: number
  readonly dnsSuffixes: readonly string[]
}

function buildServiceProvider(
  service: BuildService,
  { config, authorization, now, log }: BuiltInProviderParts,
  { issuer, issuerProperty, audience, keySet, dnsSuffixes, ...limits }: BuildServiceSettings,
): InstanceProvider | string {
  if (issuer === undefined) return `${issuerProperty} is not set`
  const client = keyClient(config)
  return new BuildServiceProvider({
    service,
    issuer: new TokenIssuer({ issuer, audience, keySet, client, now, log }),
    mayService: (name, action, resource) => authorization.mayPrincipal(name, action, resource),
    dnsSuffixes: dnsSuffixes.map(plainSuffix),
    ...limits,
    now,
    close: () => client.close(),
  })
}

function codeSigningProvider(
  { config, now, log }: BuiltInProviderParts,
  { codeSigning: judge }: ProviderJudges,
): InstanceProvider | string {
  const { zts } = config
  const audience = zts.codeSigningAttestationExpectedAudience
  // An audience that nobody has set would be that of any token.
  if (audience === '') return 'athenz.zts.code_signing_attestation_expected_audience is not set'
  const configuration = zts.codeSigningOidcProviderOpenidConfigUri
  const keySet = zts.codeSigningOidcProviderOpenidJwksUri
  const issuer = configuration === undefined && keySet === undefined ? zts.openidIssuer : undefined
  const client = keyClient(config)
  return new CodeSigningProvider({
    issuer: new TokenIssuer({
      issuer,
      audience,
      keySet: keySet ?? (configuration && (() => openIdAddress(client, new URL(configuration), 'jwks_uri'))),
      client,
      now,
      log,
    }),
    judge,
    expiryMins: zts.codeSigningCertValidityMinutes,
    close: () => client.close(),
  })
}

function roleBasedProvider({ config, authorization }: BuiltInProviderParts): InstanceProvider {
  const names = config.zts.athenzRbacProviderIssuerDnList ?? ''
  return new RoleBasedProvider({
    issuerNames: names.split(';').filter((name) => name.trim() !== ''),
    mayPrincipal: (...question) => authorization.mayPrincipal(...question),
  })
}
