import { ConfigError } from '#core/config/config-error.ts'
import { type OptionRows, optionsOf } from '#core/config/option-properties.ts'
import { type Environment, readProperties } from '#core/config/properties.ts'
import {
  allUnsupported,
  boolean,
  className,
  count,
  millis,
  path,
  seconds,
  secret,
  text,
  unset,
  unsupported,
} from '#core/config/property.ts'
import { messageOf } from '#core/error/message-of.ts'
import { readStoreFile, type StoreFile } from '#core/http/tls-material.ts'
import type { CertificateFilesOptions } from './certificate-files.ts'
import type { ZtsClientOptions } from './zts-client.ts'

/** Options of the client that properties set as they are, and those that make others. */
type Option = keyof ZtsClientOptions | StoreOption | 'cacheIsOff'
type StoreOption = 'keyStore' | 'keyStorePassword' | 'keyPassword' | 'trustStore' | 'trustStorePassword'

const PREFIX = 'athenz.zts.client.'

const underPrefix = (rows: OptionRows<Option>): OptionRows<Option> =>
  Object.fromEntries(Object.entries(rows).map(([key, row]) => [PREFIX + key, row]))

/** The properties of a client of ZTS, by their full names. */
export const ZTS_CLIENT_PROPERTIES: OptionRows<Option> = {
  'athenz.athenz_conf': ['athenzConf', path('{root}/conf/athenz/athenz.conf', 'File with the URL of ZTS.')],
  'athenz.auth.role.header': ['roleTokenHeader', text('Athenz-Role-Auth', 'Header in which role tokens are sent.')],
  ...underPrefix({
    token_min_expiry_time: [
      'tokenMinExpirySeconds',
      seconds(900, 'Role tokens with less life than this are fetched anew.'),
    ],
    prefetch_auto_enable: ['prefetch', boolean(true, 'Renew tokens before they are asked for.')],
    prefetch_sleep_interval: ['prefetchIntervalSeconds', seconds(60, 'Time between two looks for tokens to renew.')],
    disable_cache: ['cacheIsOff', boolean(false, 'Ask ZTS at every call.')],
    read_timeout: ['readTimeoutMillis', millis(30_000, 'Longest time of a try, from sending to the last byte.')],
    connect_timeout: ['connectTimeoutMillis', millis(30_000, 'Longest time of making a connection.')],
    single_flight_timeout: ['singleFlightTimeoutMillis', millis(30_000, 'Longest wait of the callers of one token.')],
    aws_auto_refresh_enable: ['awsAutoRefresh', boolean(true, 'Renew AWS credentials before they are asked for.')],
    'accesstoken.path': ['accessTokenFolder', path('/var/lib/sia/tokens', 'Where agents leave access tokens.')],
    http_pool_max_total: ['connections', count(20, 'Connections at a time.')],
    http_pool_max_retries: ['retries', count(2, 'Repetitions of a call when ZTS is away or busy.')],
    keystore_path: ['keyStore', path(unset, 'Private key and certificate of the client: PKCS#12, JKS or PEM.')],
    keystore_password: ['keyStorePassword', secret(unset, 'Its password.')],
    keymanager_password: ['keyPassword', secret(unset, 'Password of the private key when it is another.')],
    truststore_path: ['trustStore', path(unset, 'Authorities that vouch for ZTS: PKCS#12, JKS or PEM.')],
    truststore_password: ['trustStorePassword', secret(unset, 'Its password.')],
    handshake_timeout: unsupported(
      'connect_timeout holds until the handshake is over',
      millis(30_000, 'Longest time of a handshake.'),
    ),
    client_ssl_protocol: unsupported('TLS 1.2 and newer are used', text('TLSv1.2', 'Version of TLS.')),
    cert_alias: unsupported('the first private key of the store is used', text(unset, 'Name of the key.')),
    http_pool_max_per_route: unsupported(
      'a client talks to one server: http_pool_max_total counts',
      count(2, 'Connections to one server.'),
    ),
    ...allUnsupported('the format shows from the first bytes of the file', {
      keystore_type: text(unset, 'Format of the key store.'),
      truststore_type: text(unset, 'Format of the trust store.'),
    }),
    ...allUnsupported('a client has no private key store: write the password itself', {
      private_keystore_factory_class: className(unset, 'Private key store that has the passwords.'),
      keystore_pwd_app_name: text(unset, 'Application under which it has that of the key store.'),
      keystore_pwd_keygroup_name: text(unset, 'Key group under which it has that of the key store.'),
      keymanager_pwd_app_name: text(unset, 'Application under which it has that of the private key.'),
      keymanager_pwd_keygroup_name: text(unset, 'Key group under which it has that of the private key.'),
      truststore_pwd_app_name: text(unset, 'Application under which it has that of the trust store.'),
      truststore_pwd_keygroup_name: text(unset, 'Key group under which it has that of the trust store.'),
    }),
    ...allUnsupported('it is an option of getRoleCertificate', {
      x509cert_dns_name: text(unset, 'DNS name in requests for certificates.'),
      x509csr_dn: text(unset, 'Subject of requests for certificates.'),
      x509csr_domain: text(unset, 'End of the DNS names in them.'),
    }),
    ...allUnsupported('idle connections are let go when the server says so, and bad ones at once', {
      http_pool_time_to_live: millis(unset, 'Longest life of a connection.'),
      http_pool_retry_timeout: millis(unset, 'Pause before a repetition.'),
      http_pool_validate_after_inactivity: millis(unset, 'Time after which a connection is tried first.'),
    }),
    ...allUnsupported('tokens are kept in memory only', {
      cache_class: className(unset, 'Java class of the cache.'),
      ehcache_xml_path: text(unset, 'Its settings.'),
    }),
  }),
}

