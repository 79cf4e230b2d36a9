import type { AuditLog } from '#core/audit/audit-log.ts'
import { recordableCheck } from '#core/audit/recordable.ts'
import { AuthorityChain } from '#core/authority/chain.ts'
import { type LoadedAuthorities, loadAuthorities } from '#core/authority/load.ts'
import type { Principal } from '#core/authority/principal.ts'
import { ConfigError } from '#core/config/config-error.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { uriListIncludes } from '#core/config/uri-list.ts'
import { watchConfig } from '#core/config/watch-config.ts'
import { openCredentialsBox } from '#core/crypto/open-private-key-store.ts'
import { loadServerSigners } from '#core/crypto/server-signers.ts'
import { encodeYBase64 } from '#core/crypto/ybase64.ts'
import { messageOf } from '#core/error/message-of.ts'
import { ServiceError } from '#core/error/service-error.ts'
import { startAuthHistory } from '#core/history/start-auth-history.ts'
import { registerApiDocumentation } from '#core/http/api-documentation.ts'
import { Container } from '#core/http/container.ts'
import type { ReadinessCheck } from '#core/http/ops-server.ts'
import { registerEndpoints } from '#core/http/register.ts'
import type { Logger } from '#core/log/logger.ts'
import type { RunningServer } from '#core/main/run-server.ts'
import { openProcessAuditLog } from '#core/main/shared-records.ts'
import { registerPoolMetrics } from '#core/metrics/pool-metrics.ts'
import type { WorkerSeat } from '#core/workers/worker-seat.ts'
import { ZMS_API_ROOT, zmsEndpoints } from './api/index.ts'
import { startBackground } from './background.ts'
import { registerDomainMetrics } from './domain-metrics.ts'
import { zmsHandlers } from './handlers.ts'
import { openAuditReferenceValidator } from './open-audit-reference-validator.ts'
import { startPublishing } from './open-change-publishers.ts'
import { openDomainMetaStore } from './open-domain-meta-store.ts'
import { openNotifications } from './open-notifications.ts'
import { openProviderClient } from './open-provider-client.ts'
import { openSolutionTemplates } from './open-solution-templates.ts'
import { openStore, setupError } from './open-store.ts'
import { optionalFile } from './optional-file.ts'
import { requestCheck } from './request-check.ts'
import { openResourceSpellings, openResourceValidator } from './resource-plug-ins.ts'
import { type AuthHistory, authHistoryOf, noAuthHistory } from './service/auth-history.ts'
import { Authorization } from './service/authorization.ts'
import { AuthorizedServices } from './service/authorized-services.ts'
import type { ZmsDependencies } from './service/dependencies.ts'
import { externalMemberValidators } from './service/external-member-validators.ts'
import { prepareFirstStart, SYSTEM_SETUP } from './service/first-start.ts'
import { jobContext } from './service/job-context.ts'
import { MemberDateRules } from './service/member-dates.ts'
import { MemberDecisions } from './service/member-decisions.ts'
import { MemberRules } from './service/member-rules.ts'
import { OwnershipRules } from './service/ownership.ts'
import { principalDomainsOf } from './service/principal-domains.ts'
import type { ProviderClient } from './service/provider-client.ts'
import { QuotaRules } from './service/quota-rules.ts'
import { ServiceKeyStore } from './service/service-key-store.ts'
import { ServiceProviders } from './service/service-providers.ts'
import { signingKeyProblem } from './service/signing-key-registration.ts'
import { Writes } from './service/writes.ts'
import { auditLogOptions, authHistoryOptions, openZmsPrivateKeyStore } from './shared-parts.ts'
import type { Store } from './store/store.ts'
import { openSystemParts } from './system-parts.ts'

/** Answer to bodies that are no JSON or do not fit their type. */
const INVALID_OBJECT =
  'Invalid Object: checkout https://github.com/AthenZ/athenz/tree/master/core/zms/src/main/rdl for object definitions'

const SECONDS_PER_HOUR = 3600
/** What workers tell each other when they have changed data. */
const CHANGED = 'changed'

