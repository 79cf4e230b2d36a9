/** Order and comparison of names by their characters, not by the collation of the column: the same in every store. */
export const byName = (column: string): string => `CAST(${column} AS BINARY)`

/** Comparison of a text by its characters, too, and not by the collation of the column alone; takes the value twice. */
export const exactly = (column: string): string => `${column} = ? AND ${byName(column)} = ${byName('?')}`

/** Whether a text begins with another one, character by character, by an index when there is one; takes `startingWith` twice. */
export const beginsLike = (column: string): string =>
  `${column} LIKE ? ESCAPE '!' AND ${byName(column)} LIKE ${byName('?')} ESCAPE '!'`

/** The pattern of texts that begin with the prefix, with `!` as escape character, as often as `beginsLike` takes it. */
export function startingWith(prefix: string): [string, string] {
  const pattern = `${prefix.replace(/[!%_]/g, '!$&')}%`
  return [pattern, pattern]
}
