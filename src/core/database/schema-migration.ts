import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../error/message-of.ts'
import { DatabaseError } from './database-error.ts'
import { MySqlConnection, type MySqlSettings } from './mysql-connection.ts'
import { splitStatements } from './sql-statements.ts'

/** What a migration needs. */
export interface SchemaMigration {
  readonly settings: MySqlSettings
  /** Folder of the files `update-YYYYMMDD.sql`. */
  readonly directory: string
  /** Which server's schema it is: servers that start together wait for each other. */
  readonly server: 'zms' | 'zts'
  /** A line for the server's log. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

const UPDATE_FILE = /^update-(\d{8})\.sql$/
const LOCK_SECONDS = 30
/** Changing a large table takes its time. */
const STATEMENT_TIMEOUT_MILLIS = 3_600_000

/** Errors of statements whose work was done before: table, column, key name, entry or primary key exists. */
const DONE_BEFORE: ReadonlySet<number> = new Set([1050, 1060, 1061, 1062, 1068])

const CREATE_VERSIONS = `CREATE TABLE IF NOT EXISTS schema_version (
  version VARCHAR(64) NOT NULL,
  script VARCHAR(256) NOT NULL,
  installed_on DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  execution_time_ms INT UNSIGNED NOT NULL DEFAULT 0,
  success TINYINT(1) NOT NULL DEFAULT 1,
  PRIMARY KEY (version)
)`

/**
 * Brings a schema up to date: runs the update files of the folder that table `schema_version` does not list as done, in
 * the order of their dates, one server at a time. What a file finds done already is passed over; any other failure is
 * recorded, stops the migration and is thrown as an Error that names file and statement.
 */
export async function migrateSchema(migration: SchemaMigration): Promise<void> {
  const files = (await readdir(migration.directory)).filter((name) => UPDATE_FILE.test(name)).sort()
  const settings = { ...migration.settings, statementTimeoutMillis: STATEMENT_TIMEOUT_MILLIS }
  const connection = await MySqlConnection.open(settings)
  try {
    const lock = `athenz_schema_migration_${migration.server}`
    const [row] = await connection.rows<{ granted: number | null }>('SELECT GET_LOCK(?, ?) AS granted', [
      lock,
      LOCK_SECONDS,
    ])
    if (row?.granted !== 1) throw new Error('another server is changing the schema; try again later')
    await connection.change(CREATE_VERSIONS, [])
    const done = await connection.rows<{ version: string }>('SELECT version FROM schema_version WHERE success = 1')
    const versions = new Set(done.map(({ version }) => version))
    for (const file of files) {
      const version = UPDATE_FILE.exec(file)?.[1] as string
      if (!versions.has(version)) await runUpdate(connection, migration, file, version)
    }
  } finally {
    // The lock ends with the connection.
    connection.close()
  }
}

async function runUpdate(
  connection: MySqlConnection,
  { directory, log }: SchemaMigration,
  file: string,
  version: string,
): Promise<void> {
  const startedAt = performance.now()
  const record = (success: number) =>
    connection.change(
      `INSERT INTO schema_version (version, script, execution_time_ms, success) VALUES (?, ?, ?, ?)
       ON DUPLICATE KEY UPDATE script = VALUES(script), installed_on = CURRENT_TIMESTAMP(3),
         execution_time_ms = VALUES(execution_time_ms), success = VALUES(success)`,
      [version, file, Math.round(performance.now() - startedAt), success],
    )
  for (const statement of splitStatements(await readFile(join(directory, file), 'utf8'))) {
    try {
      await connection.statement(statement)
    } catch (error) {
      if (error instanceof DatabaseError && error.number !== undefined && DONE_BEFORE.has(error.number)) {
        log('info', `schema update ${file}: done before: ${error.message}`)
        continue
      }
      if (connection.usable) await record(0)
      const reason = messageOf(error)
      throw new Error(`schema update ${file} failed: ${reason}; statement: ${statement.slice(0, 200)}`, {
        cause: error,
      })
    }
  }
  await record(1)
  log('info', `schema update ${file} is done`)
}
