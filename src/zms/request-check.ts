import type { Authority } from '#core/authority/authority.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import { badRequest } from '#core/error/service-error.ts'
import type { Endpoint, RequestContext } from '#core/http/endpoint.ts'
import type { BeforeHandler } from '#core/http/pipeline.ts'
import { requireStatusPort, requireValidUser, requireWritable } from '#core/http/server-checks.ts'
import { isResourceOwnerName } from '#core/names/patterns.ts'

/**
 * What ZMS looks at in every request between authorization and validation: read-only mode for writes, TLS, the
 * status port, whether a user still is one, and the owner header.
 */
export function requestCheck(config: ConfigOf['zms'], userAuthority: Authority | undefined): BeforeHandler {
  const { zms, container } = config
  return (endpoint, context) => {
    requireWritable(endpoint, zms.readOnlyMode)
    if (context.secure === false && zms.secureRequestsOnly) throw badRequest(`${context.api} request must be over TLS`)
    requireStatusPort(endpoint, container, context)
    const { principal } = context
    const judged = zms.validateUserAuthorityPrincipals.value && principal?.domain === config.userDomain
    if (!judged || !userAuthority) return requireOwnerName(endpoint, context)
    return requireValidUser(userAuthority, principal.fullName).then(() => requireOwnerName(endpoint, context))
  }
}

/** 400 when the owner header is there and is not a name. */
function requireOwnerName(endpoint: Endpoint, context: RequestContext): void {
  if (!('resourceOwner' in endpoint.headers)) return
  const owner = context.header('athenz-resource-owner')
  if (owner !== undefined && owner !== '' && !isResourceOwnerName(owner)) {
    throw badRequest(`Invalid resource owner: ${owner} - letters, digits, _ - and : only, at most 32 characters`)
  }
}
