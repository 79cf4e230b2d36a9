import type { Registry } from 'prom-client'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { RecordKind } from '#core/database/database-settings.ts'
import { messageOf } from '#core/error/message-of.ts'
import type { ReadinessCheck } from '#core/http/ops-report.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import type { Logger } from '#core/log/logger.ts'
import { PeriodicJob } from '#core/main/periodic-job.ts'
import type { CertificateMetrics } from '#core/metrics/certificate-metrics.ts'
import { type PoolState, registerPoolMetrics } from '#core/metrics/pool-metrics.ts'
import type { WorkerSeat } from '#core/workers/worker-seat.ts'
import {
  type BuiltInProviderParts,
  builtInProviders,
  openProviderJudges,
  unsupportedProviders,
} from './built-in-providers.ts'
import { AuthorityTexts } from './cert/authority-texts.ts'
import { clientTlsOffer, openClientTls } from './cert/client-tls.ts'
import { InstanceProviders, type RemoteProviderFactory } from './cert/instance-providers.ts'
import { HttpsProviders } from './cert/providers/https-providers.ts'
import type { SshAuthorityTexts } from './cert/ssh/ssh-authority-texts.ts'
import type { SshSigner } from './cert/ssh-signer.ts'
import { openCertificateRecords, openSshRecords, openWorkloadRecords } from './open-records.ts'
import { loadOwnProviders } from './own-providers.ts'
import type { ZtsDependencies } from './service/dependencies.ts'
import type { CertificateRecords } from './store/certificate-records.ts'

/** What instances are registered with. */
export interface InstanceParts
  extends Pick<
    ZtsDependencies,
    'instanceProviders' | 'certificateRecords' | 'sshRecords' | 'sshSigner' | 'sshAuthorityTexts' | 'workloadRecords'
  > {
  /** What tells whether the stores of records can be used, by name. */
  readonly recordChecks: ReadonlyMap<string, ReadinessCheck>
  readonly close: () => Promise<void>
}

/** Where the parts come from. */
export interface InstancePartsOptions extends BuiltInProviderParts {
  /** Where TLS sources write. */
  readonly logger: Logger
  /** Where metrics go. */
  readonly registry?: Registry | undefined
  /** Where certificates are shown, if anywhere. */
  readonly certificates?: Pick<CertificateMetrics, 'watchClient'>
  /** Of the signer of certificates. */
  readonly maxExpiryMins: number
  /** Place among the processes of the server, when it has several. */
  readonly seat?: WorkerSeat | undefined
}

