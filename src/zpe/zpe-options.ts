import { join } from 'node:path'
import { type Clock, systemClock } from '#core/seam/clock.ts'
import type { DomainPolicies, PolicyVersion } from './domain-policies.ts'
import type { ZpeLog } from './policy-folder.ts'
import { AcceptedIssuers } from './role-certificate.ts'

/** Where compiled policies come from, when not from a folder of files. */
export interface PolicySource {
  /** The policies of a domain; undefined when there have never been any. */
  get(domain: string): DomainPolicies | undefined
  /** How many domains there are. */
  readonly size: number
  versions(): readonly PolicyVersion[]
  /** Resolves when the policies are there. */
  start(): Promise<void>
  close(): Promise<void>
}

/** How the policy engine is set up. Every member has a default, which is that of the properties `athenz.zpe.…`. */
export interface ZpeOptions {
  /** Base of the default paths; `/home/athenz` unless given. */
  readonly root?: string
  /** Folder of policy files; `{root}/var/zpe` unless given. */
  readonly policyFolder?: string
  /** Reads no policies: then there are those of `policySource` only. */
  readonly skipPolicyFolder?: boolean
  /** Used instead of a folder. */
  readonly policySource?: PolicySource
  /** Public keys of the servers; `{root}/conf/athenz/athenz.conf` unless given. It may be missing. */
  readonly athenzConf?: string
  /** Public keys as an agent writes them; `/var/lib/sia/athenz.conf` unless given. It may be missing. */
  readonly jwkFile?: string
  /** Where ZTS publishes its keys: `https://HOST/zts/v1/oauth2/keys?rfc=true`. Not asked unless given. */
  readonly jwkUrl?: string
  readonly jwkProxyUrl?: string
  /** Client certificate, key, and authorities that vouch for ZTS, as PEM files. */
  readonly jwkCertificateFile?: string
  readonly jwkKeyFile?: string
  readonly jwkAuthoritiesFile?: string
  /** Least time between two questions for published keys; 30 minutes unless given. */
  readonly jwkCoolDownMillis?: number
  /** Whether plain signed policies need the signature of ZMS, too; false unless given. */
  readonly checkZmsSignature?: boolean
  /** Longest time between two looks at the folder; 300 s unless given. Changes are noticed at once where the system tells. */
  readonly scanSeconds?: number
  /** How often what is known of expired tokens is forgotten; 600 s unless given. */
  readonly cleanupSeconds?: number
  /** How far clocks may differ; 300 s unless given. */
  readonly allowedOffsetSeconds?: number
  /** Longest remaining life of role tokens; 30 days unless given. */
  readonly maxTokenExpirySeconds?: number
  /** Tokens of each kind that are kept; 10240 unless given, 0 for no limit. */
  readonly maxCachedTokens?: number
  /** Issuers of role certificates, as distinguished names; any unless given. */
  readonly certificateIssuers?: readonly string[]
  /**
   * How a renewed certificate of the holder of a bound access token is accepted, by its name: always (-1, unless given),
   * never (0), or when it was issued within so many seconds after the token.
   */
  readonly renewedCertificateSeconds?: number
  /** Common names of proxies that may forward thumbprints of certificates; any unless given. */
  readonly proxyPrincipals?: readonly string[]
  /**
   * What becomes of policies whose life has ended: they count (unless given), or deny everything with `DENY_DOMAIN_EXPIRED`
   * so many seconds after the end.
   */
  readonly denyAfterExpirySeconds?: number
  /** How long the start waits for the policies; 5 s unless given. */
  readonly startMillis?: number
  /** Time between two looks at the files of keys; 10 s unless given. */
  readonly keyLookMillis?: number
  /** Takes what there is to tell; nobody unless given. */
  readonly log?: ZpeLog
  /** Of this machine unless given. For tests. */
  readonly clock?: Clock
}

const NO_POLICIES: PolicySource = {
  get: () => undefined,
  size: 0,
  versions: () => [],
  start: async () => {},
  close: async () => {},
}

/** Options with their defaults; what has none stays undefined. */
export type ZpeSettings = ReturnType<typeof zpeSettings>

const DAY_SECONDS = 86_400

/**
 * Fills in the defaults.
 * @throws RangeError for a value that cannot be meant
 */
export function zpeSettings(options: ZpeOptions) {
  const { root = '/home/athenz', allowedOffsetSeconds = 0 } = options
  return {
    policySource: options.policySource ?? (options.skipPolicyFolder ? NO_POLICIES : undefined),
    policyFolder: options.policyFolder ?? join(root, 'var', 'zpe'),
    athenzConf: options.athenzConf ?? join(root, 'conf', 'athenz', 'athenz.conf'),
    jwkFile: options.jwkFile ?? '/var/lib/sia/athenz.conf',
    jwkUrl: options.jwkUrl === undefined ? undefined : urlOf(options.jwkUrl),
    jwkProxyUrl: options.jwkProxyUrl,
    jwkCertificateFile: options.jwkCertificateFile,
    jwkKeyFile: options.jwkKeyFile,
    jwkAuthoritiesFile: options.jwkAuthoritiesFile,
    jwkCoolDownMillis: positive('jwkCoolDownMillis', options.jwkCoolDownMillis ?? 1_800_000),
    checkZmsSignature: options.checkZmsSignature ?? false,
    scanMillis: positive('scanSeconds', options.scanSeconds ?? 300) * 1000,
    cleanupMillis: positive('cleanupSeconds', options.cleanupSeconds ?? 600) * 1000,
    // As the original has it, an offset that is not positive is not taken.
    allowedOffsetSeconds: allowedOffsetSeconds > 0 ? allowedOffsetSeconds : 300,
    maxTokenExpirySeconds: positive('maxTokenExpirySeconds', options.maxTokenExpirySeconds ?? 30 * DAY_SECONDS),
    maxCachedTokens: notNegative('maxCachedTokens', options.maxCachedTokens ?? 10_240),
    certificateIssuers: options.certificateIssuers?.length
      ? new AcceptedIssuers(options.certificateIssuers)
      : undefined,
    renewedCertificateSeconds: options.renewedCertificateSeconds ?? -1,
    proxyPrincipals: options.proxyPrincipals?.length ? new Set(options.proxyPrincipals) : undefined,
    denyAfterExpirySeconds:
      options.denyAfterExpirySeconds === undefined
        ? undefined
        : notNegative('denyAfterExpirySeconds', options.denyAfterExpirySeconds),
    startMillis: notNegative('startMillis', options.startMillis ?? 5_000),
    keyLookMillis: positive('keyLookMillis', options.keyLookMillis ?? 10_000),
    log: options.log ?? (() => {}),
    clock: options.clock ?? systemClock,
  }
}

function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw new RangeError(`jwkUrl: ${text} is no URL`)
  return url
}

function positive(name: string, value: number): number {
  if (!(value > 0 && Number.isFinite(value))) throw new RangeError(`${name}: ${value} is no positive number`)
  return value
}

function notNegative(name: string, value: number): number {
  if (!(value >= 0 && Number.isFinite(value))) throw new RangeError(`${name}: ${value} is negative or no number`)
  return value
}
