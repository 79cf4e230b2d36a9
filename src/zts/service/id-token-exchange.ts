import { randomUUID } from 'node:crypto'
import { badRequest, forbidden } from '#core/error/service-error.ts'
import { ok, type Reply, type RequestContext } from '#core/http/endpoint.ts'
import { isName } from '#core/names/patterns.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import type { AccessTokenResponse } from '../api/access-token.ts'
import { TOKEN_TYPES, type TokenRequest } from './access-token-request.ts'
import { idTokenFor } from './id-token.ts'
import { groupsClaim } from './id-token-groups.ts'
import { IdTokenLife } from './id-token-life.ts'
import { idTokenScopeReader } from './id-token-scope.ts'
import type { Scope } from './scope.ts'
import type { TokenExchangeDependencies } from './token-exchange.ts'
import { existingDomain, isCaller, notAuthorized, requestedAudience, subjectOf, tradingCaller } from './trade-rules.ts'
import { ID_TOKEN_ONLY, type TradedTokens } from './traded-token.ts'

const ACTION = 'zts.id_token_exchange'

/** Trades an id token that was made for the caller for one that is made for another service, with roles of the subject. */
export class IdTokenExchange {
  readonly #deps: TokenExchangeDependencies
  readonly #tokens: TradedTokens
  readonly #life: IdTokenLife
  readonly #readScope: (text: string) => Scope

  constructor(deps: TokenExchangeDependencies, tokens: TradedTokens) {
    this.#deps = deps
    this.#tokens = tokens
    this.#life = new IdTokenLife(deps)
    this.#readScope = idTokenScopeReader(deps.config)
  }

  async exchange(request: TokenRequest, context: RequestContext): Promise<Reply> {
    const { authorization, issuers, now, principalIssuers, signers } = this.#deps
    const audience = requestedAudience(request.audience)
    const token = await this.#tokens.subject(request, ID_TOKEN_ONLY)
    const caller = tradingCaller(context.principal, 'id token exchange request')
    const client = isName('ServiceName', audience) ? splitPrincipalName(audience) : undefined
    if (client === undefined) throw badRequest('Invalid client id')
    existingDomain(this.#deps, client.domain)
    if (!isCaller(this.#deps, caller, token.audience)) throw badRequest('Invalid subject token audience')
    const subject = subjectOf(token, 'Invalid subject token')
    if (!authorization.isAllowed(caller, ACTION, `${client.domain}:principal.${subject}`)) {
      throw notAuthorized('id token exchange')
    }
    if (!request.scope) throw badRequest('Invalid request: no scope provided')
    const roles = groupsClaim(this.#deps, {
      subject,
      scope: this.#readScope(request.scope),
      clientDomain: client.domain,
      fullNames: true,
      allPresent: false,
      rolesOnly: true,
    })
    if (roles === undefined) throw forbidden('principal not included in requested roles')
    for (const role of roles) {
      if (!authorization.mayPrincipal(subject, ACTION, role)) {
        throw notAuthorized('token exchange for the requested role')
      }
    }

    const lifeSeconds = this.#life.secondsFor(subject, request.expiresInSeconds)
    const idToken = await idTokenFor(signers.jsonWebObjects(), {
      subject,
      audience,
      issuer: issuers.openId(context),
      issuedSeconds: Math.floor(now() / 1000),
      lifeSeconds,
      nonce: randomUUID(),
      groups: roles,
      spiffe: token.spiffe,
      principalIssuer: principalIssuers.issuerOf(caller),
    })
    const response: AccessTokenResponse = {
      token_type: 'Bearer',
      expires_in: lifeSeconds,
      id_token: idToken,
      issued_token_type: TOKEN_TYPES.idToken,
    }
    return ok(response)
  }
}
