import type { Registry } from 'prom-client'
import { AuthorityChain } from '#core/authority/chain.ts'
import { type LoadedAuthorities, loadAuthorities } from '#core/authority/load.ts'
import { AthenzConfFile } from '#core/config/athenz-conf.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { openCredentialsBox } from '#core/crypto/open-private-key-store.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { loadServerSigners } from '#core/crypto/server-signers.ts'
import type { ReadinessCheck } from '#core/http/ops-report.ts'
import type { Logger } from '#core/log/logger.ts'
import { Closers } from '#core/main/closers.ts'
import type { CertificateMetrics } from '#core/metrics/certificate-metrics.ts'
import type { WorkerSeat } from '#core/workers/worker-seat.ts'
import { RoleAccess } from './cache/role-access.ts'
import { ProviderSuffixes } from './cert/provider-suffixes.ts'
import { openCertificateParts } from './open-certificate-parts.ts'
import { openInstanceParts } from './open-instance-parts.ts'
import { startNotifications } from './open-notifications.ts'
import { Authorization } from './service/authorization.ts'
import { loadAuthorizationDetails } from './service/authorization-details.ts'
import { CertificateBinding } from './service/certificate-binding.ts'
import type { ZtsDependencies } from './service/dependencies.ts'
import { openCloudProviders } from './service/external/open-cloud-providers.ts'
import { openRoleAssumer } from './service/external/role-assumer.ts'
import { loadForeignIssuers } from './service/foreign-issuers.ts'
import { loadIssuers } from './service/issuers.ts'
import { loadPrincipalIssuers } from './service/principal-issuers.ts'
import { PublishedKeys } from './service/published-keys.ts'
import { RotatingSigners } from './service/rotating-signers.ts'
import { ServiceKeyStore } from './service/service-key-store.ts'
import { tokenSigners } from './service/token-signers.ts'
import type { DomainSync } from './sync/domain-sync.ts'
import { openDomainSync } from './sync/open-domain-sync.ts'

/** What the parts are opened with. */
export interface DependenciesOptions {
  readonly loaded: LoadedConfig<ConfigOf['zts']>
  readonly privateKeyStore: PrivateKeyStore
  /** Where metrics go. */
  readonly registry: Registry
  /** Where certificates are shown. */
  readonly certificates: Pick<CertificateMetrics, 'watchClient'>
  readonly log: Logger
  /** Place among the processes of the server, when it has several. */
  readonly seat?: WorkerSeat | undefined
}

