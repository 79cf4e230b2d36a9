import { access, constants, readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { ConfigError } from '../config/config-error.ts'
import type { ContainerConfig as ServerContainerConfig } from '../config/server-tables.ts'
import type { PrivateKeyStore } from '../crypto/private-key-store.ts'
import { messageOf } from '../error/message-of.ts'
import type { Logger } from '../log/logger.ts'
import { seldom } from '../log/seldom.ts'
import { CertificateMetrics } from '../metrics/certificate-metrics.ts'
import type { WorkerSeat } from '../workers/worker-seat.ts'
import { AccessLog } from './access-log.ts'
import { healthCheckFilter } from './health-check.ts'
import type { PortOptions } from './listener.ts'
import { type MetricReceiver, type MetricReceiverOptions, openMetricReceiver, sampling } from './metric-receiver.ts'
import { type OpenedLoadShedding, openLoadShedding } from './open-load-shedding.ts'
import { type OpenedRateLimits, openRateLimits } from './open-rate-limits.ts'
import { ProcessReport, type ReadinessCheck } from './ops-report.ts'
import { OpsServer } from './ops-server.ts'
import type { Authenticator } from './pipeline.ts'
import { type PortRule, readPortRules } from './port-rules.ts'
import type { ExchangeObserver } from './reply-writer.ts'
import { processRegistry, RequestMetrics } from './request-metrics.ts'
import { noRequestsInFlight, type RequestsInFlight } from './requests-in-flight.ts'
import type { PortTls } from './secure-server.ts'
import { HttpServer, type RequestFilter } from './server.ts'
import type { StoreFile, TlsFiles } from './tls-material.ts'
import { tlsOffer } from './tls-offer.ts'
import { TlsSource } from './tls-source.ts'

/** What a container is opened with. */
export interface ContainerOptions {
  readonly config: ServerContainerConfig
  /** Keeps the passwords of key store and trust store. */
  readonly privateKeyStore: PrivateKeyStore
  readonly log: Logger
  /** Ports for operations of one kind, besides those for all; the server says which operations they are. */
  readonly specialPorts: readonly number[]
  /** Place among the processes of the server, when it has several. */
  readonly seat?: WorkerSeat | undefined
  /** What is served under any load, because who asks wants to know whether the server is there. */
  readonly vital?: { readonly paths: readonly string[]; readonly port?: number }
}

/** Ports, TLS, logs and metrics of a server, as the container properties say; the operations come from the server. */
export class Container {
  readonly server: HttpServer
  readonly registry: Registry
  /** Shows how long certificates are still good; other parts add theirs. */
  readonly certificates: CertificateMetrics
  readonly #options: ContainerOptions
  readonly #tls: TlsSource | undefined
  readonly #accessLog: AccessLog
  readonly #rates: OpenedRateLimits
  readonly #load: OpenedLoadShedding
  /** Told of every exchange; the server has this very list. */
  readonly #observers: ExchangeObserver[]
  readonly #receivers: MetricReceiver[] = []
  #ops: OpsServer | undefined

  /** Reads the TLS files and opens the access log. Throws ConfigError or Error that names what cannot be used. */
  static async open(options: ContainerOptions): Promise<Container> {
    const { container, ts } = options.config
    // What nobody can read is not measured: watching the garbage collector takes half a microsecond of every request.
    const isMeasured = ts.opsPort > 0
    const rules = await portRulesOf(container.portUriConfig)
    const tls = container.tlsPort > 0 || rules ? await openTls(options) : undefined
    try {
      const registry = isMeasured ? processRegistry() : new Registry()
      const rates = await openRateLimits({ ...options, registry })
      const accessLog = await AccessLog.open({
        folder: container.accessLogDir,
        name: container.accessLogName,
        retainDays: container.accessLogRetainDays,
        logForwardedAddress: container.logForwardedForAddr,
        log: options.log,
      })
      const inFlight = noRequestsInFlight()
      const vitalPaths = new Set([...(options.vital?.paths ?? []), ...container.healthCheckUriList])
      const load = openLoadShedding({ ...options, vitalPaths, inFlight, registry })
      const ports = portsOf(options, tls, rules)
      return new Container(options, { ports, tls, accessLog, registry, rates, inFlight, load })
    } catch (error) {
      tls?.close()
      throw error
    }
  }

  private constructor(options: ContainerOptions, parts: ContainerParts) {
    const { ports, tls, accessLog, registry, rates, inFlight, load } = parts
    const { container, ts } = options.config
    this.#options = options
    this.#tls = tls
    this.#accessLog = accessLog
    this.#rates = rates
    this.#load = load
    this.registry = registry
    this.certificates = new CertificateMetrics(registry, { now: Date.now, log: (message) => options.log.warn(message) })
    if (tls) {
      this.certificates.watch('server', () => [tls.material.cert])
      this.certificates.watch('trust', () => tls.material.ca ?? [])
    }
    this.#observers = [accessLog.observe]
    if (ts.opsPort > 0) this.#observers.push(new RequestMetrics(registry).observe)
    this.server = new HttpServer({
      ports,
      log: options.log,
      limits: {
        headerBytes: container.httpRequestHeaderSize,
        bodyBytes: ts.requestBodyMaxBytes,
        idleTimeoutMillis: container.httpIdleTimeoutMillis,
        idleLingerMillis: IDLE_LINGER_MILLIS,
      },
      responseHeaders: {
        ...container.responseHeadersJson,
        ...(container.sendHostHeader && { host: container.hostname }),
        ...(container.httpSendServerVersion && { server: 'athenz' }),
      },
      inFlight,
      admitsConnection: (address, { port }) =>
        rates.limits.admitsConnection(address) &&
        // The port for health checks is not for anything else.
        (isVitalPort(port, options) || load.shedder.admitsConnection(address)),
      filters: [...filtersOf(container), ...rates.filters, load.shedder.filter],
      observers: this.#observers,
      ...(ts.slowRequestMillis > 0 && { slowRequestMillis: ts.slowRequestMillis }),
      ...(container.gzipSupport && { gzipMinBytes: container.gzipMinSize }),
      sendDate: container.httpSendDateHeader,
      keepAlive: container.keepAlive,
      shutdownTimeoutMillis: container.gracefulShutdownTimeoutMillis,
    })
  }

  /** Limits the rates of those whom an authenticator knows, and notes who has bad credentials. */
  limited(authenticator: Authenticator): Authenticator {
    return this.#rates.limits.authenticator(authenticator)
  }

  /** Tells somebody else, too, of every exchange with its answer. */
  observe(observer: ExchangeObserver): void {
    this.#observers.push(observer)
  }

  /** Tells the receiver of metrics, if one is selected, of every exchange. Throws ConfigError when it cannot be had. */
  async sample(options: Omit<MetricReceiverOptions, 'hasOpsPort'> & { readonly metricName: string }): Promise<void> {
    const { config, log } = this.#options
    const receiver = await openMetricReceiver({ ...options, hasOpsPort: config.ts.opsPort > 0 })
    if (receiver === undefined) return
    const failed = seldom((error: unknown) => log.error({ err: error }, 'the receiver of metrics failed'))
    this.observe(sampling(receiver, options.metricName, failed))
    this.#receivers.push(receiver)
  }

  /**
   * Opens all ports, the operations port too unless another process has it; gives the addresses of the API ports in the
   * order TLS, plain, special, or in that of the file with rules of ports.
   */
  async listen(checks: ReadonlyMap<string, ReadinessCheck>): Promise<AddressInfo[]> {
    const { config, log, seat } = this.#options
    this.#load.start()
    const addresses = await this.server.listen()
    if (config.ts.opsPort > 0) {
      const report = new ProcessReport({
        registry: this.registry,
        checks: this.#withOwnCheck(checks),
        stopping: this.server.stopping,
      })
      if (seat) {
        seat.report(report)
      } else {
        this.#ops = new OpsServer({ port: config.ts.opsPort, host: config.ts.opsHost, report, log })
        await this.#ops.listen()
      }
    }
    return addresses
  }

  /** What is read once serves for as long as the certificate is good; but who has replaced it has to learn that it was in vain. */
  #withOwnCheck(checks: ReadonlyMap<string, ReadinessCheck>): ReadonlyMap<string, ReadinessCheck> {
    const tls = this.#tls
    if (tls === undefined) return checks
    const check = () => tls.problem && `${tls.problem}; those that were read before stay in use`
    return new Map([...checks, ['certificates', check]])
  }

  /** Stops gracefully, then closes what was opened. */
  async close(): Promise<void> {
    await this.server.close()
    this.#load.close()
    await this.#ops?.close()
    this.#tls?.close()
    await this.#accessLog.close()
    await this.#rates.close()
    for (const receiver of this.#receivers) await receiver.close?.()
  }
}

/** What a container opens for itself. */
interface ContainerParts {
  readonly ports: readonly PortOptions[]
  readonly tls: TlsSource | undefined
  readonly accessLog: AccessLog
  readonly registry: Registry
  readonly rates: OpenedRateLimits
  readonly inFlight: RequestsInFlight
  readonly load: OpenedLoadShedding
}

/** More than a request takes from anywhere on earth. */
const IDLE_LINGER_MILLIS = 250

type ContainerConfig = ContainerOptions['config']['container']

const filtersOf = ({
  healthCheckUriList,
  healthCheckPath,
  healthCheckStatusOkBody,
}: ContainerConfig): RequestFilter[] =>
  healthCheckUriList.size === 0
    ? []
    : [healthCheckFilter({ paths: healthCheckUriList, folder: healthCheckPath, sendOk: healthCheckStatusOkBody })]

/** Rules of ports, when a file has them: its ports stand instead of those of the properties. */
async function portRulesOf(file: string | undefined): Promise<readonly PortRule[] | undefined> {
  if (file === undefined) return undefined
  try {
    const rules = readPortRules(await readFile(file, 'utf8'))
    return rules.length > 0 ? rules : undefined
  } catch (cause) {
    throw new ConfigError([`athenz.port_uri_config: ${file}: ${messageOf(cause)}`])
  }
}

function portsOf(
  { config, specialPorts, seat }: ContainerOptions,
  source: TlsSource | undefined,
  rules: readonly PortRule[] | undefined,
): PortOptions[] {
  const { container } = config
  const shared = {
    ...(container.listenHost !== undefined && { host: container.listenHost }),
    proxyProtocol: container.proxyProtocol,
  }
  const tls = source && { ...tlsOf(config, source), ...(seat && { ticketSecret: seat.ticketSecret }) }
  if (tls && rules) {
    return rules.map(({ port, serves, ...demands }) => ({
      ...shared,
      port,
      ...(serves && { serves }),
      tls: { ...tls, ...demands },
    }))
  }
  const ports: PortOptions[] = []
  if (tls && container.tlsPort > 0) ports.push({ ...shared, port: container.tlsPort, tls })
  if (container.port > 0) ports.push({ ...shared, port: container.port })
  for (const port of new Set(specialPorts)) {
    if (isSpecialPort(port, container)) ports.push({ ...shared, port, ...(tls && { tls }) })
  }
  return ports
}

/** Whether a port is on and is not one of the ports for all operations. */
export const isSpecialPort = (port: number, { tlsPort, port: plainPort }: Pick<ContainerConfig, 'tlsPort' | 'port'>) =>
  port > 0 && port !== tlsPort && port !== plainPort

const isVitalPort = (port: number, { vital, config }: ContainerOptions): boolean =>
  port === vital?.port && isSpecialPort(port, config.container)

function tlsOf({ container, ts }: ContainerOptions['config'], source: TlsSource): PortTls {
  const { sslIncludedCipherSuites: included, sslExcludedCipherSuites: excluded } = container
  return {
    source,
    clientCertificateNeeded: container.sslNeedClientAuth,
    sniRequired: container.sslSniRequired,
    sniHostCheck: container.sslSniHostcheck,
    logFailures: container.sslLogFailures,
    sessionTimeoutSeconds: ts.tlsSessionTimeoutSeconds,
    ...tlsOffer({ included, excluded }, container.sslExcludedProtocols),
  }
}

const MILLIS_PER_SECOND = 1000
const DEFAULT_RELOAD_SECONDS = 10

async function openTls(options: ContainerOptions): Promise<TlsSource> {
  const { container } = options.config
  const seconds = container.sslKeyStoreReloadSeconds || DEFAULT_RELOAD_SECONDS
  const files = await tlsFiles(options)
  await requireReadable(files, options)
  return TlsSource.open(files, { log: options.log, intervalMillis: seconds * MILLIS_PER_SECOND })
}

/** Refuses files that cannot be read, by the names of the properties that point at them. */
async function requireReadable({ key, certificate, trust }: TlsFiles, { config }: ContainerOptions): Promise<void> {
  const { ts } = config
  const pem = ts.tlsKeyFile !== undefined
  const named: [string, StoreFile | undefined][] = [
    [pem ? 'athenz.ts.tls_key_file' : 'athenz.ssl_key_store', key],
    ['athenz.ts.tls_cert_file', certificate],
    [ts.tlsCaFile === undefined ? 'athenz.ssl_trust_store' : 'athenz.ts.tls_ca_file', trust],
  ]
  const problems: string[] = []
  for (const [property, source] of named) {
    if (source === undefined) continue
    try {
      await access(source.file, constants.R_OK)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const advice = source === key && !pem ? ` (${MAKE_KEY_STORE})` : ''
      problems.push(`${property}: ${source.file} cannot be read: ${code}${advice}`)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
}

const MAKE_KEY_STORE = 'openssl pkcs12 -export -out KEYSTORE.pkcs12 -in CERT.pem -inkey KEY.pem makes a key store'

async function tlsFiles(options: ContainerOptions): Promise<TlsFiles> {
  const { container, ts } = options.config
  const trust = await trustFile(options)
  if (ts.tlsCertFile !== undefined || ts.tlsKeyFile !== undefined) {
    if (ts.tlsCertFile === undefined || ts.tlsKeyFile === undefined) {
      throw new ConfigError([
        'athenz.ts.tls_cert_file and athenz.ts.tls_key_file belong together: set both, or none and athenz.ssl_key_store',
      ])
    }
    return { key: { file: ts.tlsKeyFile }, certificate: { file: ts.tlsCertFile }, ...(trust && { trust }) }
  }
  if (container.sslKeyStore === undefined) {
    throw new ConfigError([
      'no TLS certificate: set athenz.ssl_key_store (PKCS#12), or athenz.ts.tls_cert_file and athenz.ts.tls_key_file' +
        ` (PEM); ${MAKE_KEY_STORE}`,
    ])
  }
  const key: StoreFile = {
    file: container.sslKeyStore,
    ...(await secretOf(options, 'password', container.sslKeyStorePassword, {
      app: container.sslKeyStorePasswordAppname,
      group: container.sslKeyStorePasswordKeygroupname,
    })),
    ...(await secretOf(options, 'keyPassword', container.sslKeyManagerPassword, {
      app: container.sslKeyManagerPasswordAppname,
      group: container.sslKeyManagerPasswordKeygroupname,
    })),
  }
  return { key, ...(trust && { trust }) }
}

async function trustFile(options: ContainerOptions): Promise<StoreFile | undefined> {
  const { container, ts } = options.config
  if (ts.tlsCaFile !== undefined) return { file: ts.tlsCaFile }
  if (container.sslTrustStore === undefined) return undefined
  return {
    file: container.sslTrustStore,
    ...(await secretOf(options, 'password', container.sslTrustStorePassword, {
      app: container.sslTrustStorePasswordAppname,
      group: container.sslTrustStorePasswordKeygroupname,
    })),
  }
}

async function secretOf<N extends 'password' | 'keyPassword'>(
  { privateKeyStore }: ContainerOptions,
  member: N,
  name: string | undefined,
  { app, group }: { app: string | undefined; group: string | undefined },
): Promise<{ [K in N]?: string }> {
  if (name === undefined) return {}
  return { [member]: await privateKeyStore.applicationSecret(app, group, name) } as { [K in N]?: string }
}
