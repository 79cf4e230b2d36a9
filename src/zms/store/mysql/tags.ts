import type { Tags } from '../model.ts'
import { insertRows } from './bulk.ts'
import type { WriteScope } from './scope.ts'

/** A table of tags: key of the owner, `key`, `value`. */
export interface TagTable {
  readonly table: string
  readonly id: string
}

/** Tags in the database, as far as they are known. */
export type StoredTags = Tags | undefined | 'unknown'

/** Replaces the tags of an owner. */
export async function writeTags(
  { connection }: WriteScope,
  { table, id }: TagTable,
  ownerId: number,
  tags: Tags | undefined,
): Promise<void> {
  await connection.change(`DELETE FROM ${table} WHERE ${id} = ?`, [ownerId])
  const rows = [...(tags ?? [])].flatMap(([key, values]) => [...new Set(values)].map((value) => [ownerId, key, value]))
  await insertRows(connection, `${table} (${id}, \`key\`, value)`, rows)
}

/** Whether tags are what is stored already, the order of the values aside. */
export function sameTags(a: Tags | undefined, b: StoredTags): boolean {
  if (b === 'unknown') return false
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false
  for (const [key, values] of a ?? []) {
    const others = b?.get(key)
    if (others === undefined || others.length !== values.length) return false
    if (!values.every((value) => others.includes(value))) return false
  }
  return true
}
