import { recordableCheck } from '#core/audit/recordable.ts'
import type { Principal } from '#core/authority/principal.ts'
import type { LoadedConfig } from '#core/config/server-config.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { uriListIncludes } from '#core/config/uri-list.ts'
import { watchConfig } from '#core/config/watch-config.ts'
import { PRIVATE_KEY_PROPERTIES } from '#core/crypto/file-private-key-store.ts'
import { startAuthHistory } from '#core/history/start-auth-history.ts'
import { registerApiDocumentation } from '#core/http/api-documentation.ts'
import { Container } from '#core/http/container.ts'
import type { ReadinessCheck } from '#core/http/ops-server.ts'
import { readProgram } from '#core/http/program-info.ts'
import { registerEndpoints } from '#core/http/register.ts'
import { openStatusChecker } from '#core/http/server-status.ts'
import type { Logger } from '#core/log/logger.ts'
import { Closers } from '#core/main/closers.ts'
import type { RunningServer } from '#core/main/run-server.ts'
import { openProcessAuditLog } from '#core/main/shared-records.ts'
import type { WorkerSeat } from '#core/workers/worker-seat.ts'
import { ZTS_API_ROOT, ztsEndpoints } from './api/index.ts'
import { ztsHandlers } from './handlers.ts'
import { openDependencies } from './open-dependencies.ts'
import { requestCheck } from './request-check.ts'
import { withIssuanceAudit } from './service/issuance-audit.ts'
import type { SystemParts } from './service/system.ts'
import { auditLogOptions, authHistoryOptions, openZtsPrivateKeyStore } from './shared-parts.ts'

/** Answer to bodies that are no JSON or do not fit their type; spelled as clients know it. */
const INVALID_OBJECT =
  'Invalid Object: checkout https://github.com/AthenZ/athenz/tree/master/core/zts/src/main/rdl for object defintions'

/** Methods that are refused wherever they are asked for. */
const FORBIDDEN_METHODS = ['TRACE', 'OPTIONS']

/**
 * Puts a ZTS together from its configuration and starts it; with a seat, one worker of it. Throws ConfigError or Error that
 * says what is wrong.
 */
export async function startZts(
  loaded: LoadedConfig<ConfigOf['zts']>,
  log: Logger,
  seat?: WorkerSeat,
): Promise<RunningServer> {
  const { config } = loaded
  const { zts } = config
  const closers = new Closers()
  try {
    const privateKeyStore = await openZtsPrivateKeyStore(loaded, log)
    closers.add(async () => privateKeyStore.close?.())
    const specialPorts = [config.container.statusPort, config.container.oidcPort]
    const container = await Container.open({
      config,
      privateKeyStore,
      log,
      specialPorts,
      seat,
      vital: { paths: [`${ZTS_API_ROOT}/status`], port: config.container.statusPort },
    })
    const { deps, chain, sync, recordChecks, refreshSigners, close } = await openDependencies({
      loaded,
      privateKeyStore,
      registry: container.registry,
      certificates: container.certificates,
      log,
      seat,
    }).catch(async (error: unknown) => {
      await container.close()
      throw error
    })
    closers.add(close)
    container.certificates.watch('signer', async () => [
      await deps.certificateIssuer.caCertificate(undefined, undefined),
    ])
    await container.sample({
      server: 'zts',
      className: zts.metricFactoryClass,
      metricName: zts.metricName,
      directory: zts.rootDir,
    })
    const parts = { config, privateKeyStore, log }
    const audit = await openProcessAuditLog(auditLogOptions(parts), seat)
    closers.add(() => audit.close?.())
    const history = await startAuthHistory({ ...authHistoryOptions(parts), seat, container, log: deps.log })
    if (history) closers.add(() => history.close())
    // Closed before all else, so that requests in flight find everything they need.
    closers.keep(container)
    const handlers = withIssuanceAudit(ztsHandlers(deps, await systemParts(config)), {
      audit,
      serverName: zts.hostname,
      userDomain: config.userDomain,
      now: Date.now,
    })
    const registration = {
      forbiddenMethods: FORBIDDEN_METHODS,
      invalidObjectMessage: INVALID_OBJECT,
      jsonLimits: {
        nestingDepth: zts.jsonMaxNestingDepth,
        numberLength: zts.jsonMaxNumberLength,
        stringLength: zts.jsonMaxStringLength,
      },
      authenticator: container.limited(chain),
      authorize: (principal: Principal, action: string, resource: string) =>
        deps.authorization.check(principal, action, resource) ?? true,
      beforeHandler: requestCheck(config, deps.userAuthority),
      authenticationOptional: (path: string) => uriListIncludes(zts.noAuthUriList, path),
    }
    const api = { basePath: ZTS_API_ROOT, endpoints: ztsEndpoints }
    registerEndpoints(container.server, { ...registration, ...api, handlers })
    if (config.ts.apiDocs) registerApiDocumentation(container.server, { server: 'ZTS', ...api }, registration)
    closers.keep(
      watchConfig(loaded, {
        reloadSeconds: config.sources.reloadConfigsSeconds,
        followed: PRIVATE_KEY_PROPERTIES,
        afterReading: refreshSigners,
        log: deps.log,
      }),
    )
    const addresses = await container.listen(
      new Map<string, ReadinessCheck>([
        ['domains', () => sync.check()],
        ['audit log', recordableCheck(audit)],
        ...recordChecks,
      ]),
    )
    return { addresses, close: () => closers.close() }
  } catch (error) {
    await closers.close()
    throw error
  }
}

async function systemParts({ zts }: ConfigOf['zts']): Promise<SystemParts> {
  const property = 'athenz.zts.status_checker_factory_class'
  return {
    program: await readProgram('ZTS'),
    statusChecker: await openStatusChecker(property, zts.statusCheckerFactoryClass, zts.rootDir),
  }
}
