/** Lines further right by so many columns. */
export const indented = (columns: number, lines: readonly string[]): string[] =>
  lines.map((line) => ' '.repeat(columns) + line)

/** Lines as an item of a list: a hyphen before the first, the others below its text. */
export const item = ([first = '', ...others]: readonly string[]): string[] => [`- ${first}`, ...indented(2, others)]

/** A text of lines, each with a line break. */
export const textOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')

/** `name: value`, for each that has a value; empty texts have none. */
export function fields(
  values: readonly (readonly [name: string, value: string | number | boolean | undefined])[],
): string[] {
  return values.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [`${name}: ${value}`]))
}
