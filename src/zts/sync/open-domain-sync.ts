import { join } from 'node:path'
import type { Registry } from 'prom-client'
import type { AthenzConfFile } from '#core/config/athenz-conf.ts'
import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Signer } from '#core/crypto/signing.ts'
import type { CertificateMetrics } from '#core/metrics/certificate-metrics.ts'
import { type FileSystem, nodeFileSystem } from '#core/seam/file-system.ts'
import { ServiceToken } from '#core/token/service-token.ts'
import type { ChangeLogStore } from './change-log-store.ts'
import { DomainFiles } from './domain-files.ts'
import { DomainSync } from './domain-sync.ts'
import { DomainVerifier } from './domain-verifier.ts'
import { registerSyncMetrics } from './sync-metrics.ts'
import { ZmsChangeLogStore } from './zms-change-log-store.ts'
import { ZmsClient } from './zms-client.ts'
import { ZmsConnections, zmsTlsFiles } from './zms-connections.ts'

/** What the server gives its synchronization. */
export interface DomainSyncOptions {
  readonly config: ConfigOf['zts']
  /** Text of a property, for the header of principal tokens. */
  readonly property: (key: string) => string | undefined
  readonly athenzConf: AthenzConfFile
  readonly signers: { readonly plugIns: Signer }
  readonly privateKeyStore: PrivateKeyStore
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Epoch milliseconds. */
  readonly now: () => number
  /** Whether this process writes the local copy; otherwise another one of the server does, and it is only read. */
  readonly savesCopy?: boolean
  /** Where its metrics go, if anywhere. */
  readonly registry?: Registry
  /** Where its certificates are shown, if anywhere. */
  readonly certificates?: Pick<CertificateMetrics, 'watchClient'>
  /** For tests. */
  readonly fileSystem?: FileSystem
}

/** Life of principal tokens for ZMS, the one that the original uses. */
const TOKEN_LIFE_SECONDS = 86_400

/** Class names of the original for the domains of ZMS; the one with TLS is chosen by its settings here. */
const ZMS_CLASSES: readonly string[] = [
  'com.yahoo.athenz.common.server.store.impl.ZMSFileChangeLogStoreFactory',
  'com.yahoo.athenz.common.server.store.impl.ZMSFileMTLSChangeLogStoreFactory',
]

const PRINCIPAL_HEADER_PROPERTY = 'athenz.auth.principal.header'

/**
 * Opens the source of the domains that the settings name, loads the domains and keeps them up to date. Throws ConfigError
 * or Error that says what stands against the start.
 */
export async function openDomainSync(options: DomainSyncOptions): Promise<DomainSync> {
  const { config, athenzConf, log, now, registry, savesCopy = true, fileSystem = nodeFileSystem } = options
  const { zts } = config
  const folder = join(zts.changeLogStoreDir, zts.dataStoreSubdir)
  const files = await (savesCopy ? DomainFiles.open(folder, fileSystem) : DomainFiles.openToRead(folder, fileSystem))
  const sync = await DomainSync.open({
    source: await openChangeLogStore(options),
    files,
    verifier: new DomainVerifier({ keys: athenzConf, webSignaturesOnly: zts.zmsDomainJwsSupport }),
    intervals: {
      updateMillis: Math.max(1, zts.zmsDomainUpdateTimeoutSeconds) * 1000,
      deleteMillis: zts.zmsDomainDeleteTimeoutSeconds * 1000,
      checkMillis: Math.max(1, zts.zmsDomainCheckTimeoutSeconds) * 1000,
      refetchMillis: zts.zmsDomainFetchTimeoutSeconds * 1000,
      refetchCount: zts.zmsDomainFetchCount,
    },
    log,
    now,
  })
  if (registry) registerSyncMetrics(registry, sync)
  return sync
}

function openChangeLogStore(options: DomainSyncOptions): Promise<ChangeLogStore> {
  const { zts } = options.config
  const open = () => openZms(options)
  const point: PlugInPoint<ChangeLogStore, [DomainSyncOptions]> = {
    property: 'athenz.zts.change_log_store_factory_class',
    what: 'change-log store',
    builtIn: new Map(ZMS_CLASSES.map((name) => [name, open])),
    problemsOf: missingMethods('changes', 'domain'),
    directory: zts.rootDir,
  }
  return loadPlugIn(zts.changeLogStoreFactoryClass, point, options)
}

async function openZms(options: DomainSyncOptions): Promise<ChangeLogStore> {
  const { config, property, athenzConf, signers, privateKeyStore, log, now } = options
  const url = config.zts.zmsUrl ?? athenzConf.current.zmsUrl
  if (url === undefined) {
    throw new ConfigError([
      `athenz.zts.zms_url: not set, and ${athenzConf.current.file} has no zmsUrl (write https://host:4443/)`,
    ])
  }
  if (!url.toLowerCase().startsWith('https:')) log('warn', `ZMS is asked without encryption, at ${url}`)
  const files = await zmsTlsFiles(config, privateKeyStore)
  const connections = await ZmsConnections.open({ files, log })
  options.certificates?.watchClient(() => connections.material)
  const token = new ServiceToken({
    domain: 'sys.auth',
    name: 'zts',
    host: config.zts.hostname,
    signer: () => signers.plugIns,
    lifeSeconds: TOKEN_LIFE_SECONDS,
    now,
  })
  const header = (property(PRINCIPAL_HEADER_PROPERTY) ?? 'Athenz-Principal-Auth').toLowerCase()
  const client = new ZmsClient({
    url,
    dispatcher: () => connections.dispatcher(),
    // A client certificate says who asks.
    credentials: async () => (files.identity ? {} : { [header]: await token.current() }),
    onUnauthorized: () => token.renew(),
  })
  return new ZmsChangeLogStore({
    client,
    webSignatures: config.zts.zmsDomainJwsSupport,
    close: () => connections.close(),
  })
}
