import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { PROJECT_FOLDER } from '../../src/cli/server-kind.ts'

/** Where results and what is built for benchmarks are kept. */
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

/** Prints a result, and keeps it in `NAME.json` of the cache. */
export async function report(name: string, result: BenchResult): Promise<void> {
  const machine = {
    date: new Date().toISOString(),
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    node: process.version,
    loadAverage: loadavg()[0] ?? 0,
  }
  for (const table of result.tables) console.log(`\n${tableText(table)}`)
  console.log(
    `\n${machine.date.slice(0, 10)}, ${machine.cores} cores (${machine.processor}), Node.js ${machine.node}, load average ${machine.loadAverage.toFixed(1)}`,
  )
  for (const note of result.notes ?? []) console.log(note)
  for (const { wanted, reached, figure } of result.goals) {
    console.log(`goal ${wanted}: ${reached ? 'reached' : 'not reached'}: ${figure}`)
  }
  await mkdir(CACHE_FOLDER, { recursive: true })
  await writeFile(join(CACHE_FOLDER, `${name}.json`), `${JSON.stringify({ name, ...machine, ...result }, null, 2)}\n`)
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

const cellText = (cell: string | number): string =>
  typeof cell === 'string'
    ? cell
    : cell >= 1000
      ? Math.round(cell).toLocaleString('en')
      : String(Number(cell.toFixed(2)))

/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  if (low === undefined || high === undefined) throw new RangeError('no values')
  return (low + high) / 2
}
