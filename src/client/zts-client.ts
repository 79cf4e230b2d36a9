import type { AccessTokenResponse } from '#zts/api/access-token.ts'
import type { AWSTemporaryCredentials } from '#zts/api/aws-credentials.ts'
import type { OIDCResponse } from '#zts/api/id-token.ts'
import { ZTS_API_ROOT, ztsEndpoints } from '#zts/api/index.ts'
import type { InstanceIdentity } from '#zts/api/instance-identity.ts'
import type { RoleToken } from '#zts/api/role-token.ts'
import type { Identity as ServiceCertificate } from '#zts/api/service-refresh.ts'
import type { DomainSignedPolicyData, JWSPolicyData } from '#zts/api/signed-policies.ts'
import { type AccessTokenOptions, type AccessTokenRequest, accessTokenRequest, accessTokens } from './access-tokens.ts'
import { ApiClient, type ApiClientOptions } from './api-client.ts'
import {
  type AwsCredentialIdentity,
  type AwsCredentialsOptions,
  type AwsCredentialsRequest,
  awsCredentials,
  awsIdentity,
} from './aws-credentials.ts'
import {
  getRoleCertificate,
  getServiceCertificate,
  type InstanceOptions,
  type RoleCertificateOptions,
  refreshInstance,
  registerInstance,
  type ServiceCertificateOptions,
} from './certificates.ts'
import { ACCESS_TOKEN_FOLDER, DiskAccessTokens } from './disk-access-tokens.ts'
import { type IdTokenOptions, type IdTokenRequest, idTokenRequest, idTokens } from './id-tokens.ts'
import { type RoleTokenOptions, type RoleTokenRequest, roleTokenRequest, roleTokens } from './role-tokens.ts'
import { type PrefetchEvent, TokenKeeper, type TokenKeeperOptions } from './token-keeper.ts'
import { TokenPrefetch } from './token-prefetch.ts'

/** How a client of ZTS keeps tokens; the names in brackets are properties of the original with the same meaning. */
export interface ZtsClientOptions extends ApiClientOptions {
  /**
   * Role tokens with less life than this are fetched anew, unless the call has bounds of its own; 900 unless given
   * (`athenz.zts.client.token_min_expiry_time`).
   */
  readonly tokenMinExpirySeconds?: number
  /** Tokens are renewed before they are asked for (`….prefetch_auto_enable`). True unless given. */
  readonly prefetch?: boolean
  /** Time between two looks for tokens to renew; 60 unless given, and when it is no less than the time above (`….prefetch_sleep_interval`). */
  readonly prefetchIntervalSeconds?: number
  /** Told of each renewal, also of those that fail. */
  readonly onPrefetch?: (event: PrefetchEvent) => void
  /** False: every call asks the server (the opposite of `….disable_cache`). True unless given. */
  readonly cache?: boolean
  /** Tokens of one kind that are kept; those used longest ago go first. 10,000 unless given. */
  readonly cacheMaxEntries?: number
  /** Longest time that the callers of one token wait for it; 30 seconds unless given (`….single_flight_timeout`). */
  readonly singleFlightTimeoutMillis?: number
  /** Where agents leave access tokens; false: they are not looked for. `/var/lib/sia/tokens` unless given (`….accesstoken.path`). */
  readonly accessTokenFolder?: string | false
  /** AWS credentials are renewed before they are asked for (`….aws_auto_refresh_enable`). True unless given. */
  readonly awsAutoRefresh?: boolean
  /** Header in which role tokens are sent to services; `Athenz-Role-Auth` unless given (`athenz.auth.role.header`). */
  readonly roleTokenHeader?: string
}

/** Which policies are wanted. */
export interface SignedPolicyOptions {
  /** `ETag` of the policies that the caller has. */
  readonly tag?: string | undefined
  readonly signal?: AbortSignal
}

/** Policies of a domain. */
export interface TaggedPolicies<T> {
  readonly policies: T
  /** For the next question. */
  readonly tag: string | undefined
}

const TOKEN_MIN_EXPIRY_SECONDS = 900
const PREFETCH_INTERVAL_SECONDS = 60
const CACHE_MAX_ENTRIES = 10_000
const FLIGHT_TIMEOUT_MILLIS = 30_000
const ROLE_TOKEN_HEADER = 'Athenz-Role-Auth'

/**
 * Calls ZTS, which issues tokens and certificates. Tokens are kept and given out again while they are fresh, fetched once
 * for all who wait, and renewed in the background; while ZTS is away those at hand are given out until they expire.
 */
export class ZtsClient extends ApiClient<typeof ztsEndpoints> {
  /** Header in which services expect role tokens. */
  readonly roleTokenHeader: string
  readonly #roleTokens: TokenKeeper<RoleTokenRequest, RoleToken>
  readonly #accessTokens: TokenKeeper<AccessTokenRequest, AccessTokenResponse>
  readonly #idTokens: TokenKeeper<IdTokenRequest, OIDCResponse>
  readonly #awsCredentials: TokenKeeper<AwsCredentialsRequest, AWSTemporaryCredentials>
  readonly #prefetch: TokenPrefetch
  readonly #unsubscribe: (() => void) | undefined

