import { join } from 'node:path'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'

/** Where what is built for benchmarks is kept. */
export const CACHE_FOLDER = join(PROJECT_FOLDER, 'node_modules', '.cache', 'bench')

/** Figures; the first column names the row. */
export interface Table {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

/** Something that a figure must be. */
export interface Goal {
  /** What is wanted, e.g. `requests/s of access checks on the file store ≥ 0.70 of bare`. */
  readonly wanted: string
  readonly reached: boolean
  /** What was measured. */
  readonly figure: string
}

/** Outcome of a benchmark. */
export interface BenchResult {
  readonly tables: readonly Table[]
  readonly goals: readonly Goal[]
  readonly notes?: readonly string[]
}

/** A goal that a figure is at least, or at most, a limit. */
export function goal(
  what: string,
  relation: '≥' | '≤',
  limit: number,
  measured: number,
  { unit = '', digits = 2 } = {},
): Goal {
  const text = (value: number) => `${value.toFixed(digits)}${unit}`
  return {
    wanted: `${what} ${relation} ${text(limit)}`,
    reached: relation === '≥' ? measured >= limit : measured <= limit,
    figure: text(measured),
  }
}

/** Prints tables, notes, and each goal with whether it is reached. */
export function printResult({ tables, notes = [], goals }: BenchResult): void {
  for (const table of tables) console.log(`\n${tableText(table)}`)
  if (notes.length > 0) console.log()
  for (const note of notes) console.log(note)
  for (const { wanted, reached, figure } of goals) {
    console.log(`goal ${wanted}: ${reached ? 'reached' : 'not reached'}: ${figure}`)
  }
}

function tableText({ title, columns, rows }: Table): string {
  const cells = [columns, ...rows].map((row) => row.map(cellText))
  const widths = columns.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
  return [title, ...cells.map((row) => `  ${line(row).trimEnd()}`)].join('\n')
}

/** A figure as it stands in tables. */
export function cellText(cell: string | number): string {
  if (typeof cell === 'string') return cell
  if (cell >= 1000) return Math.round(cell).toLocaleString('en')
  return String(Number(Math.abs(cell) < 0.1 ? cell.toPrecision(2) : cell.toFixed(2)))
}
