import { ConfigError } from '#core/config/config-error.ts'
import { type OptionRows, optionsOf } from '#core/config/option-properties.ts'
import { type Environment, type PropertyEntry, readProperties } from '#core/config/properties.ts'
import {
  barSet,
  boolean,
  className,
  count,
  integer,
  millis,
  path,
  seconds,
  set,
  text,
  unset,
  unsupported,
  url,
} from '#core/config/property.ts'
import type { ZpeOptions } from './zpe-options.ts'

const NO_STATISTICS = 'the engine counts always, see its member counts'

/** The properties of the engine, by their full names. */
export const ZPE_PROPERTIES: OptionRows<keyof ZpeOptions> = {
  'athenz.athenz_conf': ['athenzConf', path('{root}/conf/athenz/athenz.conf', 'Public keys of ZMS and ZTS.')],
  'athenz.jwk_athenz_conf': ['jwkFile', path('/var/lib/sia/athenz.conf', 'The same keys as an agent writes them.')],
  'athenz.zpe.jwk_uri': ['jwkUrl', url(unset, 'Where ZTS publishes its keys.')],
  'athenz.zpe.jwk_proxy_uri': ['jwkProxyUrl', url(unset, 'HTTP proxy on the way there.')],
  'athenz.zpe.jwk_private_key_path': ['jwkKeyFile', path(unset, 'Private key of the client who asks there.')],
  'athenz.zpe.jwk_x509_cert_path': ['jwkCertificateFile', path(unset, 'Certificate of that client.')],
  'athenz.zpe.policy_dir': ['policyFolder', path('{root}/var/zpe', 'Folder of policy files.')],
  'athenz.zpe.skip_policy_dir_check': ['skipPolicyFolder', boolean(false, 'Read no policies.')],
  'athenz.zpe.check_policy_zms_signature': ['checkZmsSignature', boolean(false, 'Verify the signature of ZMS, too.')],
  'athenz.zpe.monitor_timeout_secs': ['scanSeconds', seconds(300, 'Longest time between two looks at the folder.')],
  'athenz.zpe.cleanup_tokens_secs': ['cleanupSeconds', seconds(600, 'How often expired tokens are forgotten.')],
  'athenz.zpe.token_allowed_offset': ['allowedOffsetSeconds', integer(300, 'Seconds by which clocks may differ.')],
  'athenz.zpe.max_token_cache_entries': [
    'maxCachedTokens',
    count(10_240, 'Tokens of each kind that are kept, 0 = all.'),
  ],
  'athenz.zpe.millis_between_zts_calls': ['jwkCoolDownMillis', millis(1_800_000, 'Least time between two questions.')],
  'athenz.zpe.x509.ca.issuers': ['certificateIssuers', barSet('', 'Issuers of role certificates; none = any.')],
  'athenz.ts.zpe.deny_after_expiry_secs': [
    'denyAfterExpirySeconds',
    seconds(unset, 'Seconds after the end of their life from which policies deny everything; never without it.'),
  ],
  'athenz.ts.zpe.jwk_ca_path': ['jwkAuthoritiesFile', path(unset, 'Authorities that vouch for ZTS.')],
  'athenz.ts.zpe.renewed_certificate_secs': [
    'renewedCertificateSeconds',
    integer(-1, 'Seconds after a token in which a certificate of its holder may be issued; 0 = none, -1 = any time.'),
  ],
  'athenz.ts.zpe.proxy_principals': [
    'proxyPrincipals',
    set('', 'Common names of proxies that may forward thumbprints of certificates; none = any.'),
  ],
  'athenz.zpe.millis_between_reload_config': unsupported(
    'files of keys are looked at every few seconds and read when they have changed',
    millis(1_800_000, 'Least time between two readings of the file of keys.'),
  ),
  'athenz.zpe.public_key_class': unsupported('Java classes cannot be loaded', className(unset, 'Source of keys.')),
  'athenz.zpe.updater_class': unsupported(
    'Java classes cannot be loaded; see the option policySource',
    className(unset, 'Source of policies.'),
  ),
  'athenz.zpe.enable_stats': unsupported(NO_STATISTICS, boolean(false, 'Count.')),
  'athenz.zpe.metric_factory_class': unsupported(NO_STATISTICS, className(unset, 'Plug-in that counts.')),
  'athenz.zpe.metric_write_interval': unsupported(NO_STATISTICS, millis(unset, 'Time between two reports.')),
  'athenz.zpe.metric_file_path': unsupported(NO_STATISTICS, text(unset, 'Folder of reports.')),
}

const PREFIXES = ['athenz.zpe.', 'athenz.ts.zpe.']

/** Options as properties set them, and what is to be said about those that have no effect. */
export interface ZpePropertiesReading {
  readonly options: ZpeOptions
  /** Lines `ORIGIN: KEY: REASON`. */
  readonly warnings: readonly string[]
}

/**
 * Makes options of properties; those of others are passed over.
 * @throws ConfigError that lists every value that cannot be used
 */
export function zpeOptions(entries: ReadonlyMap<string, PropertyEntry>, root: string): ZpePropertiesReading {
  const { options, warnings } = optionsOf(entries, { rows: ZPE_PROPERTIES, prefixes: PREFIXES })
  return { options: Object.fromEntries([['root', root], ...options]) as ZpeOptions, warnings }
}

/**
 * Reads the options from a properties file. `env` is for `${NAME}` in values; `ROOT` in it is the base of default paths.
 * @throws ConfigError that lists everything that cannot be read or used
 */
export async function readZpeProperties(file: string, env: Environment = {}): Promise<ZpePropertiesReading> {
  const root = env['ROOT'] || '/home/athenz'
  const { entries, problems, warnings } = await readProperties({ files: [file], overrides: [], env, rootDir: root })
  if (problems.length > 0) throw new ConfigError([...problems])
  const read = zpeOptions(entries, root)
  return { options: read.options, warnings: [...warnings, ...read.warnings] }
}
