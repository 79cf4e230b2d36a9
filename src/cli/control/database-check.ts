import { DatabaseError } from '#core/database/database-error.ts'
import { migrateDatabase } from '#core/database/migration/migrate-database.ts'
import { MigrationError } from '#core/database/migration/migration-error.ts'
import { MySqlConnection, type MySqlSettings } from '#core/database/mysql-connection.ts'
import { clockDifference } from './clock-difference.ts'
import { clockFinding, type Finding, failed, right, wrong } from './doctor.ts'

/** Nobody waits long for an answer to whether everything is well. */
const CONNECT_TIMEOUT_MILLIS = 5_000
const STATEMENT_TIMEOUT_MILLIS = 30_000
/** The clock of a database shows milliseconds. */
const CLOCK_STEP_MILLIS = 1

/** Checks whether a database lets the servers in, whether its clock is right, and whether its tables are those of now. */
export async function databaseFindings(configured: MySqlSettings): Promise<Finding[]> {
  const settings = {
    ...configured,
    connectTimeoutMillis: CONNECT_TIMEOUT_MILLIS,
    statementTimeoutMillis: STATEMENT_TIMEOUT_MILLIS,
  }
  const { database, host, port } = settings
  const place = `database ${database} at ${host}:${port}`
  try {
    const connection = await MySqlConnection.open(settings)
    try {
      return [
        right(place, `lets ${settings.user} in`),
        await timeFinding(place, connection),
        await schemaFinding(place, settings),
      ]
    } finally {
      connection.close()
    }
  } catch (error) {
    return [failed(place, error, adviceFor(error, settings))]
  }
}

async function timeFinding(place: string, connection: MySqlConnection): Promise<Finding> {
  const sent = Date.now()
  // As text: it is not to be taken for a time of the zone here.
  const [row] = await connection.rows<{ told: string }>(
    "SELECT DATE_FORMAT(UTC_TIMESTAMP(3), '%Y-%m-%dT%T.%f') AS told",
  )
  const told = Date.parse(`${row?.told.slice(0, 23)}Z`)
  return clockFinding(place, clockDifference(told, { sent, answered: Date.now(), stepMillis: CLOCK_STEP_MILLIS }))
}

async function schemaFinding(place: string, settings: MySqlSettings): Promise<Finding> {
  const check = `tables of ${place}`
  try {
    const outcomes = await migrateDatabase({ settings, dryRun: true })
    const missing = outcomes.reduce((sum, { applied }) => sum + applied.length, 0)
    const titles = outcomes.map(({ schema }) => schema.title).join(' and ')
    if (missing === 0) return right(check, `those of ${titles} as they are now`)
    return wrong(check, `they lack ${missing} changes of ${titles}`, 'athenz migrate (--dry-run shows the changes)')
  } catch (error) {
    if (error instanceof MigrationError) {
      return failed(check, error, 'make new ones with the schema file, or name the database that has them')
    }
    throw error
  }
}

/** What helps when there is no connection, by the number of the error. */
function adviceFor(error: unknown, { database, user, host, port }: MySqlSettings): string {
  const number = error instanceof DatabaseError ? error.number : undefined
  switch (number) {
    case ACCESS_DENIED:
      return `see that user and password in the properties (…jdbc_user, …jdbc_password) are those of ${user} in the database`
    case NO_GRANT:
      return `let the user in: GRANT SELECT, INSERT, UPDATE, DELETE ON ${database}.* TO its account for ${user}`
    case NO_DATABASE:
      return 'make it with the schema file (mysql < schema/zms_server.sql), or name the one that is there'
    default:
      return `see that the database runs, and that port ${port} of ${host} is open from here`
  }
}

const NO_GRANT = 1044
const ACCESS_DENIED = 1045
const NO_DATABASE = 1049
