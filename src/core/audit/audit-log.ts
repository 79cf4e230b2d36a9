import { ServiceError } from '../error/service-error.ts'

/** One change, for the audit log. */
export interface AuditEntry {
  /** Epoch milliseconds. */
  readonly when: number
  /** Credentials of who did it, without signature. */
  readonly who: string
  /** Full name of the principal. */
  readonly whoFullName: string
  /** Audit reference given by the client. */
  readonly why: string | undefined
  /** Name of the server. */
  readonly where: string
  readonly clientAddress: string
  /** `PUT`, `POST`, `DELETE`, or `REVIEW`, `REJECT` for what is done in other words. */
  readonly method: string
  /** Lower-case operation id. */
  readonly api: string
  readonly domain: string
  /** Local name of the object. */
  readonly entity: string
  /** What was changed, as JSON text in one line. */
  readonly details: string
}

/**
 * Where the audit log goes; a plug-in: `athenz.zms.audit_logger_factory_class` and its ZTS counterpart may name an ES
 * module that exports an implementation.
 */
export interface AuditLog {
  /**
   * Records a change that was made; the client gets its answer when this has resolved. Whatever goes wrong is told to the
   * operator and not to the client, because the change is not undone by its log; only a log that is `required` rejects.
   */
  record(entry: AuditEntry): Promise<void> | void
  /** What keeps changes from being recorded now, in words; undefined when nothing does. */
  problem?(): string | undefined
  /** Nothing may be changed while there is a problem. */
  readonly required?: boolean
  /** Resolves when everything is recorded. */
  close?(): Promise<void>
}

/** 503: a change was made that a required log does not have. */
export const unrecorded = (detail: string, cause?: unknown): ServiceError =>
  new ServiceError('unavailable', 'The change was made but could not be recorded in the audit log', { detail, cause })

/** Form of the fields, as it is named in the original's lines. */
export const AUDIT_FORM = 'athenz-def-1.0'

/**
 * The line of the original's default audit logger: `NAME=(value)` fields joined by `;` in a fixed order, `null` for what
 * is missing. Parentheses, semicolons and line ends inside of values cannot forge a field: line ends are escaped.
 */
export function auditLine(entry: AuditEntry, uuid: string): string {
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['VERS', AUDIT_FORM],
    ['UUID', uuid],
    ['WHEN', new Date(entry.when).toISOString()],
    ['WHO', entry.who],
    ['WHY', entry.why],
    ['WHERE', entry.where],
    ['CLIENT-IP', entry.clientAddress],
    ['WHAT-method', entry.method],
    ['WHAT-api', entry.api],
    ['WHAT-domain', entry.domain],
    ['WHAT-entity', entry.entity],
    ['WHAT-details', entry.details],
    ['WHO-fullname', entry.whoFullName],
    ['WHEN-epoch', String(entry.when)],
  ]
  return fields.map(([name, value]) => `${name}=(${oneLine(value ?? 'null')})`).join(';')
}

const oneLine = (value: string) =>
  value.includes('\n') || value.includes('\r') ? value.replaceAll('\r', '\\r').replaceAll('\n', '\\n') : value
