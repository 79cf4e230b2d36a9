import type { Signer } from '#core/crypto/signing.ts'
import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok, type Reply } from '#core/http/endpoint.ts'
import { type PrincipalParts, splitPrincipalName } from '#core/names/principal-name.ts'
import { signJwt } from '#core/token/json-web-token.ts'
import type { idTokenEndpoints } from '../api/id-token.ts'
import type { CachedDomain } from '../cache/model.ts'
import { TOKEN_TYPES } from './access-token-request.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { groupsClaim } from './id-token-groups.ts'
import { IdTokenLife } from './id-token-life.ts'
import { idTokenScopeReader } from './id-token-scope.ts'
import { authenticated, refuseForeignAuthorizedService, refuseRoleIdentity } from './principal-rules.ts'

/** What an id token says. */
export interface IdTokenGrant {
  readonly subject: string
  readonly audience: string
  readonly issuer: string
  /** Epoch seconds. */
  readonly issuedSeconds: number
  readonly lifeSeconds: number
  readonly nonce?: string | undefined
  /** Groups or roles of the subject; left out when there are none. */
  readonly groups?: readonly string[] | undefined
  readonly spiffe?: string | undefined
  /** Identity issuer behind the certificate of who asked. */
  readonly principalIssuer?: string | undefined
}

/** Writes an id token; claims without a value are left out. A promise for keys whose work is done on the thread pool. */
export function idTokenFor(signer: Signer, grant: IdTokenGrant): Promise<string> | string {
  const { issuedSeconds, lifeSeconds, groups } = grant
  return signJwt(signer, {
    sub: grant.subject,
    aud: grant.audience,
    ver: 1,
    auth_time: issuedSeconds,
    iss: grant.issuer,
    groups: groups && groups.length > 0 ? groups : undefined,
    exp: issuedSeconds + lifeSeconds,
    iat: issuedSeconds,
    nonce: grant.nonce,
    spiffe: grant.spiffe,
    principal_issuer: grant.principalIssuer,
  })
}

/** What id tokens need. */
export type IdTokenDependencies = Pick<
  ZtsDependencies,
  'config' | 'domains' | 'roleAccess' | 'signers' | 'issuers' | 'principalIssuers' | 'now'
>

/** Id tokens by the implicit flow of OpenID Connect: the answer is a redirect with the token, or JSON. */
export function idTokenService(deps: IdTokenDependencies): Handlers<typeof idTokenEndpoints> {
  const { config, domains, signers, issuers, principalIssuers, now } = deps
  const life = new IdTokenLife(deps)
  const readScope = idTokenScopeReader(config)

  const checkedRedirect = (uri: string | undefined, client: PrincipalParts, domain: CachedDomain): string => {
    const accepted = redirectUris(client, domain, config.zts.redirectUriSuffix)
    if (!uri || !accepted.includes(uri.toLowerCase())) throw badRequest('invalid redirect uri')
    return uri
  }

  return {
    async getOIDCResponse({ query }, context): Promise<Reply> {
      const principal = authenticated(context.principal)
      const clientId = query.clientId.toLowerCase()
      const client = splitPrincipalName(clientId)
      if (client === undefined) throw badRequest('Invalid client id')
      const domain = domains.get(client.domain)
      if (domain === undefined) throw notFound(`No such domain: ${client.domain}`)
      const asJson = query.output?.toLowerCase() === 'json'
      const redirectUri = asJson && !query.redirectUri ? undefined : checkedRedirect(query.redirectUri, client, domain)
      if (query.responseType !== 'id_token') throw badRequest('invalid response type')
      if (!query.scope) throw badRequest('no scope provided')
      const scope = readScope(query.scope)
      refuseForeignAuthorizedService(principal, client.domain)
      refuseRoleIdentity(principal)

      const groups = groupsClaim(deps, {
        subject: principal.fullName,
        scope,
        clientDomain: client.domain,
        fullNames: query.fullArn,
        allPresent: query.allScopePresent,
      })
      const issuedSeconds = Math.floor(now() / 1000)
      const lifeSeconds = life.secondsFor(principal.fullName, query.expiryTime)
      const token = await idTokenFor(signers.jsonWebObjects(keyTypeOf(query.keyType)), {
        subject: principal.fullName,
        audience: query.roleInAudClaim && groups?.length === 1 ? `${clientId}:${groups[0]}` : clientId,
        issuer: issuers.openId(context),
        issuedSeconds,
        lifeSeconds,
        nonce: query.nonce,
        groups,
        principalIssuer: principalIssuers.issuerOf(principal),
      })
      const state = query.state === undefined ? '' : `&state=${query.state}`
      const headers = redirectUri === undefined ? undefined : { location: `${redirectUri}#id_token=${token}${state}` }
      if (!asJson) return { status: 302, headers }
      const body = {
        version: 1,
        id_token: token,
        token_type: TOKEN_TYPES.idToken,
        success: true,
        expiration_time: issuedSeconds + lifeSeconds,
      }
      return ok(body, headers)
    },
  }
}

/**
 * Addresses to which a token for a service may be sent, in lower case: that of the service, and that made of its name; none
 * for a service that does not exist.
 */
function redirectUris(
  { domain: domainName, name }: PrincipalParts,
  domain: CachedDomain,
  suffix: string | undefined,
): readonly string[] {
  const service = domain.services.get(name)
  if (service === undefined) return []
  const made = suffix && `https://${name}.${domainName.replaceAll('.', '-')}${suffix}`
  return [service.providerEndpoint, made].flatMap((uri) => (uri ? [uri.toLowerCase()] : []))
}

/** Kind of key that a client names; undefined, which stands for the server's choice, for any other word. */
function keyTypeOf(text: string | undefined): 'RSA' | 'EC' | undefined {
  const type = text?.toUpperCase()
  return type === 'RSA' || type === 'EC' ? type : undefined
}
