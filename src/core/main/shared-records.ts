import type { AuditLog } from '../audit/audit-log.ts'
import { type AuditLogOptions, openAuditLog } from '../audit/open-audit-log.ts'
import { RemoteAuditLog, serveAuditLog } from '../audit/remote-audit-log.ts'
import { type AuthHistoryOptions, openAuthHistory } from '../history/open-auth-history.ts'
import { isKeptByOneProcess, serveAuthHistory } from '../history/remote-auth-history.ts'
import type { WorkerSeat } from '../workers/worker-seat.ts'
import { Closers } from './closers.ts'
import type { SharedParts } from './run-workers.ts'

/** What any server records, and how it is opened. */
export interface SharedRecordsOptions {
  readonly audit: AuditLogOptions
  /** Without a class there is none. */
  readonly history: Omit<AuthHistoryOptions, 'className'> & { readonly className: string | undefined }
}

/** Opens what any server records once, for its workers: the audit log, and a history of authentication in files. */
export async function openSharedRecords({ audit, history }: SharedRecordsOptions): Promise<SharedParts> {
  const closers = new Closers()
  try {
    const auditLog = closers.keep(await openAuditLog(audit))
    const { className } = history
    const store =
      className !== undefined && isKeptByOneProcess(className)
        ? closers.keep(await openAuthHistory({ ...history, className }))
        : undefined
    return {
      attach(calls) {
        serveAuditLog(calls, auditLog)
        if (store) serveAuthHistory(calls, store)
      },
      close: () => closers.close(),
    }
  } catch (error) {
    await closers.close()
    throw error
  }
}

/** Opens the audit log, or in a worker that of the primary process. */
export function openProcessAuditLog(options: AuditLogOptions, seat: WorkerSeat | undefined): Promise<AuditLog> {
  if (!seat) return openAuditLog(options)
  return RemoteAuditLog.open(seat.primary, (error) => {
    options.log.warn({ err: error }, 'the state of the audit log is not known')
  })
}