/** What properties say of a client of ZTS. */
export interface ZtsClientPropertiesReading {
  /** For the constructor of the client, who adds the identity. */
  readonly options: ZtsClientOptions
  /** For `certificateFiles`, which makes an identity of it; undefined when no key store is named. */
  readonly certificate: CertificateFilesOptions | undefined
  /** Lines `ORIGIN: KEY: REASON`. */
  readonly warnings: readonly string[]
}

/**
 * Reads the options of a client of ZTS from a properties file. `env` is for `${NAME}` in values; `ROOT` in it is the base of
 * relative paths.
 * @throws ConfigError that lists everything that cannot be read or used
 */
export async function readZtsClientProperties(
  file: string,
  env: Environment = {},
): Promise<ZtsClientPropertiesReading> {
  const rootDir = env['ROOT'] || '/home/athenz'
  const { entries, problems, warnings } = await readProperties({ files: [file], overrides: [], env, rootDir })
  if (problems.length > 0) throw new ConfigError([...problems])
  const read = optionsOf(entries, { rows: ZTS_CLIENT_PROPERTIES, prefixes: [PREFIX] })
  const { cacheIsOff, keyStore, keyStorePassword, keyPassword, trustStore, trustStorePassword, ...options } =
    Object.fromEntries(read.options) as ZtsClientOptions &
      Partial<Record<StoreOption, string>> & { cacheIsOff?: boolean }
  const key = storeFile(keyStore, keyStorePassword, keyPassword)
  const trust = storeFile(trustStore, trustStorePassword)
  return {
    options: {
      ...options,
      ...(cacheIsOff === true && { cache: false }),
      // An identity brings its authorities with it.
      ...(trust && !key && { ca: await authoritiesIn(trust) }),
    },
    certificate: key && { key, ...(trust && { ca: trust }) },
    warnings: [...warnings, ...read.warnings],
  }
}

const storeFile = (file?: string, password?: string, keyPassword?: string): StoreFile | undefined =>
  file === undefined
    ? undefined
    : { file, ...(password !== undefined && { password }), ...(keyPassword !== undefined && { keyPassword }) }

async function authoritiesIn(trust: StoreFile): Promise<string[]> {
  try {
    const { certificates } = await readStoreFile(trust)
    if (certificates.length > 0) return certificates.map((certificate) => certificate.toString())
  } catch (error) {
    throw new ConfigError([`${PREFIX}truststore_path: ${messageOf(error)}`])
  }
  throw new ConfigError([`${PREFIX}truststore_path: ${trust.file} has no certificate`])
}
