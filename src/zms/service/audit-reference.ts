import type { Principal } from '#core/authority/principal.ts'

/** Says whether audit references mean something, e.g. name a ticket that is open; a plug-in. */
export interface AuditReferenceValidator {
  /**
   * Whether a reference may stand for a change; `api` is the lower-case operation id. Asked inside of transactions, and
   * therefore not for long: it answers at once. Anything but true refuses, and so does what it throws.
   */
  isValid(auditRef: string, principal: Principal | undefined, api: string): boolean
}
