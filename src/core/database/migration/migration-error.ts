import { messageOf } from '../../error/message-of.ts'
import { DatabaseError } from '../database-error.ts'

/** A database cannot be brought up to date; the message tells an operator why and what to do. */
export class MigrationError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'MigrationError'
  }
}

const GRANTS =
  'the user of the database lacks a privilege: GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES on it'

/** What to do about errors of statements, by their numbers. */
const ADVICE: ReadonlyMap<number, string> = new Map([
  [1044, GRANTS],
  [1142, GRANTS],
  [1143, GRANTS],
  [1227, GRANTS],
  [1370, GRANTS],
  [1045, 'check user and password'],
  [1049, 'create the database first, with the schema file'],
  [1205, 'a transaction uses the table: stop the servers, or try again later'],
  [1062, 'several rows have what must be unique from now on: keep one of them'],
  [1265, 'a value is longer than the column becomes: shorten it'],
  [1406, 'a value is longer than the column becomes: shorten it'],
])

/** Which statement failed and what helps; everything before it stays done. */
export function statementFailure(change: string, sql: string, error: unknown): MigrationError {
  const reason = messageOf(error)
  return new MigrationError(
    `change ${change} failed: ${reason}${adviceOf(error)}; what was done before stays, run it again to go on; ` +
      `statement: ${sql.replaceAll(/\s+/g, ' ')}`,
    error,
  )
}

/** A failure outside of a change, in the words of the database and with what helps. */
export function databaseFailure(error: DatabaseError): MigrationError {
  return new MigrationError(`${error.message}${adviceOf(error)}`, error)
}

function adviceOf(error: unknown): string {
  const number = error instanceof DatabaseError ? error.number : undefined
  const advice = number === undefined ? undefined : ADVICE.get(number)
  return advice === undefined ? '' : ` (${advice})`
}
