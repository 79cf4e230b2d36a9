import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection, RowDataPacket } from 'mysql2/promise'
import { type JdbcUrl, parseJdbcUrl } from '#core/config/jdbc-url.ts'
import { CommandFailure } from './command-failure.ts'
import type { DevFolder } from './dev-folder.ts'
import { PROJECT_FOLDER } from './server-kind.ts'

/** Where ZMS keeps its data: in the development folder, or in a MySQL or MariaDB database. */
export type DevStore = { readonly kind: 'file' } | { readonly kind: 'mysql'; readonly url: string }

/** Properties of the store, relative to the folder; they win over the other files. */
export const STORE_PROPERTIES = 'conf/zms_server/store.properties'

const HEAD = '# Where ZMS keeps its data. Written by athenz dev --store; without that option it stays.\n'

/**
 * The store that the options name; undefined when they name none, then that of the last start counts.
 * @throws CommandFailure for options that do not belong together, or a URL that is none
 */
export function storeOf(options: { store?: 'file' | 'mysql'; mysqlUrl?: string }): DevStore | undefined {
  const { store, mysqlUrl } = options
  if (store === 'file') {
    if (mysqlUrl !== undefined) throw new CommandFailure('--mysql-url does not go with --store file')
    return { kind: 'file' }
  }
  if (mysqlUrl !== undefined) {
    parseUrl(mysqlUrl)
    return { kind: 'mysql', url: mysqlUrl }
  }
  if (store === 'mysql') throw new CommandFailure('--store mysql needs --mysql-url mysql://user:password@host:port/db')
  return undefined
}

/**
 * Fills a database that has no tables with the schema.
 * @throws CommandFailure when it cannot be reached or refuses
 */
export async function prepareDatabase(store: DevStore | undefined): Promise<void> {
  if (store?.kind === 'mysql') await ensureSchema(parseUrl(store.url))
}

/** Writes down which store is used, and prepares its database. */
export async function prepareStore(folder: DevFolder, store: DevStore | undefined): Promise<void> {
  if (store === undefined) {
    if (!(await folder.has(STORE_PROPERTIES))) await folder.write(STORE_PROPERTIES, HEAD, true)
    return
  }
  await prepareDatabase(store)
  const setting = store.kind === 'mysql' ? `athenz.zms.jdbc_store=${escapeProperty(store.url)}\n` : ''
  await folder.write(STORE_PROPERTIES, HEAD + setting, true)
}

/** Creates the tables of ZMS in a database that has none; one that has tables is left alone. */
async function ensureSchema(url: JdbcUrl): Promise<void> {
  const { host, port, database, user, password } = url
  // Loaded only here: most starts do not need it.
  const { createConnection } = await import('mysql2/promise')
  const verifyServer = url.encryption === 'verified'
  let connection: Connection | undefined
  try {
    connection = await createConnection({
      host,
      port,
      database,
      user,
      password,
      multipleStatements: true,
      connectTimeout: 10_000,
      ...(url.encryption && { ssl: { rejectUnauthorized: verifyServer, verifyIdentity: verifyServer } }),
    })
    const [rows] = await connection.query<RowDataPacket[]>('SHOW TABLES')
    if (rows.length > 0) return
    const schema = await readFile(join(PROJECT_FOLDER, 'schema', 'zms_server.sql'), 'utf8')
    // The schema names a database of its own; here its tables go into the one that was given.
    await connection.query(schema.replace(/^(CREATE DATABASE|USE)\b[^;]*;/gm, ''))
  } catch (error) {
    throw new CommandFailure(`cannot use database ${database} at ${host}:${port}: ${databaseReason(error, database)}`)
  } finally {
    connection?.destroy()
  }
}

function databaseReason(error: unknown, database: string): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ER_BAD_DB_ERROR') {
    return `it does not exist: make it with CREATE DATABASE \`${database}\``
  }
  return error.message || ('code' in error ? String(error.code) : error.name)
}

function parseUrl(text: string): JdbcUrl {
  const parsed = parseJdbcUrl(text)
  if (!parsed.ok) throw new CommandFailure(`--mysql-url: ${parsed.reason}`)
  return parsed.url
}

// A backslash begins an escape in a properties file, and ${ a variable.
const escapeProperty = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('${', '$$${')
