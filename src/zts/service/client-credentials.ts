import type { Principal } from '#core/authority/principal.ts'
import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import { isPromise, type MaybePromise } from '#core/http/maybe-promise.ts'
import { requireName } from '#core/names/require-name.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import { JwtWriter } from '#core/token/json-web-token.ts'
import type { AccessTokenResponse } from '../api/access-token.ts'
import type { CachedDomain } from '../cache/model.ts'
import { accessTokenClaims } from './access-token-claims.ts'
import { requestedActor, type TokenRequest } from './access-token-request.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { idTokenFor } from './id-token.ts'
import { refuseForeignAuthorizedService, refuseOtherRoles } from './principal-rules.ts'
import { grantedRoles, ProxyUsers } from './role-grant.ts'
import { type AccessTokenScope, parseAccessTokenScope } from './scope.ts'
import { tokenLifeSeconds } from './token-life.ts'

/** What access tokens for callers need. */
export type ClientCredentialsDependencies = Pick<
  ZtsDependencies,
  | 'authorizationDetails'
  | 'certificateBinding'
  | 'config'
  | 'domains'
  | 'issuers'
  | 'now'
  | 'principalIssuers'
  | 'roleAccess'
  | 'signers'
>

/** Type of access tokens (RFC 9068, 2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt'

/** An access token for the caller, or for whom it may ask. */
export interface ClientCredentialsRequest {
  readonly request: TokenRequest
  readonly scope: string
  readonly principal: Principal
  readonly context: RequestContext
}

/** What an access token was granted for. */
interface Grant {
  readonly subject: string
  readonly issuer: string
  readonly scope: AccessTokenScope
  readonly domain: CachedDomain
  readonly roles: readonly string[]
  readonly lifeSeconds: number
  readonly issuedSeconds: number
  /** Whether an id token goes with it. */
  readonly openId: boolean
}

/** Issues access tokens by the memberships of the caller: the grant `client_credentials`. */
export class ClientCredentials {
  readonly #deps: ClientCredentialsDependencies
  readonly #proxyUsers: ProxyUsers
  readonly #accessTokens = new JwtWriter(ACCESS_TOKEN_TYPE)

  constructor(deps: ClientCredentialsDependencies) {
    this.#deps = deps
    this.#proxyUsers = new ProxyUsers(deps.config.zts.authorizedProxyUsers)
  }

  /** Answers at once when the signing key works on the event loop. */
  issue(asked: ClientCredentialsRequest): MaybePromise<Reply> {
    const { request, principal } = asked
    const mayAct = requestedActor(request)
    const proxied = this.#proxied(asked)
    const grant = this.#grant(asked, proxied)
    const { certificateBinding, principalIssuers, signers } = this.#deps
    const { subject, issuer, issuedSeconds, lifeSeconds, roles, domain } = grant
    const claims = accessTokenClaims({
      subject,
      clientId: subject,
      userId: subject,
      audience: audienceOf(domain.name, roles, request),
      issuer,
      issuedSeconds,
      lifeSeconds,
      roles,
      proxyPrincipal: proxied && principal.fullName,
      confirmation: certificateBinding.confirmationOf(principal, request.proxyPrincipalSpiffeUris),
      authorizationDetails: request.authorizationDetails,
      mayAct,
      principalIssuer: principalIssuers.issuerOf(principal),
    })
    const token = this.#accessTokens.write(signers.jsonWebObjects(), claims)
    if (grant.openId) return this.#withIdToken(token, grant, principal)
    return isPromise(token) ? token.then((text) => answer(grant, text)) : answer(grant, token)
  }

  #proxied({ request, principal }: ClientCredentialsRequest): string | undefined {
    const { proxyForPrincipal: proxied } = request
    if (proxied === undefined) return undefined
    requireName('EntityName', proxied)
    if (this.#proxyUsers.includes(principal)) return proxied
    throw forbidden(`Principal: ${principal.fullName} not authorized for proxy access token request`)
  }

  #grant({ request, scope: text, principal, context }: ClientCredentialsRequest, proxied: string | undefined): Grant {
    const { authorizationDetails, config, domains, issuers, now, roleAccess } = this.#deps
    const { zts } = config
    const scope = parseAccessTokenScope(text, {
      roleDomain: zts.oauthScopeRoleWithoutDomain ? principal.domain : undefined,
    })
    const domain = domains.get(scope.domain)
    if (domain === undefined) throw notFound(`No such domain: ${scope.domain}`)
    const names = scope.rolesIn(domain.name)
    if (request.authorizationDetails !== undefined) {
      authorizationDetails.check(request.authorizationDetails, domain, names)
    }
    refuseForeignAuthorizedService(principal, domain.name)
    const openId = scope.openId && zts.oauthOpenidScope
    const roles = grantedRoles({
      roleAccess,
      domain,
      caller: principal.fullName,
      proxied,
      names,
      api: context.api,
      beforeProxied: () => {
        if (openId) throw badRequest('Proxy Principal cannot request id tokens')
      },
    })
    refuseOtherRoles(principal, domain.name, roles)
    if (openId) requireName('SimpleName', scope.audienceService?.slice(domain.name.length + 1) ?? '')
    context.concerns?.(domain.name)
    const limits = { defaultSeconds: zts.roleTokenDefaultTimeoutSeconds, maxSeconds: zts.roleTokenMaxTimeoutSeconds }
    return {
      subject: proxied ?? principal.fullName,
      issuer: request.openIdIssuer ? issuers.openId(context) : issuers.oauth(context),
      scope,
      domain,
      roles,
      lifeSeconds: tokenLifeSeconds({ maxSeconds: request.expiresInSeconds }, limits, domain, roles),
      issuedSeconds: Math.floor(now() / 1000),
      openId,
    }
  }

  async #withIdToken(token: MaybePromise<string>, grant: Grant, principal: Principal): Promise<Reply> {
    const { config, principalIssuers, signers } = this.#deps
    const { subject, issuer, issuedSeconds, lifeSeconds, scope } = grant
    const idToken = idTokenFor(signers.jsonWebObjects(), {
      subject,
      audience: scope.audienceService ?? scope.domain,
      issuer,
      issuedSeconds,
      lifeSeconds: Math.min(lifeSeconds, config.zts.idTokenMaxTimeoutSeconds),
      principalIssuer: principalIssuers.issuerOf(principal),
    })
    const [accessText, idText] = await Promise.all([token, idToken])
    return answer(grant, accessText, idText)
  }
}

/** The domain; with the only role behind it when the request wants it so. */
function audienceOf(domain: string, roles: readonly string[], { roleInAudience }: TokenRequest): string {
  const [role, ...others] = roles
  return roleInAudience && role !== undefined && others.length === 0 ? `${domain}:${role}` : domain
}

function answer(grant: Grant, accessToken: string, idToken?: string): Reply {
  const scope = grantedScope(grant)
  const response: AccessTokenResponse = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: grant.lifeSeconds,
    ...(scope !== undefined && { scope }),
    ...(idToken !== undefined && { id_token: idToken }),
  }
  return ok(response)
}

/** What was granted, where it is not just what was asked for (RFC 6749, 5.1). */
function grantedScope({ scope, roles, domain, openId }: Grant): string | undefined {
  const asked = scope.rolesIn(domain.name)
  if (!scope.wholeDomain && (asked === undefined || roles.length === asked.length)) return undefined
  const granted = roles.map((role): string => roleResourceName(domain.name, role))
  return (openId ? [...granted, 'openid'] : granted).join(' ')
}
