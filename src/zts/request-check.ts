import type { Authority } from '#core/authority/authority.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { badRequest, unauthorized } from '#core/error/service-error.ts'
import { isSpecialPort } from '#core/http/container.ts'
import type { Endpoint, RequestContext } from '#core/http/endpoint.ts'
import type { BeforeHandler } from '#core/http/pipeline.ts'
import { requireStatusPort, requireValidUser, requireWritable } from '#core/http/server-checks.ts'

type Config = ConfigOf['zts']

/** What the OpenID port serves. */
const OPENID_OPERATIONS: ReadonlySet<string> = new Set(['getOpenIDConfig', 'getJWKList', 'getOIDCResponse'])

/** Operations that need settings: whether they have them, and the answer when not. */
const CONFIGURED: ReadonlyMap<string, { readonly missing: (config: Config) => boolean; readonly answer: string }> =
  new Map([
    [
      'postUserCertificateRequest',
      {
        missing: ({ zts }) => zts.userAuthorityClass === undefined || zts.userCertProvider === undefined,
        answer: 'User authority configuration is not set',
      },
    ],
    [
      'postExternalMemberCertificateRequest',
      {
        missing: ({ zts }) =>
          zts.externalMemberCertAllowedDomains.size === 0 || zts.externalMemberCertProvider === undefined,
        answer: 'External member certificate configuration is not set',
      },
    ],
  ])

/**
 * What ZTS looks at in every request between authorization and validation: certificates that are good for TLS only,
 * read-only mode, TLS, ports, whether a user still is one, and whether the operation has the settings that it needs.
 */
export function requestCheck(config: Config, userAuthority: Authority | undefined): BeforeHandler {
  const { zts, container } = config
  return (endpoint, context) => {
    const { principal } = context
    if (principal?.mtlsRestricted) throw unauthorized('certificate is mTLS restricted')
    requireWritable(endpoint, zts.readOnlyMode)
    if (context.secure === false && zts.secureRequestsOnly) throw badRequest(`${context.api}request must be over TLS`)
    requireStatusPort(endpoint, container, context)
    requireOpenIdPort(endpoint, container, context)
    const need = CONFIGURED.get(endpoint.operation)
    if (need?.missing(config)) throw badRequest(need.answer)
    const judged = zts.validateUserAuthorityPrincipals.value && principal?.domain === config.userDomain
    return judged && userAuthority ? requireValidUser(userAuthority, principal.fullName) : undefined
  }
}

/** 400 when the OpenID port is asked for anything but OpenID. */
function requireOpenIdPort({ operation }: Endpoint, ports: Config['container'], { localPort }: RequestContext): void {
  const { oidcPort } = ports
  if (localPort === undefined || localPort !== oidcPort || !isSpecialPort(oidcPort, ports)) return
  if (!OPENID_OPERATIONS.has(operation)) throw badRequest('incorrect port number for a non-oidc request')
}
