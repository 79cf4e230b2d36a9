import { ConfigError } from '#core/config/config-error.ts'
import { loadPlugIn, missingMethods, type PlugInPoint } from '#core/config/plug-in.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import type { Logger } from '#core/log/logger.ts'
import type { CertificateMetrics } from '#core/metrics/certificate-metrics.ts'
import { AllowedAddresses } from './cert/allowed-addresses.ts'
import { AuthorityTexts } from './cert/authority-texts.ts'
import { CaBundles } from './cert/ca-bundles.ts'
import { CertificateIssuer } from './cert/certificate-issuer.ts'
import type { CertificateSigner } from './cert/certificate-signer.ts'
import { clientTlsOffer, openClientTls } from './cert/client-tls.ts'
import type { HostnameResolver } from './cert/hostname-resolver.ts'
import { type CertificateDataValidator, type RequestRules, requestRules } from './cert/request-rules.ts'
import { openKeyStoreCertificateSigner } from './cert/signers/key-store-certificate-signer.ts'
import type { LocalSigningRules } from './cert/signers/local-certificate-signer.ts'
import { openSelfCertificateSigner } from './cert/signers/self-certificate-signer.ts'
import { SignerKeys } from './cert/signers/signer-keys.ts'
import { anySpiffeUri, basicUris, type SpiffeUriValidator, trustDomainUris } from './cert/spiffe-uri.ts'

/** What certificates are issued with. */
export interface CertificateParts {
  readonly certificateIssuer: CertificateIssuer
  readonly requestRules: RequestRules
  readonly caBundles: CaBundles
  readonly allowedAddresses: AllowedAddresses
  readonly close: () => Promise<void>
}

/** Where the parts come from. */
export interface CertificatePartsOptions {
  readonly config: ConfigOf['zts']
  readonly privateKeyStore: PrivateKeyStore
  /** Where certificates are shown, if anywhere. */
  readonly certificates?: Pick<CertificateMetrics, 'watchClient'>
  readonly log: Logger
  /** Epoch milliseconds. */
  readonly now: () => number
}

/** Opens the signer, the plug-ins and the files. Throws a ConfigError or Error that says what cannot be used. */
export async function openCertificateParts(options: CertificatePartsOptions): Promise<CertificateParts> {
  const { config, log } = options
  const { zts } = config
  const say = (level: 'info' | 'warn' | 'error', message: string) => log[level](message)
  const rules = requestRules(config, {
    spiffe: await openSpiffeUris(config),
    dataValidator: await openPlugIn<CertificateDataValidator>(config, {
      property: 'athenz.zts.cert_data_validator_factory_class',
      what: 'certificate data validator',
      specifier: zts.certDataValidatorFactoryClass,
      methods: ['acceptsServiceDnsName', 'acceptsRoleDnsName'],
    }),
    hostnames: await openPlugIn<HostnameResolver>(config, {
      property: 'athenz.zts.hostname_resolver_factory_class',
      what: 'host name resolver',
      specifier: zts.hostnameResolverFactoryClass,
      methods: ['isHostname', 'areCnames', 'addressesOf'],
    }),
  })
  const authorityTexts = await AuthorityTexts.read({
    properties: { all: 'athenz.zts.x509_ca_cert_fname', byKeyId: 'athenz.zts.x509_ca_cert_keyid_fname' },
    all: zts.x509CaCertFname,
    byKeyId: zts.x509CaCertKeyidFname,
    rootDirectory: zts.rootDir,
  })
  const caBundles = await CaBundles.read(zts.certAuthorityBundlesFname, zts.rootDir)
  const signer = await openCertificateSigner(options)
  const certificateIssuer = new CertificateIssuer({ signer, authorityTexts, log: say })
  try {
    const files = {
      services: zts.certRefreshIpFname,
      providers: zts.instanceCertIpFname,
      rootDirectory: zts.rootDir,
    }
    const allowedAddresses = await AllowedAddresses.open(files, say)
    return {
      certificateIssuer,
      requestRules: rules,
      caBundles,
      allowedAddresses,
      async close() {
        allowedAddresses.close()
        await certificateIssuer.close()
      },
    }
  } catch (error) {
    await certificateIssuer.close()
    throw error
  }
}

const SIGNER_PROPERTY = 'athenz.zts.cert_signer_factory_class'

