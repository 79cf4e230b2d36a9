import { type ErrorCode, ServiceError } from '../error/service-error.ts'

/**
 * What went wrong with a database, as far as callers act on it:
 * - `unreachable`: no connection could be made, or the server has no access to the data; nothing was executed.
 * - `lost`: the connection broke; whether the last statement was executed is not known.
 * - `contention`: deadlock or lock wait timeout; the transaction may be tried again.
 * - `refused-commit`: a plug-in of the server rolled the transaction back when it was committed.
 * - `read-only`: the server does not take writes (now), e.g. after a failover.
 * - `timeout`: the statement took longer than allowed; whether it was executed is not known.
 * - `duplicate`, `too-long`, `bad-value`: the data do not fit the table.
 * - `other`: anything else.
 */
export type DatabaseFault =
  | 'unreachable'
  | 'lost'
  | 'contention'
  | 'refused-commit'
  | 'read-only'
  | 'timeout'
  | 'duplicate'
  | 'too-long'
  | 'bad-value'
  | 'other'

/** Error number of a node of a Galera cluster that has no part in it. */
export const NOT_A_MEMBER = 1047

/** Error numbers of MySQL and MariaDB, where the SQL state does not tell enough. */
const FAULT_OF_NUMBER: ReadonlyMap<number, DatabaseFault> = new Map([
  // Record changed since last read: MariaDB's snapshot isolation.
  [1020, 'contention'],
  [1205, 'contention'],
  [1213, 'contention'],
  [3101, 'refused-commit'],
  [1290, 'read-only'],
  [1792, 'read-only'],
  [1836, 'read-only'],
  [1062, 'duplicate'],
  [1406, 'too-long'],
  // A text with characters that the table's character set does not have, stored or compared.
  [1366, 'bad-value'],
  [1267, 'bad-value'],
  [1270, 'bad-value'],
  [1271, 'bad-value'],
  // Numbers and times out of range.
  [1264, 'bad-value'],
  [1292, 'bad-value'],
  [1317, 'timeout'],
  [1969, 'timeout'],
  [3024, 'timeout'],
  // The outcome of a commit, e.g. of a node that was cut off from its cluster meanwhile: others may have it.
  [1180, 'lost'],
  // A node that is not, or no longer, a member of its cluster executes nothing.
  [NOT_A_MEMBER, 'unreachable'],
  // Too many connections, host blocked, connection killed, shutdown.
  [1040, 'unreachable'],
  [1129, 'unreachable'],
  [1203, 'unreachable'],
  [1226, 'unreachable'],
  [1927, 'lost'],
  [1053, 'lost'],
])

const FAULT_OF_STATE: ReadonlyMap<string, DatabaseFault> = new Map([
  ['08S01', 'lost'],
  ['08004', 'unreachable'],
  ['40001', 'contention'],
])

const ANSWERS: Readonly<Record<DatabaseFault, readonly [ErrorCode, string]>> = {
  lost: ['conflict', 'Concurrent update conflict, please retry your operation later.'],
  contention: ['conflict', 'Concurrent update conflict, please retry your operation later.'],
  'refused-commit': ['conflict', 'Plugin instructed the server to rollback the current transaction.'],
  'read-only': ['gone', 'MySQL Database running in read-only mode'],
  duplicate: ['bad-request', 'Entry already exists'],
  'too-long': ['bad-request', 'Schema violation - data too long'],
  'bad-value': ['bad-request', 'Schema violation - value not supported'],
  timeout: ['unavailable', 'Statement cancelled due to timeout'],
  unreachable: ['unavailable', 'Database is not available'],
  other: ['internal', 'Database error'],
}

/** The members of a driver's error. */
interface DriverError {
  errno?: unknown
  sqlState?: unknown
  fatal?: unknown
  message: string
}

/** A failed statement or connection, with its kind; `cause` is the driver's error. */
export class DatabaseError extends Error {
  readonly fault: DatabaseFault

  constructor(fault: DatabaseFault, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'DatabaseError'
    this.fault = fault
  }

  /** Error number of the server, when it comes from there. */
  get number(): number | undefined {
    const { errno } = (this.cause ?? {}) as Partial<DriverError>
    return typeof errno === 'number' ? errno : undefined
  }

  /** From an error of the driver that a statement ended with. */
  static ofStatement(cause: DriverError): DatabaseError {
    return new DatabaseError(faultOf(cause), textOf(cause), cause)
  }

  /** From what a new connection failed with: whatever the reason, the data cannot be reached. */
  static ofConnecting({ message, cause }: DatabaseError): DatabaseError {
    return new DatabaseError('unreachable', `cannot connect: ${message}`, cause)
  }

  /** What a client is told, with the status and text of the original; the driver's own words are for the log. */
  toServiceError(): ServiceError {
    const [code, message] = ANSWERS[this.fault]
    return new ServiceError(code, message, { detail: this.message, cause: this })
  }
}

function faultOf({ errno, sqlState, fatal }: DriverError): DatabaseFault {
  const byNumber = typeof errno === 'number' ? FAULT_OF_NUMBER.get(errno) : undefined
  if (byNumber !== undefined) return byNumber
  const byState = typeof sqlState === 'string' ? FAULT_OF_STATE.get(sqlState) : undefined
  if (byState !== undefined) return byState
  // Errors of the network and of the protocol have no SQL state.
  return fatal === true || sqlState === undefined ? 'lost' : 'other'
}

function textOf({ message, sqlState, errno }: DriverError): string {
  return typeof sqlState === 'string' ? `${message}, state: ${sqlState}, code: ${String(errno)}` : message
}