/**
 * Puts a ZMS together from its configuration and starts it; with a seat, one worker of it. Throws ConfigError or Error that
 * says what is wrong.
 */
export async function startZms(
  loaded: LoadedConfig<ConfigOf['zms']>,
  log: Logger,
  seat?: WorkerSeat,
): Promise<RunningServer> {
  const { config } = loaded
  const { rootDir } = config.zms
  const say = (level: 'info' | 'warn' | 'error', message: string) => log[level](message)
  const privateKeyStore = await openZmsPrivateKeyStore(loaded, log)
  const container = await Container.open({
    config,
    privateKeyStore,
    log,
    specialPorts: [config.container.statusPort],
    seat,
    vital: { paths: [`${ZMS_API_ROOT}/status`], port: config.container.statusPort },
  })
  const opened: (() => Promise<void> | void)[] = [() => privateKeyStore.close?.()]
  // The container first, so that requests in flight find everything they need.
  const closeAll = async () => {
    await container.close()
    for (const close of opened.splice(0).toReversed()) await close()
  }
  try {
    const signers = await loadServerSigners(privateKeyStore, 'zms', config.zms.hostname, config.zms.serverRegion)
    const store = await openStore({ config, privateKeyStore, log: say, seat })
    opened.push(() => store.close())
    registerPoolMetrics(container.registry, () => store.pools?.() ?? [])
    registerDomainMetrics(container.registry, store)
    const ownKeys = new Map(signers.all.map((signer) => [signer.keyId.toLowerCase(), signer.publicKey]))
    const credentialsBox = await openCredentialsBox('zms', config.zms, privateKeyStore)
    const keyStore = new ServiceKeyStore({
      store,
      ownKeys,
      ...(credentialsBox && { decryptCredentials: (creds: string) => credentialsBox.decrypt(creds) }),
    })
    const authorityContext = { property: loaded.properties.get, keyStore, now: Date.now, log: say }
    await container.sample({
      server: 'zms',
      className: config.zms.metricFactoryClass,
      metricName: config.zms.metricName,
      directory: rootDir,
    })
    const authorities = await loadAuthorities(
      {
        property: 'athenz.zms.authority_classes',
        classNames: config.zms.authorityClasses,
        directory: config.zms.rootDir,
      },
      authorityContext,
    )
    const chain = new AuthorityChain(authorities.list, {
      multipleChallengeHeaders: config.container.httpWwwAuthenticateMultipleHeaders,
    })
    opened.push(() => chain.close())
    const publicKeys = new Map(
      signers.all.map((signer) => [signer.keyId.toLowerCase(), encodeYBase64(signer.publicKeyPem)]),
    )
    const providerClient = await openProviderClient(config, privateKeyStore, log, container.certificates)
    if (providerClient) opened.push(() => providerClient.close())
    const parts = { config, privateKeyStore, log }
    const audit = await openProcessAuditLog(auditLogOptions(parts), seat)
    opened.push(() => audit.close?.())
    const history = await startAuthHistory({
      ...authHistoryOptions(parts),
      seat,
      container,
      log: say,
    })
    if (history) opened.push(() => history.close())
    const deps = await dependencies(loaded, {
      store,
      authHistory: history && authHistoryOf(history.store, config.ts.authHistoryHours * SECONDS_PER_HOUR),
      authorities,
      providerClient,
      keyStore,
      credentialsBox,
      signer: signers.preferred(),
      onChangeElsewhere: (listener) => seat?.subscribe(CHANGED, listener),
      audit,
      log: say,
    })
    opened.push(await startPublishing({ config, privateKeyStore, log }, deps.writes))
    if (seat) deps.writes.onChange(() => seat.publish(CHANGED))
    const notifications = await openNotifications({
      config,
      deps,
      authorities,
      authorityContext,
      privateKeyStore,
      registry: container.registry,
      log,
    })
    opened.push(() => notifications?.close())
    const system = await openSystemParts(deps)
    opened.push(() => system.health.close())
    const registration = {
      invalidObjectMessage: INVALID_OBJECT,
      jsonLimits: {
        nestingDepth: config.zms.jsonMaxNestingDepth,
        numberLength: config.zms.jsonMaxNumberLength,
        stringLength: config.zms.jsonMaxStringLength,
      },
      authenticator: container.limited(chain),
      authorize: (principal: Principal, action: string, resource: string) => {
        const error = deps.authorization.check(principal, action, resource)
        return error instanceof Promise ? error.then((refusal) => refusal ?? true) : (error ?? true)
      },
      beforeHandler: requestCheck(config, deps.userAuthority),
      authenticationOptional: (path: string) => uriListIncludes(config.zms.noAuthUriList, path),
    }
    const api = { basePath: ZMS_API_ROOT, endpoints: zmsEndpoints }
    registerEndpoints(container.server, { ...registration, ...api, handlers: zmsHandlers(deps, system) })
    if (config.ts.apiDocs) registerApiDocumentation(container.server, { server: 'ZMS', ...api }, registration)
    opened.push(await firstStart(deps, publicKeys))
    await system.health.start()
    const watch = watchConfig(loaded, { reloadSeconds: config.sources.reloadConfigsSeconds, log: say })
    opened.push(() => watch.close())
    const reachable = async () => {
      if (!(await store.check())) throw new Error('the data cannot be reached')
      return store.remark?.()
    }
    const addresses = await container.listen(
      new Map<string, ReadinessCheck>([
        ['store', reachable],
        ['audit log', recordableCheck(audit)],
      ]),
    )
    if (!seat || seat.leads) opened.push(startBackground(deps, { notifications }))
    return { addresses, close: closeAll }
  } catch (error) {
    await closeAll()
    throw error
  }
}

