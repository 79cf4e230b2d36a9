import { Option } from 'commander'

/** How results are printed: for people, or for programs. */
export type OutputFormat = 'table' | 'json' | 'yaml'

/** The option for it. */
export const outputOption = (): Option =>
  new Option('-o, --output <format>', 'how the result is printed').choices(['table', 'json', 'yaml']).default('table')

/** A result: its data, and how people see it. */
export interface Result {
  readonly value: unknown
  /** A list as columns, or lines. */
  readonly table: Table | (() => readonly string[])
}

/** Columns with their titles. */
export interface Table {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | boolean | undefined)[])[]
}

/** Writes a result to standard output. */
export async function printResult({ value, table }: Result, format: OutputFormat): Promise<void> {
  if (format === 'json') print(JSON.stringify(value, undefined, 2))
  else if (format === 'yaml') print((await yamlText(value)).trimEnd())
  else for (const line of typeof table === 'function' ? table() : tableLines(table)) print(line)
}

/** Values as YAML; no line is broken, so that lines can be compared. */
export async function yamlText(value: unknown): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(value, { lineWidth: 0 })
}

/** Controls and the like that must not forge lines of a terminal. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** Columns side by side, each as wide as its longest entry. */
export function tableLines({ columns, rows }: Table): string[] {
  const texts = [columns, ...rows.map((row) => row.map(cellText))]
  const widths = columns.map((_, at) => Math.max(...texts.map((row) => row[at]?.length ?? 0)))
  return texts.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

const cellText = (cell: string | number | boolean | undefined): string =>
  cell === undefined || cell === '' ? '-' : String(cell).replaceAll(INVISIBLE, '\uFFFD')

const print = (text: string): void => void process.stdout.write(`${text}\n`)
