import { DatabaseError } from '../database/database-error.ts'
import type { MySqlSettings, SqlValue } from '../database/mysql-connection.ts'
import { MySqlPool, type PoolLimits } from '../database/mysql-pool.ts'
import type { Clock } from '../seam/clock.ts'
import type { AuthHistoryStore, AuthUse, AuthUses } from './auth-use.ts'

/** Where and how long uses are kept. */
export interface MySqlAuthHistoryOptions {
  readonly settings: MySqlSettings
  readonly limits: PoolLimits
  readonly retentionSeconds: number
  readonly now: Clock
}

const MAX_NAME_LENGTH = 255
const MAX_ENDPOINT_LENGTH = 512
const BATCH_ROWS = 200
const FORGET_ROWS = 5000
const FORGET_INTERVAL_MILLIS = 3_600_000

/** A table of our own; the original looks at the tables that it knows only. */
const CREATE = `CREATE TABLE IF NOT EXISTS athenz_auth_history (
  uri_domain VARCHAR(${MAX_NAME_LENGTH}) NOT NULL,
  principal_domain VARCHAR(${MAX_NAME_LENGTH}) NOT NULL,
  principal_name VARCHAR(${MAX_NAME_LENGTH}) NOT NULL,
  endpoint VARCHAR(${MAX_ENDPOINT_LENGTH}) NOT NULL,
  last_used BIGINT NOT NULL,
  PRIMARY KEY (uri_domain, principal_domain, principal_name),
  KEY idx_principal_domain (principal_domain),
  KEY idx_last_used (last_used)
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii COLLATE ascii_bin`
const COLUMNS = 'uri_domain, principal_domain, principal_name, endpoint, last_used'
// The endpoint first: the assignments are made in order, and it depends on the time that was there before.
const PUT = (rows: number) => `INSERT INTO athenz_auth_history (${COLUMNS})
  VALUES ${Array.from({ length: rows }, () => '(?, ?, ?, ?, ?)').join(', ')}
  ON DUPLICATE KEY UPDATE endpoint = IF(VALUES(last_used) >= last_used, VALUES(endpoint), endpoint),
  last_used = GREATEST(last_used, VALUES(last_used))`
const OF = (column: 'uri_domain' | 'principal_domain') =>
  `SELECT ${COLUMNS} FROM athenz_auth_history WHERE ${column} = ? AND last_used >= ?`
const FORGET = `DELETE FROM athenz_auth_history WHERE last_used < ? LIMIT ${FORGET_ROWS}`

interface Row {
  uri_domain: string
  principal_domain: string
  principal_name: string
  endpoint: string
  last_used: number | string
}

/** Uses in a table that any number of servers share. */
export class MySqlAuthHistory implements AuthHistoryStore {
  readonly #options: MySqlAuthHistoryOptions
  readonly #pool: MySqlPool
  #created = false
  #forgotAt = Number.NEGATIVE_INFINITY

  constructor(options: MySqlAuthHistoryOptions) {
    this.#options = options
    this.#pool = new MySqlPool(options.settings, options.limits)
  }

  async record(uses: readonly AuthUse[]): Promise<void> {
    await this.#createTable()
    // In the order of the key, so that servers that write the same rows wait for each other and never in a circle.
    const rows = uses.filter(fits).toSorted((a, b) => compare(keyOf(a), keyOf(b)))
    for (let start = 0; start < rows.length; start += BATCH_ROWS) {
      const batch = rows.slice(start, start + BATCH_ROWS)
      await this.#pool.use((connection) => connection.change(PUT(batch.length), batch.flatMap(valuesOf)))
    }
    await this.#forgetOld()
  }

  async ofDomain(domain: string): Promise<AuthUses> {
    try {
      await this.#createTable()
      const values = [domain, this.#oldest()]
      return await this.#pool.use(async (connection) => ({
        incoming: (await connection.rows<Row>(OF('uri_domain'), values)).map(useOf),
        outgoing: (await connection.rows<Row>(OF('principal_domain'), values)).map(useOf),
      }))
    } catch (error) {
      throw error instanceof DatabaseError ? error.toServiceError() : error
    }
  }

  close(): void {
    this.#pool.close()
  }

  #oldest(): number {
    return Math.floor(this.#options.now() / 1000) - this.#options.retentionSeconds
  }

  /** When it is needed first, so that a database that is away keeps no server from starting. */
  async #createTable(): Promise<void> {
    if (this.#created) return
    await this.#pool.use((connection) => connection.statement(CREATE))
    this.#created = true
  }

  async #forgetOld(): Promise<void> {
    const now = this.#options.now()
    if (now - this.#forgotAt < FORGET_INTERVAL_MILLIS) return
    const { found } = await this.#pool.use((connection) => connection.change(FORGET, [this.#oldest()]))
    // A full helping may have left some: the next batch goes on.
    if (found < FORGET_ROWS) this.#forgotAt = now
  }
}

const fits = ({ uriDomain, principalDomain, principalName }: AuthUse): boolean =>
  [uriDomain, principalDomain, principalName].every((name) => /^[\x20-\x7e]{1,255}$/.test(name))

const keyOf = ({ uriDomain, principalDomain, principalName }: AuthUse) =>
  [uriDomain, principalDomain, principalName].join('\0')
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const valuesOf = ({ uriDomain, principalDomain, principalName, endpoint, epochSeconds }: AuthUse): SqlValue[] => [
  uriDomain,
  principalDomain,
  principalName,
  endpoint.slice(0, MAX_ENDPOINT_LENGTH),
  epochSeconds,
]

const useOf = (row: Row): AuthUse => ({
  uriDomain: row.uri_domain,
  principalDomain: row.principal_domain,
  principalName: row.principal_name,
  endpoint: row.endpoint,
  epochSeconds: Number(row.last_used),
})
