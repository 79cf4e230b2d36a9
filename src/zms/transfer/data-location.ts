import type { MySqlSettings } from '#core/database/mysql-connection.ts'
import type { DataSource, DataState, DataTarget } from './transfer.ts'

/** A store of ZMS. */
export type DataLocation =
  | { readonly kind: 'file'; readonly folder: string }
  | { readonly kind: 'mysql'; readonly settings: MySqlSettings }

/**
 * Opens a store to read all its data.
 * @throws TransferError, MigrationError or DamageError with what an operator is to do
 */
export async function openSource(
  location: DataLocation,
  options: { readonly allowUnknownColumns?: boolean } = {},
): Promise<DataSource> {
  if (location.kind === 'file') {
    const { openFileSource } = await import('./file-source.ts')
    return openFileSource(location.folder)
  }
  const { openMySqlSource } = await import('./mysql-source.ts')
  return openMySqlSource(location.settings, options)
}

/** How a store is filled. */
export interface FillOptions {
  readonly state: DataState
  /** Take the place of data that are there. */
  readonly replace: boolean
  /** Leave out what the store has no place for, instead of refusing. */
  readonly acceptLoss: boolean
  /** A line for the operator. */
  readonly say: (line: string) => void
  /** Ends the name of the folder of former data. */
  readonly label: string
}

/**
 * Opens a store to give it all its data anew.
 * @throws TransferError or MigrationError with what an operator is to do
 */
export async function openTarget(location: DataLocation, options: FillOptions): Promise<DataTarget> {
  if (location.kind === 'file') {
    const { openFileTarget } = await import('./file-target.ts')
    return openFileTarget({ ...options, folder: location.folder })
  }
  const { openMySqlTarget } = await import('./mysql-target.ts')
  return openMySqlTarget({ ...options, settings: location.settings })
}
