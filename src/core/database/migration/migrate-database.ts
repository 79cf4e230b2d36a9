import { DatabaseError } from '../database-error.ts'
import { MySqlConnection, type MySqlSettings } from '../mysql-connection.ts'
import { isOfSchema, KNOWN_SCHEMAS, type KnownSchema, missingParts, unknownColumns } from './known-schema.ts'
import { databaseFailure, MigrationError, statementFailure } from './migration-error.ts'
import { checksumOf, type PlannedStatement, planChanges, type SchemaContext } from './schema-change.ts'
import { copySchema, readSchema, type SchemaFacts } from './schema-facts.ts'

/** What a migration needs. */
export interface DatabaseMigration {
  readonly settings: MySqlSettings
  /** Find out what is to be done and do nothing. */
  readonly dryRun?: boolean
  /** Go on although tables have columns that no known version has. */
  readonly allowUnknownColumns?: boolean
  /** Longest wait for another migration. */
  readonly lockSeconds?: number
  /** Told before a statement is executed, or of each that would be. */
  readonly onStatement?: (statement: PlannedStatement) => void
  /** A line for the operator about something unusual. */
  readonly warn?: (line: string) => void
}

/** What was found and done for one schema of a database. */
export interface MigrationOutcome {
  readonly schema: KnownSchema
  /** Changes that were there already. */
  readonly present: number
  /** Ids of the changes that were made, or would be. */
  readonly applied: readonly string[]
}

const LOCK_SECONDS = 30
/** Changing a very large table may take hours; being cut off then would only mean to begin again. */
const STATEMENT_TIMEOUT_MILLIS = 24 * 3_600_000
/** Longest wait until running transactions let go of a table; all others wait behind. */
const TABLE_WAIT_SECONDS = 60

/** Our own table; the original does not look at tables that it does not know. */
const RECORDS = 'athenz_schema_changes'
const CREATE_RECORDS = `CREATE TABLE IF NOT EXISTS ${RECORDS} (
  server VARCHAR(8) NOT NULL,
  id VARCHAR(32) NOT NULL,
  checksum CHAR(64) NOT NULL,
  statements INT UNSIGNED NOT NULL,
  applied DATETIME(3) NOT NULL,
  PRIMARY KEY (server, id)
) ENGINE = InnoDB`
const PUT_RECORD = `INSERT INTO ${RECORDS} (server, id, checksum, statements, applied)
  VALUES (?, ?, ?, ?, UTC_TIMESTAMP(3))
  ON DUPLICATE KEY UPDATE checksum = VALUES(checksum), statements = VALUES(statements), applied = VALUES(applied)`

/**
 * Brings a database made by any version of the original since the end of 2017 up to date, one process at a time. What is
 * to be done is found out from the tables themselves, so a migration that was killed goes on where it was; which changes
 * a database has had is also kept in a table, with their checksums. Only adds: tables, columns, keys, length.
 * @throws MigrationError when the database is none of Athenz, newer than this program, changed by hand, or refuses
 */
export async function migrateDatabase(migration: DatabaseMigration): Promise<MigrationOutcome[]> {
  const settings = { ...migration.settings, statementTimeoutMillis: STATEMENT_TIMEOUT_MILLIS }
  try {
    const connection = await MySqlConnection.open(settings, `SET SESSION lock_wait_timeout = ${TABLE_WAIT_SECONDS}`)
    try {
      return await migrate(connection, migration)
    } finally {
      // The locks end with the connection.
      connection.close()
    }
  } catch (error) {
    throw error instanceof DatabaseError ? databaseFailure(error) : error
  }
}

async function migrate(connection: MySqlConnection, migration: DatabaseMigration): Promise<MigrationOutcome[]> {
  const found = await readSchema(connection)
  const schemas = KNOWN_SCHEMAS.filter((known) => isOfSchema(found, known))
  if (schemas.length === 0) {
    const files = KNOWN_SCHEMAS.map(({ file }) => file).join(' or ')
    throw new MigrationError(
      `database ${migration.settings.database} has no tables of Athenz: a new one is made with ${files}`,
    )
  }
  const outcomes: MigrationOutcome[] = []
  for (const known of schemas) {
    if (!migration.dryRun) await takeLock(connection, known, migration)
    // Another migration may have run while this one waited.
    outcomes.push(await migrateSchema(connection, known, await readSchema(connection), migration))
  }
  return outcomes
}

async function takeLock(
  connection: MySqlConnection,
  { server }: KnownSchema,
  { lockSeconds = LOCK_SECONDS }: DatabaseMigration,
): Promise<void> {
  // The name that servers use which update their schema when they start.
  const [row] = await connection.rows<{ granted: number | null }>('SELECT GET_LOCK(?, ?) AS granted', [
    `athenz_schema_migration_${server}`,
    lockSeconds,
  ])
  if (row?.granted !== 1) throw new MigrationError('another process is changing the schema; try again later')
}

async function migrateSchema(
  connection: MySqlConnection,
  known: KnownSchema,
  schema: SchemaFacts,
  migration: DatabaseMigration,
): Promise<MigrationOutcome> {
  await requireKnown(connection, known, schema, migration)
  const context = contextOf(schema, known)
  const planned = Map.groupBy(planChanges(known.changes, copySchema(schema), context), ({ change }) => change.id)
  if (!migration.dryRun) await connection.change(CREATE_RECORDS, [])
  for (const change of known.changes) {
    const statements = planned.get(change.id) ?? []
    for (const statement of statements) {
      migration.onStatement?.(statement)
      if (!migration.dryRun) await execute(connection, statement)
    }
    if (migration.dryRun || (statements.length === 0 && (await isRecorded(connection, known, change.id)))) continue
    await connection.change(PUT_RECORD, [known.server, change.id, checksumOf(change), statements.length])
  }
  if (!migration.dryRun) await requireDone(connection, known, context)
  return { schema: known, present: known.changes.length - planned.size, applied: [...planned.keys()] }
}

