import { ConfigError } from '../config/config-error.ts'
import { loadPlugIn, missingMethods } from '../config/plug-in.ts'
import type { DataServerName, SharedConfig } from '../config/server-tables.ts'
import type { PrivateKeyStore } from '../crypto/private-key-store.ts'
import { messageOf } from '../error/message-of.ts'
import type { Logger } from '../log/logger.ts'
import { auditId } from './audit-id.ts'
import { type AuditLog, auditLine, unrecorded } from './audit-log.ts'
import { type ChainSeal, keyedSeal, openSeal } from './chain-seal.ts'
import { FileAuditLog } from './file-audit-log.ts'
import { LogLineAuditLog } from './log-line-audit-log.ts'

/** What an audit log is opened with; a plug-in gets the same. */
export interface AuditLogOptions {
  readonly server: DataServerName
  /** Value of `audit_logger_factory_class`. */
  readonly className: string
  /** Name of the machine, for the lines. */
  readonly hostname: string
  /** Folder from which relative paths of modules count. */
  readonly rootDir: string
  readonly config: Pick<SharedConfig, 'ts'>
  readonly privateKeyStore: PrivateKeyStore
  readonly log: Logger
}

/** A start reads the last file whole; this keeps that short. */
const MAX_FILE_BYTES = 268_435_456

/**
 * Opens the audit log of a server: `file` (files of JSON lines with a hash chain), the original's class (its lines, in
 * the server's log), or a module. Throws ConfigError when it cannot be opened.
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { server, className, rootDir, log } = options
  const audit = await loadPlugIn<AuditLog, [AuditLogOptions]>(
    className,
    {
      property: `athenz.${server}.audit_logger_factory_class`,
      what: 'audit log',
      builtIn: new Map<string, (options: AuditLogOptions) => AuditLog | Promise<AuditLog>>([
        ['file', openFiles],
        ['com.yahoo.athenz.common.server.log.impl.DefaultAuditLoggerFactory', () => new LogLineAuditLog(log)],
      ]),
      problemsOf: missingMethods('record'),
      directory: rootDir,
    },
    options,
  )
  return audit instanceof FileAuditLog || audit instanceof LogLineAuditLog ? audit : guarded(audit, log)
}

/** A module that fails must neither undo an acknowledged change nor hide that it is not recorded. */
function guarded(audit: AuditLog, log: Logger): AuditLog {
  const required = audit.required === true
  return {
    required,
    async record(entry) {
      try {
        await audit.record(entry)
      } catch (cause) {
        log.error({ err: cause, audit: auditLine(entry, auditId(entry.when)) }, 'a change is not in the audit log')
        if (required) throw unrecorded(messageOf(cause), cause)
      }
    },
    problem: () => audit.problem?.(),
    close: async () => audit.close?.(),
  }
}

async function openFiles(options: AuditLogOptions): Promise<AuditLog> {
  const { server, hostname, config, log } = options
  const { ts } = config
  const seal = (await auditLogKey(options)) ?? openSeal
  try {
    return await FileAuditLog.open({
      folder: ts.auditLogDir,
      seal,
      server,
      host: hostname,
      maxFileBytes: Math.min(ts.auditLogMaxBytes || MAX_FILE_BYTES, MAX_FILE_BYTES),
      daily: ts.auditLogDaily,
      retainDays: ts.auditLogRetainDays,
      required: ts.auditLogRequired,
      log,
    })
  } catch (cause) {
    throw Object.assign(new ConfigError([`athenz.ts.audit_log_dir: ${ts.auditLogDir}: ${messageOf(cause)}`]), { cause })
  }
}

/** The seal under the configured key; undefined when there is none. Throws ConfigError when it cannot be used. */
export async function auditLogKey(
  options: Pick<AuditLogOptions, 'server' | 'config' | 'privateKeyStore'>,
): Promise<ChainSeal | undefined> {
  const { auditLogKeyName, auditLogKeyGroup } = options.config.ts
  if (auditLogKeyName === undefined) return undefined
  const secret = await options.privateKeyStore.applicationSecret(options.server, auditLogKeyGroup, auditLogKeyName)
  try {
    return keyedSeal(secret)
  } catch (cause) {
    throw Object.assign(new ConfigError([`athenz.ts.audit_log_key_name: ${messageOf(cause)}`]), { cause })
  }
}
