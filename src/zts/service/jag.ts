import type { Principal } from '#core/authority/principal.ts'
import { badRequest, forbidden } from '#core/error/service-error.ts'
import { ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import { requireName } from '#core/names/require-name.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import { JwtWriter, textClaim } from '#core/token/json-web-token.ts'
import type { AccessTokenResponse } from '../api/access-token.ts'
import { accessTokenClaims } from './access-token-claims.ts'
import { requestedActor, TOKEN_TYPES, type TokenRequest } from './access-token-request.ts'
import { ID_JAG_TYPE } from './client-assertion.ts'
import { ACCESS_TOKEN_TYPE } from './client-credentials.ts'
import { heldRoles } from './role-grant.ts'
import { type AccessTokenScope, parseAccessTokenScope, roleDomainOf } from './scope.ts'
import type { TokenExchangeDependencies } from './token-exchange.ts'
import { tokenLifeSeconds } from './token-life.ts'
import {
  accessTokenLimits,
  existingDomain,
  fullRoleNames,
  isCaller,
  notAuthorized,
  requestedAudience,
  subjectOf,
  tradingCaller,
} from './trade-rules.ts'
import { ID_TOKEN_ONLY, type TradedToken, type TradedTokens } from './traded-token.ts'

const ACTION = 'zts.jag_exchange'

/**
 * Identity assertion grants (JAG): a client trades the id token of its user for a grant that the issuer of another
 * resource takes, and with such a grant a client gets an access token.
 */
export class JagTrades {
  readonly #deps: TokenExchangeDependencies
  readonly #tokens: TradedTokens
  readonly #jags = new JwtWriter(ID_JAG_TYPE)
  readonly #accessTokens = new JwtWriter(ACCESS_TOKEN_TYPE)

  constructor(deps: TokenExchangeDependencies, tokens: TradedTokens) {
    this.#deps = deps
    this.#tokens = tokens
  }

  /** An id token for a grant. */
  async issue(request: TokenRequest, context: RequestContext): Promise<Reply> {
    const { authorization, issuers, now, principalIssuers, roleAccess, signers } = this.#deps
    if (!request.scope) throw badRequest('Invalid request: no scope provided')
    const audience = requestedAudience(request.audience)
    const token = await this.#tokens.subject(request, ID_TOKEN_ONLY)
    const caller = tradingCaller(context.principal, 'jag request')
    if (!this.#isMeantFor(token, caller)) throw badRequest('Invalid subject token audience')
    const scope = this.#scope(request.scope, caller.fullName)
    const names = scope.rolesIn(scope.domain)
    if (names === undefined) throw badRequest('Scope value does not contain any roles')
    const domain = existingDomain(this.#deps, scope.domain)
    const subject = subjectOf(token, 'Invalid subject token')
    const roles = heldRoles({ roleAccess, domain, names, match: 'exact', api: context.api }, subject)
    for (const name of names) {
      if (!authorization.isAllowed(caller, ACTION, roleResourceName(domain.name, name))) {
        throw notAuthorized('token exchange for the requested role')
      }
    }

    const requested = { maxSeconds: request.expiresInSeconds }
    const lifeSeconds = tokenLifeSeconds(requested, accessTokenLimits(this.#deps), domain, roles)
    const fullNames = fullRoleNames(domain, roles)
    const claims = accessTokenClaims({
      subject,
      clientId: caller.fullName,
      userId: undefined,
      audience,
      issuer: issuers.openId(context),
      issuedSeconds: Math.floor(now() / 1000),
      lifeSeconds,
      roles: fullNames,
      principalIssuer: principalIssuers.issuerOf(caller),
      resource: request.resource || undefined,
    })
    const response: AccessTokenResponse = {
      // Ours come last: what a foreign issuer says never takes the place of what this server says.
      access_token: await this.#jags.write(signers.jsonWebObjects(), { ...token.copied, ...claims }),
      token_type: 'N_A',
      expires_in: lifeSeconds,
      scope: fullNames.join(' '),
      issued_token_type: TOKEN_TYPES.idJag,
    }
    return ok(response)
  }

  /** A grant for an access token. */
  async exchange(request: TokenRequest, context: RequestContext): Promise<Reply> {
    const { issuers, now, principalIssuers, roleAccess, signers } = this.#deps
    const jag = await this.#tokens.assertion(request)
    const caller = tradingCaller(context.principal, 'jag token exchange')
    if (jag.audience === undefined || !issuers.all.has(jag.audience)) {
      throw badRequest('Unknown jag assertion audience')
    }
    if (!isCaller(this.#deps, caller, jag.claims['client_id'])) throw badRequest('Invalid jag assertion client_id')
    const actor = requestedActor(request)
    if (actor !== undefined && caller.x509Certificate === undefined) {
      throw forbidden('Actor parameter requires X.509 authenticated principal')
    }
    const scopeText = scopeOfGrant(jag, request.scope)
    const subject = subjectOf(jag, 'Invalid jag assertion')
    const scope = this.#scope(scopeText, subject)
    const names = scope.rolesIn(scope.domain)
    const domain = existingDomain(this.#deps, scope.domain)
    const roles = heldRoles({ roleAccess, domain, names, match: 'exact', api: context.api }, subject)

    const lifeSeconds = tokenLifeSeconds(
      { maxSeconds: this.#requestedLifeSeconds(subject) },
      accessTokenLimits(this.#deps),
      domain,
      roles,
    )
    const fullNames = fullRoleNames(domain, roles)
    const shown = request.fullArn ? fullNames : roles
    const claims = accessTokenClaims({
      subject,
      clientId: caller.fullName,
      userId: subject,
      audience: audienceOf(request, domain.name, shown),
      issuer: request.openIdIssuer ? issuers.openId(context) : issuers.oauth(context),
      issuedSeconds: Math.floor(now() / 1000),
      lifeSeconds,
      roles: shown,
      mayAct: actor,
      actor: actor === undefined ? undefined : { sub: caller.fullName },
      principalIssuer: principalIssuers.issuerOf(caller),
      resource: request.resource || undefined,
    })
    const response: AccessTokenResponse = {
      access_token: await this.#accessTokens.write(signers.jsonWebObjects(), claims),
      token_type: 'Bearer',
      expires_in: lifeSeconds,
      ...((scope.wholeDomain || roles.length < (names?.length ?? 0)) && { scope: fullNames.join(' ') }),
    }
    return ok(response)
  }

  /** Bare words in a scope are, if at all, roles in the domain of the principal of that name. */
  #scope(text: string, fullName: string): AccessTokenScope {
    const { oauthScopeRoleWithoutDomain } = this.#deps.config.zts
    return parseAccessTokenScope(text, { roleDomain: oauthScopeRoleWithoutDomain ? roleDomainOf(fullName) : undefined })
  }

  /** For the caller itself; a person with a certificate may hand in any id token of hers. */
  #isMeantFor({ audience, subject }: TradedToken, caller: Principal): boolean {
    if (isCaller(this.#deps, caller, audience)) return true
    const isPerson = caller.domain === this.#deps.config.userDomain && caller.x509Certificate !== undefined
    return isPerson && Boolean(audience) && subject === caller.fullName
  }

  /** What an access token for a grant lives, unless server or roles limit it further: nobody is asked. */
  #requestedLifeSeconds(subject: string): number {
    const { userDomain, zts } = this.#deps.config
    return splitPrincipalName(subject)?.domain === userDomain
      ? zts.jagTokenUserMaxTimeoutSeconds
      : zts.jagTokenServiceMaxTimeoutSeconds
  }
}

/** What is asked for with a grant: everything in its scope, or some of its words. */
function scopeOfGrant({ claims }: TradedToken, requested: string | undefined): string {
  const granted = words(textClaim(claims, 'scope'))
  if (granted.length === 0) throw badRequest('Invalid jag assertion - missing scope')
  const asked = words(requested)
  const all = new Set(granted)
  if (!asked.every((word) => all.has(word))) {
    throw badRequest('Invalid request: requested scope is not a subset of assertion scope')
  }
  return (asked.length > 0 ? asked : granted).join(' ')
}

const words = (text = ''): readonly string[] => text.split(/\s/).filter((word) => word !== '')

/**
 * The domain, or with full names of roles what the request says; behind that the only role when the request wants it, and
 * then it must name a service.
 */
function audienceOf(request: TokenRequest, domain: string, [role, ...others]: readonly string[]): string {
  if (!request.fullArn) return domain
  const audience = requestedAudience(request.audience)
  if (!request.roleInAudience || role === undefined || others.length > 0) return audience
  requireName('ServiceName', audience)
  return `${audience}:${role}`
}