async function execute(connection: MySqlConnection, { change, sql }: PlannedStatement): Promise<void> {
  try {
    await connection.statement(sql)
  } catch (error) {
    throw statementFailure(change.id, sql, error)
  }
}

async function requireKnown(
  connection: MySqlConnection,
  known: KnownSchema,
  schema: SchemaFacts,
  { allowUnknownColumns = false, warn = () => {} }: Pick<DatabaseMigration, 'allowUnknownColumns' | 'warn'>,
): Promise<void> {
  const missing = missingParts(schema, known)
  if (missing.length > 0) {
    throw new MigrationError(
      `this is no ${known.title} database of the end of 2017 or later: it lacks ${missing.join(', ')}`,
    )
  }
  await requireSameChanges(connection, known, schema)
  const unknown = unknownColumns(schema, known)
  if (unknown.length > 0) {
    const what = `unknown columns: ${unknown.join(', ')}`
    if (!allowUnknownColumns) {
      throw new MigrationError(
        `${what}; the schema is newer than this program, or was changed by hand; nothing was changed ` +
          '(--allow-unknown-columns goes on all the same, if they have defaults)',
      )
    }
    warn(what)
  }
  for (const version of await newerVersions(connection, known, schema)) {
    warn(`the original's update ${version} is in the database and not known here; it brought no unknown column`)
  }
}

/** Every recorded change must be known, and be what it was then. */
async function requireSameChanges(connection: MySqlConnection, known: KnownSchema, schema: SchemaFacts): Promise<void> {
  if (!schema.has(RECORDS)) return
  const records = await connection.rows<{ id: string; checksum: string }>(
    `SELECT id, checksum FROM ${RECORDS} WHERE server = ? ORDER BY id`,
    [known.server],
  )
  const checksums = new Map(known.changes.map((change) => [change.id, checksumOf(change)]))
  const newer = records.filter(({ id }) => !checksums.has(id)).map(({ id }) => id)
  if (newer.length > 0) {
    throw new MigrationError(
      `the schema is newer than this program: it has the changes ${newer.join(', ')}; use the version that made them`,
    )
  }
  const edited = records.find(({ id, checksum }) => checksums.get(id) !== checksum)
  if (edited !== undefined) {
    throw new MigrationError(
      `change ${edited.id} is not what was applied to this database (checksum ${edited.checksum} there, ` +
        `${checksums.get(edited.id)} here): this program was altered`,
    )
  }
}

async function isRecorded(connection: MySqlConnection, { server }: KnownSchema, id: string): Promise<boolean> {
  const rows = await connection.rows(`SELECT 1 AS found FROM ${RECORDS} WHERE server = ? AND id = ?`, [server, id])
  return rows.length > 0
}

/** Updates that the original's own migration recorded and that are later than all that is known. */
async function newerVersions(
  connection: MySqlConnection,
  { changes }: KnownSchema,
  schema: SchemaFacts,
): Promise<string[]> {
  if (!schema.get('schema_version')?.columns.has('version')) return []
  const rows = await connection.rows<{ version: string }>('SELECT version FROM schema_version ORDER BY version')
  const last = changes.at(-1)?.id ?? ''
  return rows.map(({ version }) => version).filter((version) => /^\d{8}$/.test(version) && version > last)
}

async function requireDone(connection: MySqlConnection, known: KnownSchema, context: SchemaContext): Promise<void> {
  const [left] = planChanges(known.changes, await readSchema(connection), context)
  if (left !== undefined) {
    throw new MigrationError(`change ${left.change.id} did not do what it should: still needed is ${left.sql}`)
  }
}

/**
 * Checks that a database has the tables of a server as this program knows them.
 * @throws MigrationError with what an operator is to do
 */
export async function requireCurrentSchema(
  connection: MySqlConnection,
  server: KnownSchema['server'],
  { allowUnknownColumns = false }: { readonly allowUnknownColumns?: boolean } = {},
): Promise<void> {
  const schema = await readSchema(connection)
  const known = KNOWN_SCHEMAS.find((each) => each.server === server && isOfSchema(schema, each))
  if (known === undefined) throw new MigrationError(`the database has no tables of ${server.toUpperCase()}`)
  await requireKnown(connection, known, schema, { allowUnknownColumns })
  const [needed] = planChanges(known.changes, copySchema(schema), contextOf(schema, known))
  if (needed !== undefined) {
    throw new MigrationError(`the schema lacks change ${needed.change.id}: bring it up to date with athenz migrate`)
  }
}

/** New tables and columns get what the first table has, whatever that is called in this version of the database. */
function contextOf(schema: SchemaFacts, { base }: KnownSchema): SchemaContext {
  const [first = ''] = Object.keys(base)
  const collation = schema.get(first)?.collation ?? ''
  const charset = /^[a-z0-9]+(?=_[a-z0-9_]+$)/.exec(collation)?.[0]
  if (charset === undefined) throw new MigrationError(`table ${first} has the collation ${collation}`)
  return { charset, collation }
}
