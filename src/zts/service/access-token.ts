import type { Principal } from '#core/authority/principal.ts'
import { badRequest } from '#core/error/service-error.ts'
import type { Handlers, Reply, RequestContext } from '#core/http/endpoint.ts'
import type { MaybePromise } from '#core/http/maybe-promise.ts'
import { parseJwt, textClaim } from '#core/token/json-web-token.ts'
import { excerpt } from '#core/token/token-fields.ts'
import type { accessTokenEndpoints } from '../api/access-token.ts'
import {
  CLIENT_ASSERTION_TYPE,
  GRANT_TYPES,
  type GrantType,
  parseTokenRequest,
  TOKEN_TYPES,
  type TokenRequest,
} from './access-token-request.ts'
import { ClientAssertions, ID_JAG_TYPE } from './client-assertion.ts'
import { ClientCredentials, type ClientCredentialsDependencies } from './client-credentials.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { authenticated } from './principal-rules.ts'

/** Trades one token for another. */
export type TokenTrade = (request: TokenRequest, context: RequestContext) => Promise<Reply>

/** The trades that the token operation knows. */
export interface TokenTrades {
  readonly exchangeAccessToken: TokenTrade
  readonly exchangeIdToken: TokenTrade
  readonly issueJag: TokenTrade
  readonly exchangeJag: TokenTrade
}

/** What the token operation needs. */
export type AccessTokenDependencies = ClientCredentialsDependencies & Pick<ZtsDependencies, 'keyStore'>

/** Access tokens, and the trades of tokens. */
export function accessTokenService(
  deps: AccessTokenDependencies,
  trades: TokenTrades,
): Handlers<typeof accessTokenEndpoints> {
  const { config } = deps
  const clientCredentials = new ClientCredentials(deps)
  const assertions = new ClientAssertions({ ...deps, userDomain: config.userDomain })

  /** Who asks: as an authority says, or else the client assertion, which must hold whoever asks. */
  const callerOf = (request: TokenRequest, { principal }: RequestContext): MaybePromise<Principal> => {
    const assertion = clientAssertionOf(request)
    if (assertion === undefined) return authenticated(principal)
    return assertions.verify(assertion).then((verified) => principal ?? verified.principal)
  }

  const forClientCredentials = (request: TokenRequest, context: RequestContext): MaybePromise<Reply> => {
    const { scope } = request
    if (!scope) throw badRequest('Invalid request: no scope provided')
    const caller = callerOf(request, context)
    const issue = (principal: Principal) => clientCredentials.issue({ request, scope, principal, context })
    return caller instanceof Promise ? caller.then(issue) : issue(caller)
  }

  /** The assertion names the client, and may say the scope; an assertion of another type is a grant of its own. */
  const forAssertion = async (request: TokenRequest, context: RequestContext): Promise<Reply> => {
    const { assertion } = request
    if (!assertion) throw badRequest('Invalid request: no assertion provided')
    const parsed = parseJwt(assertion)
    if (!parsed.ok) throw badRequest(`Invalid assertion token: ${parsed.failure.reason}`)
    if (parsed.token.header.typ === ID_JAG_TYPE) return trades.exchangeJag(request, context)
    const { principal, claims } = await assertions.verifyParsed(parsed.token)
    const scope = request.scope || textClaim(claims, 'scope')?.toLowerCase()
    if (!scope) throw badRequest('Invalid client assertion: Invalid assertion: no scope claim provided')
    return clientCredentials.issue({ request, scope, principal: context.principal ?? principal, context })
  }

  const forExchange = async (request: TokenRequest, context: RequestContext): Promise<Reply> => {
    switch (request.requestedTokenType || TOKEN_TYPES.accessToken) {
      case TOKEN_TYPES.accessToken:
        return trades.exchangeAccessToken(request, context)
      case TOKEN_TYPES.idToken:
        return trades.exchangeIdToken(request, context)
      case TOKEN_TYPES.idJag: {
        const caller = clientAssertionOf(request) === undefined ? undefined : await callerOf(request, context)
        return trades.issueJag(request, caller === undefined ? context : withPrincipal(context, caller))
      }
      default:
        throw badRequest(`Invalid requested token type: ${excerpt(request.requestedTokenType ?? '')}`)
    }
  }

  const grants: Readonly<Record<GrantType, (request: TokenRequest, context: RequestContext) => MaybePromise<Reply>>> = {
    [GRANT_TYPES.clientCredentials]: forClientCredentials,
    [GRANT_TYPES.jwtBearer]: forAssertion,
    [GRANT_TYPES.tokenExchange]: forExchange,
  }
  return {
    postAccessTokenRequest({ body }, context) {
      const request = parseTokenRequest(body)
      return grants[request.grantType](request, context)
    },
  }
}

/** The client assertion of a request; its type must be right whoever asks. Undefined without one. */
function clientAssertionOf({ clientAssertion, clientAssertionType: type }: TokenRequest): string | undefined {
  if (!clientAssertion) return undefined
  if (!type) throw badRequest('Invalid request: no client assertion type provided')
  if (type !== CLIENT_ASSERTION_TYPE) throw badRequest(`Invalid client assertion type: ${excerpt(type)}`)
  return clientAssertion
}

/** The circumstances of a request of a caller whom no authority knows. */
function withPrincipal(context: RequestContext, principal: Principal): RequestContext {
  const { requestId, api, method, remoteAddress, secure, localPort, signal } = context
  return {
    requestId,
    api,
    method,
    principal,
    remoteAddress,
    header: (name) => context.header(name),
    ...(secure !== undefined && { secure }),
    ...(localPort !== undefined && { localPort }),
    ...(signal && { signal }),
  }
}