  constructor(options: ZtsClientOptions = {}) {
    super(ztsEndpoints, ZTS_API_ROOT, options)
    const { identity, prefetch = true, awsAutoRefresh = true, accessTokenFolder = ACCESS_TOKEN_FOLDER } = options
    const { tokenMinExpirySeconds: minExpiry = TOKEN_MIN_EXPIRY_SECONDS } = options
    this.roleTokenHeader = options.roleTokenHeader ?? ROLE_TOKEN_HEADER
    const keeping: TokenKeeperOptions = {
      clock: this.seams.clock,
      principal: () => identity?.name,
      maxEntries: options.cache === false ? 0 : (options.cacheMaxEntries ?? CACHE_MAX_ENTRIES),
      flightTimeoutMillis: options.singleFlightTimeoutMillis ?? FLIGHT_TIMEOUT_MILLIS,
      prefetch,
      onPrefetchable: () => this.#prefetch.start(),
      onPrefetch: options.onPrefetch,
    }
    const disk = accessTokenFolder === false ? undefined : new DiskAccessTokens(accessTokenFolder)
    this.#roleTokens = new TokenKeeper(roleTokens(this, minExpiry), keeping)
    this.#accessTokens = new TokenKeeper(accessTokens(this, disk), keeping)
    this.#idTokens = new TokenKeeper(idTokens(this), keeping)
    this.#awsCredentials = new TokenKeeper(awsCredentials(this, minExpiry), { ...keeping, prefetch: awsAutoRefresh })
    const keepers = [this.#roleTokens, this.#accessTokens, this.#idTokens, this.#awsCredentials]
    const { prefetchIntervalSeconds: wanted = PREFETCH_INTERVAL_SECONDS } = options
    const intervalSeconds = wanted < minExpiry ? wanted : PREFETCH_INTERVAL_SECONDS
    this.#prefetch = new TokenPrefetch(keepers, intervalSeconds * 1000, this.seams.wait)
    this.#unsubscribe = identity?.onChange?.(() => {
      // Access tokens are bound to the certificate that they were asked for with.
      this.#accessTokens.makeAllDue()
      void this.#prefetch.renewDue()
    })
  }

  /**
   * A role token of the caller for a domain.
   * @throws AthenzClientError 401 when ZTS does not know who calls, 403 when the caller holds no role, 404 for no such domain
   */
  getRoleToken(domain: string, options: RoleTokenOptions = {}): Promise<RoleToken> {
    return this.#roleTokens.get(roleTokenRequest(domain, options), options)
  }

  /** An access token of the caller for a domain, and an id token with it when asked for; errors as of {@link getRoleToken}. */
  getAccessToken(domain: string, options: AccessTokenOptions = {}): Promise<AccessTokenResponse> {
    return this.#accessTokens.get(accessTokenRequest(domain, options), options)
  }

  /** An id token of the caller for a service, given by its full name; errors as of {@link getRoleToken}. */
  async getIdToken(clientId: string, options: IdTokenOptions = {}): Promise<OIDCResponse> {
    return this.#idTokens.get(idTokenRequest(clientId, options), options)
  }

  /** Credentials for a role of AWS, given with its path; errors as of {@link getRoleToken}. */
  getAwsCredentials(
    domain: string,
    role: string,
    options: AwsCredentialsOptions = {},
  ): Promise<AWSTemporaryCredentials> {
    const { externalId, minExpirySeconds, maxExpirySeconds } = options
    return this.#awsCredentials.get({ domain, role, externalId, minExpirySeconds, maxExpirySeconds }, options)
  }

  /** The same as what the SDK of AWS takes for `credentials`: a function that gives those in force. */
  awsCredentialProvider(
    domain: string,
    role: string,
    options: AwsCredentialsOptions = {},
  ): () => Promise<AwsCredentialIdentity> {
    return async () => awsIdentity(await this.getAwsCredentials(domain, role, options))
  }

  /** A certificate of a role, as PEM; errors as of {@link getRoleToken}. */
  getRoleCertificate(options: RoleCertificateOptions): Promise<string> {
    return getRoleCertificate(this, this.identity?.name, options)
  }

  /** A certificate for the key that is registered for a service; the caller is the service itself. */
  getServiceCertificate(options: ServiceCertificateOptions): Promise<ServiceCertificate> {
    return getServiceCertificate(this, options)
  }

  /** The first identity of an instance, for which its provider vouches. */
  registerInstance(options: InstanceOptions): Promise<InstanceIdentity> {
    return registerInstance(this, options)
  }

  /** A new identity of an instance, which calls with the certificate of its present one. */
  refreshInstance(options: InstanceOptions): Promise<InstanceIdentity> {
    return refreshInstance(this, options)
  }

  /** The active policies of a domain with the signature of ZTS; null when those with `tag` are still the newest. */
  async getSignedPolicies(
    domain: string,
    { tag, signal }: SignedPolicyOptions = {},
  ): Promise<TaggedPolicies<DomainSignedPolicyData> | null> {
    const request = { domainName: domain, matchingTag: tag }
    const reply = await this.exchange('getDomainSignedPolicyData', request, signal && { signal })
    return reply.status === 304 ? null : { policies: reply.body, tag: reply.headers['etag'] }
  }

  /** The same as a JSON web signature; `policyVersions` names the versions of policies that are wanted instead of the active ones. */
  async getJwsPolicies(
    domain: string,
    options: SignedPolicyOptions & {
      readonly policyVersions?: Readonly<Record<string, string>>
      /** Signatures by EC keys in the form of the JOSE standards instead of ASN.1. */
      readonly p1363Signature?: boolean
    } = {},
  ): Promise<TaggedPolicies<JWSPolicyData> | null> {
    const { tag, signal, policyVersions = {}, p1363Signature = false } = options
    const body = { policyVersions, signatureP1363Format: p1363Signature }
    const request = { domainName: domain, matchingTag: tag, body }
    const reply = await this.exchange('postSignedPolicyRequest', request, signal && { signal })
    return reply.status === 304 ? null : { policies: reply.body, tag: reply.headers['etag'] }
  }

  override async close(): Promise<void> {
    this.#unsubscribe?.()
    this.#prefetch.close()
    await super.close()
  }
}
