import type { TableRow } from './tables.ts'

/** What belongs to the data but to no row. */
export interface DataState {
  /** Ids of assertions up to this one were given. */
  readonly lastAssertionId: number
  /** Newest modification stamp of any domain, deleted ones included, in epoch milliseconds. */
  readonly lastModified: number
}

/**
 * Where data come from, as they were at one moment. Principals, hosts and dependencies come first, then the domains, each
 * with all it holds behind it and everything in the order of names (ids, where there are only those).
 */
export interface DataSource {
  readonly state: DataState
  /** All rows, in pieces of bounded size. */
  rows(): AsyncIterable<readonly TableRow[]>
  close(): Promise<void>
}

/** Where data go; nobody sees any of them before the end. */
export interface DataTarget {
  add(rows: readonly TableRow[]): Promise<void>
  /** Puts everything in place. */
  commit(): Promise<void>
  /** Ends without a trace, unless it was committed. */
  close(): Promise<void>
}

/** Called from time to time with the number of rows that were moved. */
export type OnProgress = (rows: number) => void

/** Moves all rows, from wherever to wherever; gives their number. */
export async function moveRows(
  rows: AsyncIterable<readonly TableRow[]>,
  target: Pick<DataTarget, 'add'>,
  onProgress: OnProgress,
): Promise<number> {
  let count = 0
  for await (const piece of rows) {
    await target.add(piece)
    count += piece.length
    onProgress(count)
  }
  return count
}
