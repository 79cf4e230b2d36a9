import { badRequest, forbidden } from '#core/error/service-error.ts'
import { ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import { requireName } from '#core/names/require-name.ts'
import { JwtWriter, textClaim } from '#core/token/json-web-token.ts'
import type { AccessTokenResponse } from '../api/access-token.ts'
import type { TokenTrades } from './access-token.ts'
import { type Actor, accessTokenClaims } from './access-token-claims.ts'
import { requestedActor, type TokenRequest } from './access-token-request.ts'
import { ACCESS_TOKEN_TYPE } from './client-credentials.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { IdTokenExchange } from './id-token-exchange.ts'
import { JagTrades } from './jag.ts'
import { heldRoles } from './role-grant.ts'
import { parseAccessTokenScope } from './scope.ts'
import { tokenLifeSeconds } from './token-life.ts'
import {
  accessTokenLimits,
  existingDomain,
  fullRoleNames,
  notAuthorized,
  requestedAudience,
  roleNames,
  subjectOf,
  tradingCaller,
} from './trade-rules.ts'
import { ANY_TOKEN, principalOfToken, type TradedToken, TradedTokens } from './traded-token.ts'

/** What trades of tokens need. */
export type TokenExchangeDependencies = Pick<
  ZtsDependencies,
  | 'authorization'
  | 'certificateBinding'
  | 'config'
  | 'domains'
  | 'foreignIssuers'
  | 'issuers'
  | 'keyStore'
  | 'now'
  | 'principalIssuers'
  | 'roleAccess'
  | 'signers'
>

/** Trades of tokens (RFC 8693), and of identity assertion grants. */
export function tokenExchange(deps: TokenExchangeDependencies): TokenTrades {
  const tokens = new TradedTokens(deps)
  const accessTokens = new AccessTokenExchange(deps, tokens)
  const idTokens = new IdTokenExchange(deps, tokens)
  const jags = new JagTrades(deps, tokens)
  return {
    exchangeAccessToken: (request, context) => accessTokens.exchange(request, context),
    exchangeIdToken: (request, context) => idTokens.exchange(request, context),
    issueJag: (request, context) => jags.issue(request, context),
    exchangeJag: (request, context) => jags.exchange(request, context),
  }
}

const SOURCE_ACTION = 'zts.token_source_exchange'
const TARGET_ACTION = 'zts.token_target_exchange'

/**
 * Trades a token of one domain for an access token of another about the same subject. Without an actor the caller takes
 * the place of the subject (impersonation), which the source domain must allow. With an actor that the subject's token
 * names, and which is the caller, the new token says that the one acts for the other (delegation).
 */
class AccessTokenExchange {
  readonly #deps: TokenExchangeDependencies
  readonly #tokens: TradedTokens
  readonly #writer = new JwtWriter(ACCESS_TOKEN_TYPE)

  constructor(deps: TokenExchangeDependencies, tokens: TradedTokens) {
    this.#deps = deps
    this.#tokens = tokens
  }

  async exchange(request: TokenRequest, context: RequestContext): Promise<Reply> {
    const { authorization, certificateBinding, issuers, now, principalIssuers, roleAccess, signers } = this.#deps
    const token = await this.#tokens.subject(request, ANY_TOKEN)
    const audience = requestedAudience(request.audience)
    const actor = await this.#tokens.actor(request)
    if (actor) checkMayAct(token, actor)
    const caller = tradingCaller(context.principal ?? (actor && principalOfToken(actor)), 'token exchange')
    if (actor && actor.subject !== caller.fullName) {
      throw forbidden('Request principal does not match actor token principal')
    }

    const mayAct = requestedActor(request)
    requireName('DomainName', audience)
    const target = existingDomain(this.#deps, audience, 'target ')
    const source = existingDomain(this.#deps, token.audience ?? '', 'source ')
    const names = rolesInBoth(request.scope, token, target.name)
    const subject = subjectOf(token, 'Invalid subject token')
    // Not by the ends of names, as elsewhere: a role that the token does not name must not come in by resemblance.
    const roles = heldRoles({ roleAccess, domain: target, names, match: 'exact', api: context.api }, subject)
    if (!actor && !authorization.isAllowed(caller, SOURCE_ACTION, `${source.name}:${target.name}`)) {
      throw notAuthorized('token impersonation from source domain')
    }
    for (const role of roles) {
      if (authorization.isAllowed(caller, TARGET_ACTION, `${target.name}:${source.name}:role.${role}`)) continue
      throw notAuthorized('token exchange for the requested role')
    }

    const lifeSeconds = tokenLifeSeconds(
      { maxSeconds: request.expiresInSeconds },
      accessTokenLimits(this.#deps),
      target,
      roles,
    )
    const claims = accessTokenClaims({
      subject,
      clientId: caller.fullName,
      userId: caller.fullName,
      audience: target.name,
      issuer: request.openIdIssuer ? issuers.openId(context) : issuers.oauth(context),
      issuedSeconds: Math.floor(now() / 1000),
      lifeSeconds,
      roles,
      ...(actor
        ? { actor: actorOf(caller.fullName, token), mayAct }
        : { confirmation: certificateBinding.confirmationOf(caller, request.proxyPrincipalSpiffeUris) }),
      principalIssuer: principalIssuers.issuerOf(caller),
      resource: request.resource || undefined,
      spiffe: token.spiffe,
    })
    const response: AccessTokenResponse = {
      access_token: await this.#writer.write(signers.jsonWebObjects(), claims),
      token_type: 'Bearer',
      expires_in: lifeSeconds,
      scope: fullRoleNames(target, roles).join(' '),
    }
    return ok(response)
  }
}

/** The subject must have named the actor, when it got its token, as the one who may act for it. */
function checkMayAct({ claims }: TradedToken, actor: TradedToken): void {
  const mayAct = Object.hasOwn(claims, 'may_act') ? claims['may_act'] : undefined
  if (!isObject(mayAct) || !Object.hasOwn(mayAct, 'sub')) {
    throw badRequest('Invalid subject token: missing may_act claim')
  }
  const named = textClaim(mayAct, 'sub')
  if (named === undefined || named !== actor.subject) {
    throw badRequest('Invalid subject token: may_act sub does not match actor token subject')
  }
}

/** The actor, with those for whom others acted before. */
function actorOf(name: string, { claims }: TradedToken): Actor {
  const before = Object.hasOwn(claims, 'act') ? claims['act'] : undefined
  return isObject(before) ? { sub: name, act: before } : { sub: name }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const invalidScope = () => badRequest('Invalid scope for token exchange')

/** Local names of the roles asked for: all of the token's, or some of them. */
function rolesInBoth(scope: string | undefined, { claims }: TradedToken, target: string): readonly string[] {
  const own = roleNames(textClaim(claims, 'scope'))
  if (own === undefined) throw invalidScope()
  if (!scope) return own
  const asked = parseAccessTokenScope(scope)
  if (asked.domain !== target) throw invalidScope()
  const names = asked.rolesIn(target) ?? own
  if (!names.every((name) => own.includes(name))) throw invalidScope()
  return names
}
