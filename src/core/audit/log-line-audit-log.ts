import type { Logger } from '../log/logger.ts'
import { auditId } from './audit-id.ts'
import { type AuditEntry, type AuditLog, auditLine } from './audit-log.ts'

/** The audit log as lines of the server's log, in the original's form, at level info and marked `audit`. */
export class LogLineAuditLog implements AuditLog {
  readonly #log: Logger

  constructor(log: Logger) {
    this.#log = log.child({ audit: true })
  }

  record(entry: AuditEntry): void {
    this.#log.info(auditLine(entry, auditId(entry.when)))
  }
}
