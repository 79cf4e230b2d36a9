import type { RequestContext } from '../http/endpoint.ts'
import type { AuditEntry } from './audit-log.ts'

/** What a request did, beside what its circumstances tell. */
export type AuditedAct = Pick<AuditEntry, 'when' | 'where' | 'why' | 'domain' | 'entity' | 'details'> & {
  /** Method in the audit log when it is not the HTTP method (`REVIEW`, `REJECT`). */
  readonly method?: string | undefined
}

/** The audit entry of what a request did. */
export function auditEntryOf({ principal, remoteAddress, method, api }: RequestContext, act: AuditedAct): AuditEntry {
  return {
    when: act.when,
    who: principal?.unsignedCredentials ?? whoOf(principal),
    whoFullName: principal?.fullName ?? 'null',
    why: act.why,
    where: act.where,
    clientAddress: remoteAddress,
    method: act.method ?? method,
    api,
    domain: act.domain,
    entity: act.entity,
    details: act.details,
  }
}

const whoOf = (principal: RequestContext['principal']): string =>
  principal
    ? `who-name=${principal.name ?? 'null'},who-domain=${principal.domain},who-fullname=${principal.fullName}${
        principal.roles ? `,who-roles=[${principal.roles.join(', ')}]` : ''
      }`
    : 'null'