/** Opens providers, records and the signer of SSH certificates. Throws a ConfigError or Error that says what cannot be used. */
export async function openInstanceParts(options: InstancePartsOptions): Promise<InstanceParts> {
  const { config, privateKeyStore, log } = options
  const opened: (() => Promise<void> | void | undefined)[] = []
  const closeAll = async () => {
    for (const close of opened.splice(0).toReversed()) await close()
  }
  const kept = <T extends { close?(): Promise<void> | void } | undefined>(part: T): T => {
    if (part !== undefined) opened.push(() => part.close?.())
    return part
  }
  try {
    const pools = new Map<RecordKind, () => PoolState>()
    const recordChecks = new Map<string, ReadinessCheck>()
    const { seat } = options
    const recordsOptions = { config, privateKeyStore, log, pools, checks: recordChecks, primary: seat?.primary }
    if (options.registry) {
      registerPoolMetrics(options.registry, () =>
        [...pools].map(([kind, state]) => [`${kind} records`, state()] as const),
      )
    }
    const certificateRecords = kept(await openCertificateRecords(recordsOptions))
    const sshRecords = kept(await openSshRecords(recordsOptions))
    const workloadRecords = kept(await openWorkloadRecords(recordsOptions))
    const sshSigner = kept(await openSshSigner(options))
    const sshAuthorityTexts = await readSshAuthorityTexts(config)
    const remote = await remoteProviders(options)
    opened.push(remote.close)
    const instanceProviders = kept(await openProviders(options, remote.open))
    if (!seat || seat.leads) opened.push(startCleaner(options, certificateRecords))
    return {
      instanceProviders,
      certificateRecords,
      sshRecords,
      workloadRecords,
      sshSigner,
      sshAuthorityTexts,
      recordChecks,
      close: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }
}

async function openProviders(options: InstancePartsOptions, remote: RemoteProviderFactory): Promise<InstanceProviders> {
  const { config, domains, log } = options
  const own = await loadOwnProviders(config, options)
  const judges = await openProviderJudges(config)
  return new InstanceProviders({
    domains,
    classes: new Map([...builtInProviders(options, judges), ...own]),
    unsupported: unsupportedProviders,
    remote,
    log,
  })
}

/** Without a certificate to show, or authorities to trust, no provider can be called; that is no reason not to start. */
async function remoteProviders({
  config,
  privateKeyStore,
  certificates,
  logger,
  log,
}: InstancePartsOptions): Promise<{ readonly open: RemoteProviderFactory; readonly close: () => void }> {
  const { zts } = config
  const open = async (what: string, opening: () => Promise<TlsSource | undefined>) => {
    try {
      const source = await opening()
      if (source) certificates?.watchClient(() => source.material)
      return source
    } catch (error) {
      log('warn', `${what} cannot be used toward providers: ${messageOf(error)}`)
      return undefined
    }
  }
  const tls = await open('the certificate of this server', () => openClientTls(config, privateKeyStore, logger))
  const clientTls = await open('the client certificate', () => openProviderClientTls(config, privateKeyStore, logger))
  const providers = new HttpsProviders({
    tls,
    clientTls,
    offer: clientTlsOffer(config),
    hostSuffixes: zts.providerEndpoints,
    connectTimeoutMillis: zts.providerClientConnectTimeoutMillis,
    readTimeoutMillis: zts.providerClientReadTimeoutMillis,
  })
  return {
    open: (provider, endpoint) => providers.open(provider, endpoint),
    close() {
      tls?.close()
      clientTls?.close()
    },
  }
}

async function openProviderClientTls(
  { zts }: ConfigOf['zts'],
  privateKeyStore: PrivateKeyStore,
  log: Logger,
): Promise<TlsSource | undefined> {
  const { providerSslClientPrivateKeyPath: key, providerSslClientPublicCertPath: certificate } = zts
  const trust = zts.providerSslClientTrustStore
  if (key === undefined || certificate === undefined || trust === undefined) return undefined
  const name = zts.providerSslClientTrustStorePassword
  const password =
    name === undefined
      ? undefined
      : await privateKeyStore.applicationSecret(
          zts.providerSslClientTrustStorePasswordAppname,
          zts.providerSslClientTrustStorePasswordKeygroupname,
          name,
        )
  const files = {
    key: { file: key },
    certificate: { file: certificate },
    trust: { file: trust, ...(password !== undefined && { password }) },
  }
  return TlsSource.open(files, { log })
}

/** A plug-in, or the built-in signer when it has a key; undefined when there is neither. */
async function openSshSigner({ config, now }: InstancePartsOptions): Promise<SshSigner | undefined> {
  const { zts } = config
  const specifier = zts.sshSignerFactoryClass
  if (specifier !== undefined) {
    const point: PlugInPoint<SshSigner, []> = {
      property: 'athenz.zts.ssh_signer_factory_class',
      what: 'signer of SSH certificates',
      builtIn: new Map(),
      problemsOf: missingMethods('sign', 'signerKey'),
      directory: zts.rootDir,
    }
    return loadPlugIn(specifier, point)
  }
  const passphrase = zts.sshCaKeyPassword
  const fileOf = (property: string, file: string | undefined, expiryMinutes: number) =>
    file === undefined ? undefined : { property: `athenz.ts.${property}`, file, passphrase, expiryMinutes }
  const host = fileOf('ssh_host_ca_key_file', zts.sshHostCaKeyFile, zts.sshHostCertExpiryMinutes)
  const user = fileOf('ssh_user_ca_key_file', zts.sshUserCaKeyFile, zts.sshUserCertExpiryMinutes)
  if (host === undefined && user === undefined) return undefined
  const { KeyFileSshSigner } = await import('./cert/ssh/key-file-ssh-signer.ts')
  return KeyFileSshSigner.open({ ...(host && { host }), ...(user && { user }) }, now)
}

async function readSshAuthorityTexts({ zts }: ConfigOf['zts']): Promise<SshAuthorityTexts> {
  const read = (kind: 'host' | 'user', all: string | undefined, byKeyId: readonly string[]) =>
    AuthorityTexts.read({
      properties: {
        all: `athenz.zts.ssh_${kind}_ca_cert_fname`,
        byKeyId: `athenz.zts.ssh_${kind}_ca_cert_keyid_fname`,
      },
      all,
      byKeyId,
      rootDirectory: zts.rootDir,
    })
  return {
    host: await read('host', zts.sshHostCaCertFname, zts.sshHostCaCertKeyidFname),
    user: await read('user', zts.sshUserCaCertFname, zts.sshUserCaCertKeyidFname),
  }
}

const MINUTE_MILLIS = 60_000
const UNIT_MILLIS = { minute: MINUTE_MILLIS, hour: 60 * MINUTE_MILLIS, day: 24 * 60 * MINUTE_MILLIS } as const

/** Removes, now and then, records of certificates that must have ended. */
function startCleaner(
  { config, now, maxExpiryMins, log }: InstancePartsOptions,
  records: CertificateRecords,
): () => Promise<void> {
  const { zts } = config
  const intervalMillis = zts.certRecordCleanerDuration * UNIT_MILLIS[zts.certRecordCleanerTimeunit]
  if (intervalMillis === 0) return async () => {}
  const work = async () => {
    if (zts.readOnlyMode.value) return
    const removed = await records.deleteExpired(now() - maxExpiryMins * MINUTE_MILLIS, zts.certRecordCleanerLimit)
    if (removed > 0) log('info', `${removed} records of certificates that have ended are removed`)
  }
  const job = PeriodicJob.start({ name: 'the removal of old certificate records', work, intervalMillis, log })
  return () => job.stop()
}
