import type { RequestContext } from '#core/http/endpoint.ts'
import type { Domain } from '../store/model.ts'
import type { CollectionKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** Whether the caller may change the members of a role or group of a locked domain: `update` or `update_members` on it. */
export async function mayUpdateMembers(
  deps: ZmsDependencies,
  { principal }: RequestContext,
  kind: CollectionKind,
  domain: Domain,
  name: string,
): Promise<boolean> {
  if (!principal) return false
  const resource = kind.fullName(domain.name, name)
  return (
    (await deps.authorization.isAllowed(principal, 'update', resource, domain)) ||
    (await deps.authorization.isAllowed(principal, 'update_members', resource, domain))
  )
}

/** Whether the caller approves members of audit-enabled objects: an auditor of the domain or of its organization. */
export async function mayApproveAudited(
  deps: ZmsDependencies,
  { principal }: RequestContext,
  domain: Pick<Domain, 'name' | 'org'>,
): Promise<boolean> {
  if (!principal) return false
  const byDomain = `sys.auth.audit.domain:audit.${domain.name}`
  if (await deps.authorization.isAllowed(principal, 'update', byDomain)) return true
  return (
    domain.org !== undefined &&
    deps.authorization.isAllowed(principal, 'update', `sys.auth.audit.org:audit.${domain.org}`)
  )
}
