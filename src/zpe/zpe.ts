import { isPromise, type MaybePromise } from '#core/http/maybe-promise.ts'
import type { Clock } from '#core/seam/clock.ts'
import type { RoleToken } from '#core/token/role-token.ts'
import { ACCESS_STATUS_TEXTS, type AccessStatus, Refusal } from './access-status.ts'
import type { AccessToken, Credential, Presenter } from './credential.ts'
import { Credentials, HeldRoles } from './credentials.ts'
import { type AccessCheck, checkOf, type PolicyVersion } from './domain-policies.ts'
import { type AccessExplanation, explainAccess } from './explain-access.ts'
import { athenzConfKeys, jsonWebKeyFileKeys, KeyFile } from './key-files.ts'
import { type LoadCounts, PolicyFolder } from './policy-folder.ts'
import { PublicKeys } from './public-keys.ts'
import { RemoteKeySet } from './remote-key-set.ts'
import { type PolicySource, type ZpeOptions, type ZpeSettings, zpeSettings } from './zpe-options.ts'

/** What the engine has done since its start. */
export interface ZpeCounts {
  /** Access checks by their status. */
  readonly checks: Readonly<Record<AccessStatus, number>>
  /** Policy files taken over, and those that could not be used; zero without a folder. */
  readonly files: LoadCounts
  /** Tokens that are known now. */
  readonly cachedTokens: number
}

interface ZpeParts {
  readonly credentials: Credentials
  readonly policies: PolicySource
  readonly keys: PublicKeys
  readonly settings: ZpeSettings
}

const BARE_CHECKS = Object.fromEntries(
  Object.keys(ACCESS_STATUS_TEXTS).map((status) => [status, checkOf(status as AccessStatus)]),
) as Readonly<Record<AccessStatus, AccessCheck>>

/**
 * The policy engine beside an application: decides by the policies that ZTS signed whether the bearer of a token may do
 * something. It asks nobody for a decision; policies and keys are files that are followed.
 */
export class Zpe {
  readonly #credentials: Credentials
  readonly #policies: PolicySource
  readonly #keys: PublicKeys
  readonly #clock: Clock
  readonly #cleaning: NodeJS.Timeout
  readonly #counts = Object.fromEntries(Object.keys(ACCESS_STATUS_TEXTS).map((status) => [status, 0])) as Record<
    AccessStatus,
    number
  >

  /**
   * Reads keys and policies and goes on following them. Resolves when the policies that are there are read, or when the
   * start has taken `startMillis`; a domain whose policies are not there is answered with `DENY_DOMAIN_NOT_FOUND`.
   * @throws RangeError for an option that cannot be meant
   */
  static async open(options: ZpeOptions = {}): Promise<Zpe> {
    const settings = zpeSettings(options)
    const keys = await openKeys(settings)
    const policies = settings.policySource ?? new PolicyFolder(folderOptions(settings, keys))
    const credentials = new Credentials({ ...settings, keys })
    keys.onWithdrawal(() => credentials.forget())
    const zpe = new Zpe({ credentials, policies, keys, settings })
    await inTime(policies.start(), settings.startMillis)
    return zpe
  }

  private constructor({ credentials, policies, keys, settings }: ZpeParts) {
    this.#credentials = credentials
    this.#policies = policies
    this.#keys = keys
    this.#clock = settings.clock
    this.#cleaning = setInterval(() => credentials.removeExpired(), settings.cleanupMillis)
    this.#cleaning.unref()
  }

