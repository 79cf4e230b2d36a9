import { DatabaseError } from '#core/database/database-error.ts'
import { MigrationError } from '#core/database/migration/migration-error.ts'
import { TransferError } from '#zms/transfer/transfer-error.ts'
import { CommandFailure, reasonOf } from './command-failure.ts'

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
