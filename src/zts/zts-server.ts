import { AuthorityChain } from '#core/authority/chain.ts'
import { type LoadedAuthorities, loadAuthorities } from '#core/authority/load.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { uriListIncludes } from '#core/config/uri-list.ts'
import { watchConfig } from '#core/config/watch-config.ts'
import { openCredentialsBox, openPrivateKeyStore } from '#core/crypto/open-private-key-store.ts'
import { loadServerSigners } from '#core/crypto/server-signers.ts'
import { Container } from '#core/http/container.ts'
import { readProgram } from '#core/http/program-info.ts'
import { registerEndpoints } from '#core/http/register.ts'
import { openStatusChecker } from '#core/http/server-status.ts'
import type { Logger } from '#core/log/logger.ts'
import type { RunningServer } from '#core/main/run-server.ts'
import { ZTS_API_ROOT, ztsEndpoints } from './api/index.ts'
import { ProviderSuffixes } from './cert/provider-suffixes.ts'
import { ztsHandlers } from './handlers.ts'
import { openCertificateParts } from './open-certificate-parts.ts'
import { openInstanceParts } from './open-instance-parts.ts'
import { requestCheck } from './request-check.ts'
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
import { RoleAccess } from './service/role-access.ts'
import { ServiceKeyStore } from './service/service-key-store.ts'
import { tokenSigners } from './service/token-signers.ts'
import { AthenzConfFile } from './sync/athenz-conf.ts'
import { openDomainSync } from './sync/open-domain-sync.ts'

/** Answer to bodies that are no JSON or do not fit their type; spelled as clients know it. */
const INVALID_OBJECT =
  'Invalid Object: checkout https://github.com/AthenZ/athenz/tree/master/core/zts/src/main/rdl for object defintions'

/** Methods that are refused wherever they are asked for. */
const FORBIDDEN_METHODS = ['TRACE', 'OPTIONS']

/** Puts a ZTS together from its configuration and starts it. Throws ConfigError or Error that says what is wrong. */
export async function startZts(loaded: LoadedConfig<ConfigOf['zts']>, log: Logger): Promise<RunningServer> {
  const { config } = loaded
  const { zts } = config
  const privateKeyStore = await openPrivateKeyStore(loaded, {
    property: 'athenz.zts.private_key_store_factory_class',
    className: zts.privateKeyStoreFactoryClass,
    rootDir: zts.rootDir,
  })
  const specialPorts = [config.container.statusPort, config.container.oidcPort]
  const container = await Container.open({ config, privateKeyStore, log, specialPorts })
  const opened: (() => Promise<void> | void)[] = []
  // The container first, so that requests in flight find everything they need.
  const closeAll = async () => {
    await container.close()
    for (const close of opened.splice(0).toReversed()) await close()
  }
  try {
    const say = (level: 'info' | 'warn' | 'error', message: string) => log[level](message)
    const now = Date.now
    const signers = tokenSigners(
      await loadServerSigners(privateKeyStore, 'zts', zts.hostname, zts.serverRegion),
      config,
    )
    const athenzConf = await AthenzConfFile.open(config.athenzConf, { log: say })
    opened.push(() => athenzConf.close())
    const sync = await openDomainSync({
      config,
      property: loaded.properties.get,
      athenzConf,
      signers,
      privateKeyStore,
      log: say,
      now,
      registry: container.registry,
    })
    opened.push(() => sync.close())
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
    const authorities = await loadAuthorities(
      {
        property: 'athenz.zts.authority_classes',
        classNames: zts.authorityClasses,
        directory: zts.rootDir,
      },
      { property: loaded.properties.get, keyStore, now, log: say },
    )
    const chain = new AuthorityChain(authorities.list, {
      multipleChallengeHeaders: config.container.httpWwwAuthenticateMultipleHeaders,
    })
    opened.push(() => chain.close())
    const issuers = await loadIssuers(config)
    const foreignIssuers = await loadForeignIssuers({ config, issuers, now, log: say })
    opened.push(() => foreignIssuers.close())
    const roleAssumer = await openRoleAssumer(config)
    opened.push(() => roleAssumer?.close())
    const authorization = new Authorization(domains, { rolesOfCredentials: zts.roleBasedAuthzSupport }, now)
    const cloudProviders = openCloudProviders({ authorization, config, now, log: say })
    for (const provider of cloudProviders.values()) opened.push(() => provider.close())
    const certificateParts = await openCertificateParts({ config, privateKeyStore, log, now })
    opened.push(() => certificateParts.close())
    const roleAccess = new RoleAccess(domains, now)
    const instanceParts = await openInstanceParts({
      config,
      domains,
      roleAccess,
      signers,
      publishedKeys,
      privateKeyStore,
      requestRules: certificateParts.requestRules,
      maxExpiryMins: certificateParts.certificateIssuer.maxExpiryMins,
      logger: log,
      log: say,
      now,
    })
    opened.push(() => instanceParts.close())
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
      foreignIssuers,
      roleAssumer,
      cloudProviders,
      principalIssuers: await loadPrincipalIssuers(config),
      certificateBinding: new CertificateBinding(),
      authorizationDetails: await loadAuthorizationDetails(config),
      certificateIssuer: certificateParts.certificateIssuer,
      requestRules: certificateParts.requestRules,
      caBundles: certificateParts.caBundles,
      allowedAddresses: certificateParts.allowedAddresses,
      instanceProviders: instanceParts.instanceProviders,
      certificateRecords: instanceParts.certificateRecords,
      sshRecords: instanceParts.sshRecords,
      sshSigner: instanceParts.sshSigner,
      sshAuthorityTexts: instanceParts.sshAuthorityTexts,
      workloadRecords: instanceParts.workloadRecords,
      userAuthority: userAuthorityOf(config, authorities),
      now,
      log: say,
    }
    const system = {
      program: await readProgram('ZTS'),
      statusChecker: await openStatusChecker(
        'athenz.zts.status_checker_factory_class',
        zts.statusCheckerFactoryClass,
        zts.rootDir,
      ),
    }
    const handlers = ztsHandlers(deps, system)
    const endpoints = Object.fromEntries(Object.entries(ztsEndpoints).filter(([name]) => name in handlers))
    registerEndpoints(container.server, {
      basePath: ZTS_API_ROOT,
      endpoints,
      handlers: handlers as never,
      forbiddenMethods: FORBIDDEN_METHODS,
      invalidObjectMessage: INVALID_OBJECT,
      jsonLimits: {
        nestingDepth: zts.jsonMaxNestingDepth,
        numberLength: zts.jsonMaxNumberLength,
        stringLength: zts.jsonMaxStringLength,
      },
      authenticator: chain,
      authorize: (principal, action, resource) => deps.authorization.check(principal, action, resource) ?? true,
      beforeHandler: requestCheck(config, deps.userAuthority),
      authenticationOptional: (path) => uriListIncludes(zts.noAuthUriList, path),
    })
    const watch = watchConfig(loaded, { reloadSeconds: config.sources.reloadConfigsSeconds, log: say })
    opened.push(() => watch.close())
    const addresses = await container.listen(new Map([['domains', async () => sync.check()]]))
    return { addresses, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** The authority that knows the users, when one is named. */
function userAuthorityOf({ zts }: ConfigOf['zts'], authorities: LoadedAuthorities) {
  const { userAuthorityClass: className } = zts
  return className === undefined ? undefined : authorities.named('athenz.zts.user_authority_class', className)
}
