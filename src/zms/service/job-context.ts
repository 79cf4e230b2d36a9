import { randomUUID } from 'node:crypto'
import type { Authority } from '#core/authority/authority.ts'
import type { ConfigOf } from '#core/config/server-tables.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'

/** Nobody vouches for a job: it may do nothing that asks for rights. */
const NOBODY: Authority = { id: 'Auth-None', credentialSource: 'request', allowAuthorization: false }

/** Circumstances of what a job of the server does of its own accord, under the configured name of such jobs. */
export function jobContext({ zms }: ConfigOf['zms'], api: string): RequestContext {
  const fullName = zms.monitorIdentity
  const { domain, name } = splitPrincipalName(fullName) ?? { domain: fullName, name: fullName }
  return {
    requestId: randomUUID(),
    api,
    method: 'PUT',
    principal: { domain, name, fullName, authority: NOBODY, issueTimeSeconds: 0 },
    remoteAddress: 'localhost',
    header: () => undefined,
  }
}
