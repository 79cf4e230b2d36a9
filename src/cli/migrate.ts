import { type MigrationOutcome, migrateDatabase } from '#core/database/migration/migrate-database.ts'
import { MigrationError } from '#core/database/migration/migration-error.ts'
import type { PlannedStatement } from '#core/database/migration/schema-change.ts'
import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import { CommandFailure } from './command-failure.ts'
import { type DataOptions, databasesOf } from './data-location.ts'

/** Options of `athenz migrate`. */
export interface MigrateOptions extends DataOptions {
  readonly dryRun?: boolean
  readonly allowUnknownColumns?: boolean
}

/**
 * Brings the databases up to date that the original, or an earlier version of this program, made; with `dryRun` prints the
 * SQL, which the mysql client takes as it is, and changes nothing. Gives the exit status.
 * @throws CommandFailure with the reason
 */
export async function migrate(options: MigrateOptions): Promise<number> {
  for (const settings of await databasesOf(options)) await migrateOne(settings, options)
  return 0
}

async function migrateOne(settings: MySqlSettings, { dryRun = false, ...options }: MigrateOptions): Promise<void> {
  const { database, host, port } = settings
  const place = `${database} at ${host}:${port}`
  let change: string | undefined
  const tell = (statement: PlannedStatement) => {
    const { id, title } = statement.change
    if (dryRun && change === undefined) print(`-- database ${place}`)
    if (change !== id) print(dryRun ? `-- ${id}: ${title}` : `${id}  ${title}`)
    change = id
    if (dryRun) print(`${statement.sql};`)
  }
  try {
    const outcomes = await migrateDatabase({
      settings,
      dryRun,
      ...(options.allowUnknownColumns && { allowUnknownColumns: true }),
      onStatement: tell,
      warn: (line) => process.stderr.write(`athenz migrate: ${place}: ${line}\n`),
    })
    for (const outcome of outcomes) print(`${dryRun ? '-- ' : ''}${place}: ${summaryOf(outcome, dryRun)}`)
  } catch (error) {
    if (error instanceof MigrationError) throw new CommandFailure(`${place}: ${error.message}`)
    throw error
  }
}

function summaryOf({ schema, present, applied }: MigrationOutcome, dryRun: boolean): string {
  if (applied.length === 0) return `the ${schema.title} schema is up to date (${present} changes)`
  const made = dryRun ? 'would be made' : 'made'
  return `the ${schema.title} schema: ${applied.length} changes ${made}, ${present} were there`
}

const print = (line: string) => process.stdout.write(`${line}\n`)
