import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import type { RequestContext } from '#core/http/endpoint.ts'
import { isExternalMemberName, isGroupName, splitPrincipalName } from '#core/names/principal-name.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { MemberChanges } from './member-changes.ts'
import { sweepMemberships, sweptMember } from './membership-sweep.ts'
import { suspensions, withBit } from './suspension.ts'

/** A wish to suspend a principal, or to end that. */
export interface PrincipalStateChange {
  /** Full name; one without a domain is that of a user. */
  readonly principalName: string
  readonly suspended: boolean
  readonly auditRef: string | undefined
}

/** Suspends a principal in all its roles and groups, or ends that, when somebody with the right for it asks. */
export async function putPrincipalState(
  deps: ZmsDependencies,
  context: RequestContext,
  { principalName, suspended, auditRef }: PrincipalStateChange,
): Promise<void> {
  if (!auditRef) throw badRequest('Audit reference is required for this operation')
  const { domain, name, resource } = partsOf(deps, principalName)
  if (!(await deps.store.domain(domain))) throw notFound(`Domain not found: ${domain}`)
  const { principal } = context
  const may = async (target: string) =>
    principal !== undefined && (await deps.authorization.isAllowed(principal, 'update', target))
  if (!(await may(resource)) && !(await may(`sys.auth:state.${domain}.${name}`))) {
    throw forbidden('Unauthorized to update principal state')
  }
  if ((await deps.store.principal(principalName)) === undefined) throw notFound(`Principal not found: ${principalName}`)
  await suspendPrincipal(deps, context, { principalName, bit: suspensions.operator, suspended, auditRef })
}

/** Domain and name of a principal, and the resource that stands for it; 400 for what is none. */
function partsOf({ config }: ZmsDependencies, fullName: string): { domain: string; name: string; resource: string } {
  if (isExternalMemberName(fullName)) {
    const mark = fullName.indexOf(':ext.')
    return { domain: fullName.slice(0, mark), name: fullName.slice(mark + ':ext.'.length), resource: fullName }
  }
  const full = fullName.includes('.') ? fullName : `${config.userDomain}.${fullName}`
  const parts = splitPrincipalName(full)
  if (!parts || isGroupName(fullName) || fullName.includes('*')) {
    throw badRequest(`Invalid principal name: ${fullName}`)
  }
  return { ...parts, resource: `${parts.domain}:service.${parts.name}` }
}

/** A change of one reason for which a principal is suspended. */
export interface Suspension {
  readonly principalName: string
  /** One of the suspensions. */
  readonly bit: number
  readonly suspended: boolean
  readonly auditRef: string | undefined
}

/**
 * Sets or clears one suspension of a known principal and of all its memberships. Memberships that are written later
 * count. In the memberships the server is noted as who asked for it, as the original does; the audit log has the caller.
 */
export async function suspendPrincipal(
  deps: ZmsDependencies,
  context: RequestContext,
  { principalName, bit, suspended, auditRef }: Suspension,
): Promise<void> {
  const subject = { context, entity: principalName, auditRef }
  await sweepMemberships(deps, { subject, principals: [principalName] }, async (transaction, memberships) => {
    const before = await transaction.queries.principal(principalName)
    const bits = withBit(before, bit, suspended)
    if (before !== bits) transaction.apply({ kind: 'putPrincipal', principal: principalName, suspended: bits })
    const actor = { principal: deps.config.zms.monitorIdentity, auditRef, now: transaction.now }
    for (const membership of memberships) {
      const member = await sweptMember(transaction, membership)
      const next = withBit(member?.systemDisabled, bit, suspended)
      if (!member || next === (member.systemDisabled ?? 0)) continue
      const changes = new MemberChanges(membership.kind, membership.domain, membership.collection, actor)
      transaction.apply(...changes.suspend(member, next))
    }
  })
}
