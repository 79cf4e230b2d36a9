import { ConfigError } from '#core/config/config-error.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { PrivateKeyStore } from '#core/crypto/private-key-store.ts'
import { messageOf } from '#core/error/message-of.ts'
import type { StoreFile, TlsFiles } from '#core/http/tls-material.ts'
import { type TlsOffer, tlsOffer } from '#core/http/tls-offer.ts'
import { TlsSource } from '#core/http/tls-source.ts'
import type { Logger } from '#core/log/logger.ts'

const PROPERTY = 'athenz.zts.ssl_key_store'

/**
 * What this server offers to signers and providers: what `athenz.zts.ssl_excluded_…` leave. Throws a ConfigError when that
 * is nothing.
 */
export function clientTlsOffer({ zts }: Pick<ConfigOf['zts'], 'zts'>): TlsOffer {
  try {
    return tlsOffer({ included: [], excluded: zts.sslExcludedCipherSuites }, zts.sslExcludedProtocols)
  } catch (cause) {
    throw Object.assign(new ConfigError([`athenz.zts.ssl_excluded_…: ${messageOf(cause)}`]), { cause })
  }
}

/**
 * Key, certificate and trusted authorities with which this server goes to signers and providers: those of
 * `athenz.zts.ssl_…`, or else those it serves with. Read again when a file changes. Throws a ConfigError or Error that
 * says what is missing or cannot be used.
 */
export async function openClientTls(
  config: ConfigOf['zts'],
  privateKeyStore: PrivateKeyStore,
  log: Logger,
): Promise<TlsSource> {
  return TlsSource.open(await clientFiles(config, privateKeyStore), { log })
}

async function clientFiles({ zts, container, ts }: ConfigOf['zts'], store: PrivateKeyStore): Promise<TlsFiles> {
  const secretOf = async (name: string | undefined, app: string | undefined, group: string | undefined) =>
    name === undefined ? undefined : store.applicationSecret(app, group, name)
  const own = zts.sslKeyStore !== undefined
  const settings = own ? zts : container
  const trustSettings = zts.sslTrustStore !== undefined ? zts : container
  const trustPassword = await secretOf(
    trustSettings.sslTrustStorePassword,
    trustSettings.sslTrustStorePasswordAppname,
    trustSettings.sslTrustStorePasswordKeygroupname,
  )
  const trust =
    zts.sslTrustStore === undefined && ts.tlsCaFile !== undefined
      ? { file: ts.tlsCaFile }
      : trustSettings.sslTrustStore && fileOf(trustSettings.sslTrustStore, trustPassword)
  if (!own && ts.tlsKeyFile !== undefined && ts.tlsCertFile !== undefined) {
    return { key: { file: ts.tlsKeyFile }, certificate: { file: ts.tlsCertFile }, ...(trust && { trust }) }
  }
  if (settings.sslKeyStore === undefined) {
    throw new ConfigError([`${PROPERTY}: not set, and neither is athenz.ssl_key_store (name a PKCS#12 file)`])
  }
  const password = await secretOf(
    settings.sslKeyStorePassword,
    settings.sslKeyStorePasswordAppname,
    settings.sslKeyStorePasswordKeygroupname,
  )
  const keyPassword = await secretOf(
    settings.sslKeyManagerPassword,
    settings.sslKeyManagerPasswordAppname,
    settings.sslKeyManagerPasswordKeygroupname,
  )
  return { key: fileOf(settings.sslKeyStore, password, keyPassword), ...(trust && { trust }) }
}

const fileOf = (file: string, password: string | undefined, keyPassword?: string): StoreFile => ({
  file,
  ...(password !== undefined && { password }),
  ...(keyPassword !== undefined && { keyPassword }),
})
