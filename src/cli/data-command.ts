import { DatabaseError } from '#core/database/database-error.ts'
import { MigrationError } from '#core/database/migration/migration-error.ts'
import { TransferError } from '#zms/transfer/transfer-error.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'

const PROGRESS_MILLIS = 200

/** Shows a terminal how many rows were moved; a file or another program gets nothing. */
export class Progress {
  #shownAt = 0
  #width = 0

  readonly show = (rows: number): void => {
    if (!process.stderr.isTTY || performance.now() - this.#shownAt < PROGRESS_MILLIS) return
    this.#shownAt = performance.now()
    const text = `${rows.toLocaleString('en')} rows`
    this.#width = Math.max(this.#width, text.length)
    process.stderr.write(`\r${text.padEnd(this.#width)}`)
  }

  /** Removes what was shown. */
  end(): void {
    if (this.#width > 0) process.stderr.write(`\r${' '.repeat(this.#width)}\r`)
    this.#width = 0
  }
}

/** Says in one line what went wrong with the data; other errors stay what they are. */
export function dataFailure(error: unknown): unknown {
  if (error instanceof CommandFailure) return error
  const isSaid =
    error instanceof TransferError ||
    error instanceof MigrationError ||
    error instanceof DatabaseError ||
    (error instanceof Error && ('code' in error || error.name === 'DamageError'))
  return isSaid ? new CommandFailure(reasonOf(error)) : error
}