/** The rules and services' common parts, made from the configuration. */
async function dependencies(
  { config }: LoadedConfig<ConfigOf['zms']>,
  parts: {
    store: Store
    authorities: LoadedAuthorities
    audit: AuditLog
    providerClient: ProviderClient | undefined
    authHistory: AuthHistory | undefined
  } & Pick<ZmsDependencies, 'signer' | 'onChangeElsewhere' | 'keyStore' | 'credentialsBox' | 'log'>,
): Promise<ZmsDependencies> {
  const { zms } = config
  const {
    store,
    authorities,
    audit,
    authHistory,
    providerClient,
    signer,
    keyStore,
    credentialsBox,
    log,
    onChangeElsewhere,
  } = parts
  const now = Date.now
  const named = (property: string, className: string | undefined) =>
    className === undefined ? undefined : authorities.named(property, className)
  const userAuthority = named('athenz.zms.user_authority_class', zms.userAuthorityClass)
  const resourceValidator = await openResourceValidator(config)
  const writes = new Writes({
    store,
    audit,
    serverName: zms.hostname,
    auditedKinds: zms.auditRefCheckObjects,
    auditReferences: await openAuditReferenceValidator(config),
    now,
  })
  const authorization = new Authorization(
    store,
    {
      userDomain: config.userDomain,
      homeDomain: config.homeDomain,
      virtualDomainSupport: zms.virtualDomainSupport,
    },
    now,
  )
  return {
    config,
    store,
    writes,
    authorization,
    ownership: new OwnershipRules({
      enforce: () => zms.enforceResourceOwnership.value,
      ignoreValue: zms.resourceOwnerIgnoreValue,
      forceSuffix: zms.resourceOwnerForceSuffix,
    }),
    authorizedServices: await readAuthorizedServices(zms.authzServiceFname, log),
    quotas: new QuotaRules(config),
    templates: await openSolutionTemplates(config, (message) => log('warn', message)),
    memberRules: new MemberRules({
      settings: {
        principals: principalDomainsOf(config),
        validateUsers: () => zms.validateUserMembers.value,
        validateServices: () => zms.validateServiceMembers.value,
        skipServiceDomains: zms.validateServiceMembersSkipDomains,
        filterDocumentationUrl: zms.userAuthorityFilterDocumentationUrl,
      },
      userAuthority,
      externalValidators: externalMemberValidators(config.externalMember.validEmailDomains),
      resourceValidator,
    }),
    memberDates: new MemberDateRules(
      {
        user: zms.defaultMaxUserExpiryDays,
        service: zms.defaultMaxServiceExpiryDays,
        group: zms.defaultMaxGroupExpiryDays,
      },
      userAuthority,
    ),
    memberDecisions: new MemberDecisions(),
    serviceProviders: new ServiceProviders({ config, store, authorization, client: providerClient, now }),
    authHistory: authHistory ?? noAuthHistory,
    domainMetaStore: await openDomainMetaStore(config),
    resourceValidator,
    resourceSpellings: await openResourceSpellings(config),
    keyStore,
    credentialsBox,
    userAuthority,
    principalAuthority: named('athenz.zms.principal_authority_class', zms.principalAuthorityClass),
    signer,
    onChangeElsewhere,
    now,
    log,
  }
}

