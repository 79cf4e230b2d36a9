import type { Undo } from './page.ts'

/** What takes a change back: an action of the page at `to`, without the fields that have no value. */
export function undoBy(to: string, action: string, fields: Readonly<Record<string, string | undefined>>): Undo {
  const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)
  return { to, action, fields: Object.fromEntries(given) }
}
