import { DatabaseError } from '#core/database/database-error.ts'
import type { MySqlPool } from '#core/database/mysql-pool.ts'

/** Whether a database takes writes, as the transactions of this server find it. */
export class Writability {
  readonly #pool: Pick<MySqlPool, 'use'>
  #isRefused = false
  #asking = false

  constructor(pool: Pick<MySqlPool, 'use'>) {
    this.#pool = pool
  }

  /** The same outcome of a transaction, of which note is taken. */
  watch<T>(transaction: Promise<T>): Promise<T> {
    return transaction.then(
      (value) => {
        this.#isRefused = false
        return value
      },
      (error: unknown) => {
        if (isReadOnly(error)) this.#isRefused = true
        throw error
      },
    )
  }

  /**
   * What is to be said of it; undefined while writes are taken. A database that refused is asked on the way, so that this
   * ends also when nobody tries to write.
   */
  remark(): string | undefined {
    if (!this.#isRefused) return undefined
    void this.#ask()
    return 'the database does not take writes'
  }

  async #ask(): Promise<void> {
    if (this.#asking) return
    this.#asking = true
    try {
      const [row] = await this.#pool.use((connection) =>
        connection.rows<{ refuses: number }>('SELECT @@GLOBAL.read_only AS refuses'),
      )
      if (Number(row?.refuses) === 0) this.#isRefused = false
    } catch {
      // Whether it can be reached at all is told by others.
    } finally {
      this.#asking = false
    }
  }
}

function isReadOnly(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof DatabaseError && cause.fault === 'read-only') return true
  }
  return false
}
