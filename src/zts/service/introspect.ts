import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { resourceDomain } from '#core/names/resource-name.ts'
import { type JwtClaims, textClaim, timeClaim, verifyJwt } from '#core/token/json-web-token.ts'
import type { IntrospectResponse, introspectEndpoints } from '../api/introspect.ts'
import { ACCESS_TOKEN_TYPE } from './client-credentials.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { authenticated } from './principal-rules.ts'

/** What introspection needs. */
export type IntrospectDependencies = Pick<ZtsDependencies, 'authorization' | 'config' | 'issuers' | 'keyStore' | 'now'>

const INACTIVE: IntrospectResponse = { active: false, ver: 0 }

const TOKEN_FIELD = 'token='

/**
 * Introspection of access tokens of this server (RFC 7662). Whoever may not ask about the tokens of a domain is told
 * the same as about a token that does not count.
 */
export function introspectService(deps: IntrospectDependencies): Handlers<typeof introspectEndpoints> {
  const { authorization, config, issuers, keyStore, now } = deps

  return {
    async postIntrospectRequest({ body }, context) {
      const principal = authenticated(context.principal)
      if (!config.zts.introspectSupportEnabled) {
        throw badRequest('postIntrospectRequest: Introspection is not supported')
      }
      const token = tokenIn(body)
      if (!token) throw badRequest('postIntrospectRequest: No token provided')
      const outcome = await verifyJwt(token, {
        keyOf: ({ kid }, claims) => {
          const issuer = textClaim(claims, 'iss')
          if (kid === undefined || issuer === undefined || !issuers.all.has(issuer)) return undefined
          return keyStore.publicKey('sys.auth', 'zts', kid)
        },
        types: [ACCESS_TOKEN_TYPE],
        nowSeconds: Math.floor(now() / 1000),
        // It is the clock of this server, or of one like it, that the token was made by.
        allowedSkewSeconds: 0,
      })
      if (!outcome.ok) return ok(INACTIVE)
      const { claims } = outcome.token
      const domain = domainOf(textClaim(claims, 'aud') ?? '')
      if (!authorization.isAllowed(principal, 'introspect', `${domain}:token`)) return ok(INACTIVE)
      return ok(described(claims))
    },
  }
}

/** The first field `token` of a form, as it was sent: in a token there is nothing to be encoded. */
const tokenIn = (body: string): string | undefined =>
  body
    .split('&')
    .find((field) => field.startsWith(TOKEN_FIELD))
    ?.slice(TOKEN_FIELD.length)

/** An audience may be a domain, or a domain with a role behind a colon. */
const domainOf = (audience: string): string => resourceDomain(audience) ?? audience

function described(claims: JwtClaims): IntrospectResponse {
  const texts = ['aud', 'iss', 'jti', 'sub', 'scope', 'client_id', 'uid', 'proxy', 'authorization_details']
  const times = ['exp', 'iat', 'auth_time']
  const said = (names: readonly string[], read: (claims: JwtClaims, name: string) => string | number | undefined) =>
    names.flatMap((name) => {
      const value = read(claims, name)
      return value === undefined ? [] : [[name, value] as const]
    })
  return {
    active: true,
    ver: timeClaim(claims, 'ver') ?? 0,
    ...Object.fromEntries([...said(times, timeClaim), ...said(texts, textClaim)]),
  }
}