  /**
   * Whether the bearer of the credential may do the action on the resource (`DOMAIN:RESOURCE`, or without the domain when
   * it is that of the credential). Letter case does not matter. Of several credentials a denial ends the question, and
   * otherwise one that grants access is enough. With a presenter, access tokens must be bound to its certificate.
   *
   * The answer is there at once for tokens that are known already, and a promise otherwise: `await` suits both.
   */
  allowAccess(
    credential: Credential | readonly Credential[],
    resource: string,
    action: string,
    presenter?: Presenter,
  ): MaybePromise<AccessCheck> {
    if (typeof credential === 'string' && presenter === undefined) {
      const known = this.#credentials.known(credential)
      if (known !== undefined) return this.#counted(this.#decide(known, resource, action))
    }
    return isList(credential)
      ? this.#allowAny(credential, resource, action, presenter)
      : this.#allow(credential, resource, action, presenter)
  }

  /** Whether one of the roles (local names) of the domain may do the action on the resource: the policies alone. */
  allowAction(action: string, domain: string, resource: string, roles: readonly string[]): AccessCheck {
    return this.#counted(this.#decide(new HeldRoles('role-token', domain, roles), resource, action))
  }

  /** The role token of a text; undefined when it is not valid now. */
  async validateRoleToken(text: string): Promise<RoleToken | undefined> {
    const held = await this.#hold(text, undefined)
    return held instanceof HeldRoles && held.kind === 'role-token' && !this.#isExpired(held)
      ? (held.token as RoleToken)
      : undefined
  }

  /** The access token of a text, with `Bearer ` or without; undefined when it is not valid now, or not for the presenter. */
  async validateAccessToken(text: string, presenter?: Presenter): Promise<AccessToken | undefined> {
    const held = await this.#hold(text, presenter)
    return held instanceof HeldRoles && held.kind === 'access-token' && !this.#isExpired(held)
      ? (held.token as AccessToken)
      : undefined
  }

  /** Decides as {@link allowAccess} does and tells how, for people: looks at every assertion of the domain. */
  async explain(
    credential: Credential,
    resource: string,
    action: string,
    presenter?: Presenter,
  ): Promise<AccessExplanation> {
    const held = await this.#hold(credential, presenter)
    const check = held instanceof Refusal ? BARE_CHECKS[held.status] : this.#decide(held, resource, action)
    return explainAccess({
      check,
      held,
      policies: held instanceof Refusal ? undefined : this.#policies.get(held.domain),
      isOnlyDomain: this.#policies.size === 1,
      resource,
      action,
      nowMillis: this.#clock(),
    })
  }

  /** The policies in use, one entry for each domain. */
  policyVersions(): readonly PolicyVersion[] {
    return this.#policies.versions()
  }

  get counts(): ZpeCounts {
    return {
      checks: { ...this.#counts },
      files: this.#policies instanceof PolicyFolder ? this.#policies.counts : { loaded: 0, failed: 0 },
      cachedTokens: this.#credentials.cached,
    }
  }

  /** Looks for new keys and policies now, without waiting for the next look. Never rejects. */
  async refresh(): Promise<void> {
    await this.#keys.refresh()
    if (this.#policies instanceof PolicyFolder) await this.#policies.scan()
  }

  /** Follows keys and policies no more. */
  async close(): Promise<void> {
    clearInterval(this.#cleaning)
    this.#keys.close()
    await this.#policies.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #hold(credential: Credential, presenter: Presenter | undefined): MaybePromise<HeldRoles | Refusal> {
    // Callers without types hand over whatever a header did not have.
    const isThere = credential !== undefined && credential !== null && credential !== ''
    return isThere
      ? this.#credentials.hold(credential, presenter)
      : new Refusal('DENY_ROLETOKEN_INVALID', 'there is no credential')
  }

  #allow(
    credential: Credential,
    resource: string,
    action: string,
    presenter: Presenter | undefined,
  ): MaybePromise<AccessCheck> {
    const held = this.#hold(credential, presenter)
    return isPromise(held)
      ? held.then((outcome) => this.#answer(outcome, resource, action))
      : this.#answer(held, resource, action)
  }

  async #allowAny(
    credentials: readonly Credential[],
    resource: string,
    action: string,
    presenter: Presenter | undefined,
  ): Promise<AccessCheck> {
    let best = BARE_CHECKS.DENY_NO_MATCH
    for (const credential of credentials) {
      const check = await this.#allow(credential, resource, action, presenter)
      if (check.status === 'DENY') return check
      if (!best.granted) best = check
    }
    return best
  }

  #answer(held: HeldRoles | Refusal, resource: string, action: string): AccessCheck {
    return this.#counted(held instanceof HeldRoles ? this.#decide(held, resource, action) : BARE_CHECKS[held.status])
  }

  #counted(check: AccessCheck): AccessCheck {
    this.#counts[check.status]++
    return check
  }