/** What the services are made of, opened, and what stands beside them. */
export interface OpenedDependencies {
  readonly deps: ZtsDependencies
  readonly chain: AuthorityChain
  readonly sync: DomainSync
  /** What tells whether the stores of records can be used, by name. */
  readonly recordChecks: ReadonlyMap<string, ReadinessCheck>
  /** Takes over signing keys that were exchanged in the configuration. */
  readonly refreshSigners: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Opens everything that the services need. Throws ConfigError or Error that says what cannot be used. */
export async function openDependencies(options: DependenciesOptions): Promise<OpenedDependencies> {
  const closers = new Closers()
  try {
    return { ...(await open(options, closers)), close: () => closers.close() }
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function open(options: DependenciesOptions, closers: Closers): Promise<Omit<OpenedDependencies, 'close'>> {
  const { loaded, privateKeyStore, registry, certificates: shown, log: logger, seat } = options
  const { config } = loaded
  const { zts } = config
  const log = (level: 'info' | 'warn' | 'error', message: string) => logger[level](message)
  const now = Date.now
  const property = loaded.properties.get
  const signers = await RotatingSigners.open({
    load: () => loadServerSigners(privateKeyStore, 'zts', zts.hostname, zts.serverRegion),
    byPurpose: (serverSigners) => tokenSigners(serverSigners, config),
    log,
  })
  const athenzConf = closers.keep(await AthenzConfFile.open(config.athenzConf, { log }))
  const sync = closers.keep(
    await openDomainSync({
      config,
      property,
      athenzConf,
      signers,
      privateKeyStore,
      log,
      now,
      registry,
      certificates: shown,
      // One process writes the local copy that all start with.
      savesCopy: !seat || seat.leads,
    }),
  )
  const { domains } = sync
  const publishedKeys = new PublishedKeys({
    athenzConf: () => athenzConf.current,
    signers,
    domains,
    standardCurvesOnly: zts.jwkCurveRfcSupportOnly,
  })
  const credentialsBox = await openCredentialsBox('zts', zts, privateKeyStore)
  const keyStore = new ServiceKeyStore({
    domains,
    serverKeys: () => publishedKeys,
    ...(credentialsBox && { decryptCredentials: (creds: string) => credentialsBox.decrypt(creds) }),
  })
  const authorityContext = { property, keyStore, now, log }
  const authorities = await loadAuthorities(
    { property: 'athenz.zts.authority_classes', classNames: zts.authorityClasses, directory: zts.rootDir },
    authorityContext,
  )
  const chain = closers.keep(
    new AuthorityChain(authorities.list, {
      multipleChallengeHeaders: config.container.httpWwwAuthenticateMultipleHeaders,
    }),
  )
  const authorization = new Authorization(domains, { rolesOfCredentials: zts.roleBasedAuthzSupport }, now)
  const roleAccess = new RoleAccess(domains, now)
  const issuers = await loadIssuers(config)
  const cloudProviders = openCloudProviders({ authorization, config, now, log })
  for (const provider of cloudProviders.values()) closers.keep(provider)
  const { close: closeCertificates, ...certificates } = await openCertificateParts({
    config,
    privateKeyStore,
    certificates: shown,
    log: logger,
    now,
  })
  closers.add(closeCertificates)
  const {
    close: closeInstances,
    recordChecks,
    ...instances
  } = await openInstanceParts({
    config,
    domains,
    authorization,
    roleAccess,
    signers,
    publishedKeys,
    privateKeyStore,
    requestRules: certificates.requestRules,
    maxExpiryMins: certificates.certificateIssuer.maxExpiryMins,
    registry,
    certificates: shown,
    logger,
    log,
    now,
    seat,
  })
  closers.add(closeInstances)
  const { certificateRecords } = instances
  if (!seat || seat.leads) {
    closers.add(
      await startNotifications({
        config,
        domains,
        certificateRecords,
        authorities,
        authorityContext,
        privateKeyStore,
        registry,
        logger,
        now,
        log,
      }),
    )
  }
  const deps: ZtsDependencies = {
    config,
    domains,
    authorization,
    roleAccess,
    providerSuffixes: new ProviderSuffixes(domains, roleAccess),
    signers,
    privateKeyStore,
    keyStore,
    publishedKeys,
    issuers,
    foreignIssuers: closers.keep(await loadForeignIssuers({ config, issuers, now, log })),
    roleAssumer: closers.keep(await openRoleAssumer(config)),
    cloudProviders,
    principalIssuers: await loadPrincipalIssuers(config),
    certificateBinding: new CertificateBinding(),
    authorizationDetails: await loadAuthorizationDetails(config),
    ...certificates,
    ...instances,
    userAuthority: userAuthorityOf(config, authorities),
    now,
    log,
  }
  // Of what the configuration says only what others can know counts as published.
  const published = (keyId: string) =>
    athenzConf.current.ztsPublicKeys.get(keyId) ?? domains.publicKey('sys.auth', 'zts', keyId.toLowerCase())
  return { deps, chain, sync, recordChecks, refreshSigners: () => signers.refresh(published) }
}

/** The authority that knows the users, when one is named. */
function userAuthorityOf({ zts }: ConfigOf['zts'], authorities: LoadedAuthorities) {
  const { userAuthorityClass: className } = zts
  return className === undefined ? undefined : authorities.named('athenz.zts.user_authority_class', className)
}