/** Without a file no service may act for users; one that cannot be read as such stops the start. */
async function readAuthorizedServices(file: string, log: ZmsDependencies['log']): Promise<AuthorizedServices> {
  const text = await optionalFile(file, 'athenz.zms.authz_service_fname', (message) => log('warn', message))
  if (text === undefined) return AuthorizedServices.none()
  try {
    return AuthorizedServices.parse(text)
  } catch (cause) {
    throw new ConfigError([`athenz.zms.authz_service_fname: ${file}: ${messageOf(cause)}`])
  }
}

const RETRY_MILLIS = 2_000

/**
 * Makes the system domains when there are none. A store that cannot be reached is no reason not to start: it is tried
 * again until it answers, and until then the status says that there are no domains.
 */
async function firstStart(
  { config, store, writes, signer, log }: ZmsDependencies,
  publicKeys: ReadonlyMap<string, string>,
): Promise<() => void> {
  let timer: NodeJS.Timeout | undefined
  const context = jobContext(config, 'firststart')
  const recorded: Parameters<typeof prepareFirstStart>[0] = {
    domain: (name) => store.domain(name),
    transact: (domains, decide) =>
      writes.commit({ context, domains, entity: 'system', auditRef: SYSTEM_SETUP }, decide),
  }
  const attempt = async () => {
    const admins = () => administratorsOf(config)
    const make = () => prepareFirstStart(recorded, { names: config, admins, publicKeys })
    const made = await make().catch((error: unknown) => {
      // Another server that starts on the same new database was quicker: what it has made is there by now.
      if (error instanceof ServiceError && error.code === 'bad-request') return make()
      throw error
    })
    if (made) log('info', `first start: system domains made, administrators ${config.zms.domainAdmin.join(', ')}`)
    const problem = await signingKeyProblem(store, signer)
    if (problem !== undefined) log('warn', problem)
  }
  const later = () => {
    timer = setTimeout(() => {
      attempt().catch((error: unknown) => {
        if (error instanceof ServiceError && error.code === 'unavailable') later()
        else log('error', `first start: ${messageOf(error)}`)
      })
    }, RETRY_MILLIS)
    timer.unref()
  }
  try {
    await attempt()
  } catch (error) {
    const problem = setupError(error)
    if (problem) throw problem
    if (!(error instanceof ServiceError) || error.code !== 'unavailable') throw error
    log('warn', `the store cannot be reached yet, it is tried again: ${messageOf(error.cause ?? error)}`)
    later()
  }
  return () => clearTimeout(timer)
}

/** The first administrators; asked for only when there is no data. */
function administratorsOf({ zms, userDomain }: ConfigOf['zms']): readonly string[] {
  const property = 'athenz.zms.domain_admin'
  if (zms.domainAdmin.length === 0) {
    throw new ConfigError([
      `${property}: not set, and there is no data yet (name the first administrators: ${userDomain}.joe)`,
    ])
  }
  const wrong = zms.domainAdmin.filter((user) => !user.startsWith(`${userDomain}.`) || user === `${userDomain}.`)
  if (wrong.length > 0) {
    throw new ConfigError([`${property}: ${wrong.join(', ')} is no user (write ${userDomain}.NAME)`])
  }
  return zms.domainAdmin.map((user) => user.toLowerCase())
}
