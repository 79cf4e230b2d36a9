import type { Authority } from '#core/authority/authority.ts'
import type { Principal } from '#core/authority/principal.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'

/** Stands for whatever vouches for a service that is only asked about. */
const UNASKED: Authority = { id: 'Auth-None', credentialSource: 'request', allowAuthorization: true }

/** A service that does not make the request itself, for questions about what it may do; undefined for other names. */
export function servicePrincipal(fullName: string): Principal | undefined {
  const parts = splitPrincipalName(fullName)
  return parts && { ...parts, fullName, authority: UNASKED, issueTimeSeconds: 0 }
}
