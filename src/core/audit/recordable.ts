import { ServiceError } from '../error/service-error.ts'
import type { AuditLog } from './audit-log.ts'

/** 503 while nothing may be done because a log that is required cannot take it. */
export function requireRecordable(audit: Pick<AuditLog, 'required' | 'problem'>): void {
  const problem = audit.required ? audit.problem?.() : undefined
  if (problem !== undefined) {
    throw new ServiceError('unavailable', 'Changes cannot be recorded at the moment', { detail: problem })
  }
}

/** What is to be said of the log on the operations port; throws when the server cannot do its work without it. */
export function recordableCheck(audit: Pick<AuditLog, 'required' | 'problem'>): () => string | undefined {
  return () => {
    const problem = audit.problem?.()
    if (problem !== undefined && audit.required) throw new Error(problem)
    return problem
  }
}
