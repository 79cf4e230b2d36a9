import { randomUUID } from 'node:crypto'
import { badRequest, forbidden, type ServiceError } from '#core/error/service-error.ts'
import { type Handlers, ok, type RequestContext } from '#core/http/endpoint.ts'
import { formatTimestamp } from '#core/http/wire.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import { requireName } from '#core/names/require-name.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { ExternalCredentialsResponse, externalCredentialsEndpoints } from '../api/external-credentials.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { type CloudQuestion, CloudRefusal } from './external/cloud-provider.ts'
import { idTokenFor } from './id-token.ts'
import { groupsClaim } from './id-token-groups.ts'
import { idTokenScopeReader } from './id-token-scope.ts'
import { authenticated, refuseForeignAuthorizedService, refuseRoleIdentity } from './principal-rules.ts'
import { existingDomain } from './trade-rules.ts'

/** What credentials of clouds need. */
export type ExternalCredentialsDependencies = Pick<
  ZtsDependencies,
  'cloudProviders' | 'config' | 'domains' | 'issuers' | 'log' | 'now' | 'principalIssuers' | 'roleAccess' | 'signers'
>

/** Credentials of clouds for holders of roles. Each cloud gets to see an id token of its own about who asks. */
export function externalCredentialsService(
  deps: ExternalCredentialsDependencies,
): Handlers<typeof externalCredentialsEndpoints> {
  const { cloudProviders, config, issuers, log, now, principalIssuers, signers } = deps
  const readScope = idTokenScopeReader(config)

  const signerFor =
    (issuer: string, principalIssuer: string | undefined): CloudQuestion['signIdToken'] =>
    (token) =>
      idTokenFor(signers.jsonWebObjects(token.keyType), {
        ...token,
        issuer,
        issuedSeconds: Math.floor(now() / 1000),
        lifeSeconds: config.zts.idTokenMaxTimeoutSeconds,
        nonce: randomUUID(),
        principalIssuer,
      })

  const issuerFor = (option: string | undefined, context: RequestContext): string =>
    option === 'oidc_port' ? issuers.oidcPort(context) : issuers.openId(context)

  return {
    async postExternalCredentialsRequest({ params: { provider: name, domainName }, body }, context) {
      const principal = authenticated(context.principal)
      const provider = cloudProviders.get(name)
      if (provider === undefined) throw badRequest(`Invalid external credentials provider: ${name}`)
      const { expiryTime = 0, attributes } = body
      if (attributes === undefined) throw badRequest('Missing credentials attributes')
      const scopeText = scopeOf(attributes, domainName)
      const clientId = body.clientId.toLowerCase()
      const client = splitPrincipalName(clientId)
      if (client === undefined) throw badRequest('Invalid client id')
      existingDomain(deps, client.domain)
      const domain = existingDomain(deps, domainName)
      refuseForeignAuthorizedService(principal, client.domain)
      refuseRoleIdentity(principal)

      const question = {
        subject: principal.fullName,
        scope: readScope(scopeText),
        clientDomain: client.domain,
        allPresent: attributes.get('athenzAllScopePresent')?.toLowerCase() === 'true',
        rolesOnly: true,
      }
      const roles = groupsClaim(deps, { ...question, fullNames: true })
      if (roles === undefined) throw forbidden('principal not included in requested roles')
      const short = (attributes.get('athenzFullArn') || 'true').toLowerCase() !== 'true'
      const issuer = issuerFor(attributes.get('athenzIssuerOption'), context)
      try {
        const { attributes: given, expiration } = await provider.credentials({
          principal,
          domain,
          clientId,
          roles,
          groups: short ? (groupsClaim(deps, { ...question, fullNames: false }) ?? roles) : roles,
          attributes,
          expirySeconds: expiryTime,
          signIdToken: signerFor(issuer, principalIssuers.issuerOf(principal)),
        })
        const response: ExternalCredentialsResponse = {
          attributes: { ...given },
          ...(expiration !== undefined && { expiration: formatTimestamp(expiration) }),
        }
        return ok(response)
      } catch (error) {
        throw error instanceof CloudRefusal ? refused(error, name, principal.fullName, log) : error
      }
    },
  }
}

/** What is asked for: a scope as of id tokens, or a role of the domain. */
function scopeOf(attributes: ReadonlyMap<string, string>, domain: string): string {
  const [role, scope] = [attributes.get('athenzRoleName'), attributes.get('athenzScope')]
  if (role) requireName('EntityName', role)
  if (scope) return scope
  if (!role) throw badRequest('Either athenzRoleName or athenzScope must be specified')
  return `openid ${roleResourceName(domain, role.toLowerCase())}`
}

function refused(error: CloudRefusal, cloud: string, principal: string, log: ZtsDependencies['log']): ServiceError {
  log('warn', `credentials of ${cloud} for ${principal}: ${error.message}`)
  return forbidden(error.message, { cause: error })
}