function openCertificateSigner(options: CertificatePartsOptions): Promise<CertificateSigner> {
  const { config, log, now } = options
  const { zts, crypto } = config
  const rules: LocalSigningRules = {
    maxExpiryMins: zts.certsignMaxExpiryTimeMinutes,
    keyUsageCritical: crypto.keyUsageCritical,
    authorityKeyIdentifier: crypto.authorityKeyIdentifier,
    now,
  }
  const say = (level: 'info' | 'warn' | 'error', message: string) => log[level](message)
  const point: PlugInPoint<CertificateSigner, []> = {
    property: SIGNER_PROPERTY,
    what: 'certificate signer',
    builtIn: new Map<string, () => Promise<CertificateSigner>>([
      [
        'com.yahoo.athenz.zts.cert.impl.SelfCertSignerFactory',
        () => openSelfCertificateSigner({ config, rules, log: say }),
      ],
      ['com.yahoo.athenz.zts.cert.impl.KeyStoreCertSignerFactory', () => openKeyStoreCertificateSigner(config, rules)],
      ['com.yahoo.athenz.zts.cert.impl.crypki.HttpCertSignerFactory', () => openHttpSigner(options)],
    ]),
    problemsOf: problemsOfSigner,
    directory: zts.rootDir,
  }
  return loadPlugIn(zts.certSignerFactoryClass, point)
}

function problemsOfSigner(candidate: object): readonly string[] {
  const { maxExpiryMins } = candidate as Partial<Record<keyof CertificateSigner, unknown>>
  const missing = typeof maxExpiryMins === 'number' && maxExpiryMins > 0 ? [] : ['maxExpiryMins (a number above 0)']
  return [...missing, ...missingMethods('sign', 'caCertificate')(candidate)]
}

async function openHttpSigner({
  config,
  privateKeyStore,
  certificates,
  log,
  now,
}: CertificatePartsOptions): Promise<CertificateSigner> {
  const { zts } = config
  if (zts.certsignBaseUri === undefined) {
    throw new ConfigError([
      `athenz.zts.certsign_base_uri: not set, and the signer of ${SIGNER_PROPERTY} is asked there`,
    ])
  }
  const keys = await SignerKeys.read(zts.certsignProviderKeysFname)
  const offer = clientTlsOffer(config)
  const tls = await openClientTls(config, privateKeyStore, log)
  certificates?.watchClient(() => tls.material)
  // Its HTTP library takes time and memory that servers with a signer of their own need not spend.
  const [{ HttpCertificateSigner }, { SignerConnection }] = await Promise.all([
    import('./cert/signers/http-certificate-signer.ts'),
    import('./cert/signers/signer-connection.ts'),
  ])
  const connection = new SignerConnection({
    tls,
    offer,
    requestTimeoutMillis: zts.certsignRequestTimeoutSeconds * 1000,
    connectTimeoutMillis: zts.certsignConnectTimeoutSeconds * 1000,
    handshakeTimeoutMillis: zts.certsignHandshakeTimeoutMillis,
    // There is one signer, so both limits are about the same connections.
    connections: Math.min(zts.certsignConnMaxPerRoute, zts.certsignConnMaxTotal),
    connectionLifeMillis: zts.certsignConnTimeToLiveMinutes * 60_000,
  })
  return new HttpCertificateSigner({
    baseUrl: zts.certsignBaseUri,
    connection,
    keys,
    maxExpiryMins: zts.certsignMaxExpiryTimeMinutes,
    retries: zts.certsignRetryCount,
    retriesConnectFailuresOnly: () => zts.certsignRetryConnFailuresOnly.value,
    now,
  })
}

const SPIFFE_PROPERTY = 'athenz.zts.spiffe_uri_validator_classes'

async function openSpiffeUris({ zts }: ConfigOf['zts']): Promise<SpiffeUriValidator> {
  const point: PlugInPoint<SpiffeUriValidator, []> = {
    property: SPIFFE_PROPERTY,
    what: 'judge of SPIFFE ids',
    builtIn: new Map([
      ['com.yahoo.athenz.common.server.spiffe.impl.SpiffeUriTrustDomain', () => trustDomainUris(zts.spiffeTrustDomain)],
      ['com.yahoo.athenz.common.server.spiffe.impl.SpiffeUriBasic', () => basicUris],
    ]),
    problemsOf: missingMethods('isServiceUri', 'isRoleUri'),
    directory: zts.rootDir,
  }
  const validators = zts.spiffeUriValidatorClasses.map((className) =>
    loadPlugIn<SpiffeUriValidator, []>(className, point),
  )
  return anySpiffeUri(await Promise.all(validators))
}

interface PlugInSetting {
  readonly property: string
  readonly what: string
  readonly specifier: string | undefined
  readonly methods: readonly string[]
}

/** A plug-in that there is none of built in; undefined when none is configured. */
async function openPlugIn<T extends object>(
  { zts }: ConfigOf['zts'],
  { property, what, specifier, methods }: PlugInSetting,
): Promise<T | undefined> {
  if (specifier === undefined) return undefined
  const point: PlugInPoint<T, []> = {
    property,
    what,
    builtIn: new Map(),
    problemsOf: missingMethods(...methods),
    directory: zts.rootDir,
  }
  return loadPlugIn<T, []>(specifier, point)
}