  #isExpired({ expiryTimeSeconds }: HeldRoles): boolean {
    return expiryTimeSeconds !== 0 && expiryTimeSeconds < Math.floor(this.#clock() / 1000)
  }

  /** The steps of the original in its order; each ends the question where it denies. */
  #decide(held: HeldRoles, resource: string, action: string): AccessCheck {
    const { domain, roles, expiryTimeSeconds } = held
    const now = this.#clock()
    if (expiryTimeSeconds !== 0 && expiryTimeSeconds < Math.floor(now / 1000)) return BARE_CHECKS.DENY_ROLETOKEN_EXPIRED
    if (domain === '' || roles.length === 0) return BARE_CHECKS.DENY_ROLETOKEN_INVALID
    if (!action || !resource) return BARE_CHECKS.DENY_INVALID_PARAMETERS
    const local = localResource(resource.toLowerCase(), domain, this.#policies)
    if (local === undefined) return BARE_CHECKS.DENY_DOMAIN_MISMATCH
    const policies = this.#policies.get(domain)
    if (policies === undefined) return BARE_CHECKS.DENY_DOMAIN_NOT_FOUND
    const kept = held.plan
    const plan = kept !== undefined && kept.of === policies ? kept : (held.plan = policies.plan(roles))
    return policies.decide(plan, action.toLowerCase(), local, now)
  }
}

/**
 * A resource without the domain in front of it; undefined when that is another domain. Where there are the policies of one
 * domain only, a colon may be part of the resource.
 */
function localResource(resource: string, domain: string, { size }: { readonly size: number }): string | undefined {
  const colon = resource.indexOf(':')
  if (colon < 0) return resource
  if (colon === domain.length && resource.startsWith(domain)) return resource.slice(colon + 1)
  return size === 1 ? resource : undefined
}

const isList = (given: Credential | readonly Credential[]): given is readonly Credential[] => Array.isArray(given)

async function openKeys(settings: ZpeSettings): Promise<PublicKeys> {
  const { athenzConf, jwkFile, jwkUrl, jwkCoolDownMillis, keyLookMillis, clock, log } = settings
  const files = [
    new KeyFile(athenzConf, (text) => athenzConfKeys(text, athenzConf), log),
    new KeyFile(jwkFile, jsonWebKeyFileKeys, log),
  ]
  const remote = jwkUrl && {
    url: jwkUrl,
    proxyUrl: settings.jwkProxyUrl,
    certificateFile: settings.jwkCertificateFile,
    keyFile: settings.jwkKeyFile,
    authoritiesFile: settings.jwkAuthoritiesFile,
    coolDownMillis: jwkCoolDownMillis,
    clock,
    log,
  }
  return PublicKeys.open({
    files,
    remote: remote && new RemoteKeySet(remote),
    lookMillis: keyLookMillis,
    remoteMillis: jwkCoolDownMillis,
  })
}

const folderOptions = (settings: ZpeSettings, keys: PublicKeys) => {
  const { policyFolder: folder, scanMillis, denyAfterExpirySeconds, checkZmsSignature, clock, log } = settings
  return { folder, scanMillis, denyAfterExpirySeconds, checkZmsSignature, keys, clock, log }
}

/** Resolves when the work is done or the time is over. */
async function inTime(work: Promise<void>, millis: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, millis)
  })
  await Promise.race([work, over])
  clearTimeout(timer)
}
