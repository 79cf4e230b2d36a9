import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import type { Logger } from '#core/log/logger.ts'
import type { CertificateMetrics } from '#core/metrics/certificate-metrics.ts'
import type { ProviderClient } from './service/provider-client.ts'

/**
 * The client that the settings `provider.client.*` describe; undefined when they name no files. Its certificates are
 * shown in `certificates`. Throws Error when they
 * name some of the files only, or one that cannot be used.
 */
export async function openProviderClient(
  { zms }: ConfigOf['zms'],
  privateKeyStore: PrivateKeyStore,
  log: Logger,
  certificates?: Pick<CertificateMetrics, 'watchClient'>,
): Promise<ProviderClient | undefined> {
  const { providerClientCertPath: certificate, providerClientKeyPath: key, providerClientTruststore: trust } = zms
  if (certificate === undefined && key === undefined && trust === undefined) return undefined
  if (certificate === undefined || key === undefined || trust === undefined) {
    throw new Error(
      'athenz.zms.provider.client.cert_path, key_path and truststore belong together: set all of them, or none',
    )
  }
  const secretName = zms.providerClientTruststorePassword
  const password =
    secretName === undefined
      ? undefined
      : await privateKeyStore.applicationSecret(zms.providerClientAppName, zms.providerClientKeygroupName, secretName)
  const files = {
    key: { file: key },
    certificate: { file: certificate },
    trust: { file: trust, ...(password !== undefined && { password }) },
  }
  // Its HTTP library takes time and memory that servers without providers need not spend.
  const { HttpsProviderClient } = await import('./service/provider-client.ts')
  const tls = await TlsSource.open(files, { log })
  certificates?.watchClient(() => tls.material)
  return new HttpsProviderClient({
    tls,
    limits: {
      connectionsPerProvider: zms.providerClientMaxPoolRoute,
      connections: zms.providerClientMaxPoolTotal,
      retries: zms.providerClientMaxRetries,
      retryIntervalMillis: zms.providerClientRetryIntervalMs,
      connectTimeoutMillis: zms.providerClientConnectTimeoutMs,
      readTimeoutMillis: zms.providerClientReadTimeoutMs,
    },
    log,
  })
}
