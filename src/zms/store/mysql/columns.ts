import type { SqlValue } from '#core/database/mysql-connection.ts'
import type { ResourceOwnership } from '../model.ts'

/** A row as the driver gives it: integers as numbers, times as dates. */
export type Row = Readonly<Record<string, unknown>>

/** Rows of a query of which nothing is known but what its reader says; the reader casts them. */
export type UnknownRows = readonly unknown[]

/** How one member of an object is kept in one column; the only place that knows what stands for "absent" in the column. */
export interface Column<T> {
  readonly name: string
  /** The value to store. */
  toSql(object: T): SqlValue
  /** Sets the member when the column has a value. */
  fromSql(row: Row, object: Partial<T>): void
}

/** Members of T whose value is a V, present or not. */
type KeyOf<T, V> = { [K in keyof T]-?: NonNullable<T[K]> extends V ? K : never }[keyof T]

/** Makers of columns for the members of one type of object. */
export function columnsOf<T extends object>() {
  const column = <V>(
    name: string,
    key: keyof T,
    write: (value: V | undefined) => SqlValue,
    read: (value: unknown) => V | undefined,
  ): Column<T> => ({
    name,
    toSql: (object) => write(object[key] as V | undefined),
    fromSql(row, object) {
      const value = read(row[name])
      if (value !== undefined) (object as Record<PropertyKey, unknown>)[key] = value
    },
  })
  return {
    /** A text; '' stands for absent. */
    text: (name: string, key: KeyOf<T, string>) => column<string>(name, key, (value) => value ?? '', textOf),
    /** A text that may be NULL. */
    nullableText: (name: string, key: KeyOf<T, string>) => column<string>(name, key, (value) => value ?? null, textOf),
    /** A number; 0 stands for absent. */
    number: (name: string, key: KeyOf<T, number>) =>
      column<number>(
        name,
        key,
        (value) => value ?? 0,
        (value) => (value as number) || undefined,
      ),
    /** A number that is always present. */
    plainNumber: (name: string, key: KeyOf<T, number>) =>
      column<number>(
        name,
        key,
        (value) => value ?? 0,
        (value) => value as number,
      ),
    /** A flag; false stands for absent. */
    flag: (name: string, key: KeyOf<T, boolean>) =>
      column<boolean>(
        name,
        key,
        (value) => (value ? 1 : 0),
        (value) => value === 1 || undefined,
      ),
    /** A flag that is always present. */
    plainFlag: (name: string, key: KeyOf<T, boolean>) =>
      column<boolean>(
        name,
        key,
        (value) => (value ? 1 : 0),
        (value) => value === 1,
      ),
    /** A time in epoch milliseconds; NULL stands for absent. */
    time: (name: string, key: KeyOf<T, number>) =>
      column<number>(name, key, (value) => (value === undefined ? null : new Date(value)), timeOf),
    /** Owners of components, as `component:owner,…`. */
    ownership: (name: string, key: KeyOf<T, ResourceOwnership>) =>
      column<ResourceOwnership>(name, key, formatOwnership, parseOwnership),
  }
}

/** Name and times of an object, which no table lacks. */
export function identityOf(row: Row): { name: string; modified: number; created: number } {
  return {
    name: row['name'] as string,
    modified: timeOf(row['modified']) ?? 0,
    created: timeOf(row['created']) ?? 0,
  }
}

/** Epoch milliseconds of a DATETIME; undefined for NULL and for dates that are none. */
export function timeOf(value: unknown): number | undefined {
  const time = value instanceof Date ? value.getTime() : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

/** A text; undefined for NULL and ''. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** An object with the members that the row has values for. */
export function readObject<T>(columns: readonly Column<T>[], row: Row): Partial<T> {
  const object: Partial<T> = {}
  for (const column of columns) column.fromSql(row, object)
  return object
}

/** The values of an object in the order of the columns. */
export function valuesOf<T>(columns: readonly Column<T>[], object: T): SqlValue[] {
  return columns.map((column) => column.toSql(object))
}

/** Column names for a SELECT or INSERT, each with the table's alias when one is given. */
export function namesOf(columns: readonly Column<never>[], alias?: string): string {
  const prefix = alias === undefined ? '' : `${alias}.`
  return columns.map(({ name }) => prefix + name).join(', ')
}

/** Assignments of an UPDATE, each with a place for a value. */
export function assignmentsOf(columns: readonly Column<never>[]): string {
  return columns.map(({ name }) => `${name} = ?`).join(', ')
}

/** Assignments of an upsert: what would have been inserted. */
export function insertedValuesOf(columns: readonly Column<never>[]): string {
  return columns.map(({ name }) => `${name} = VALUES(${name})`).join(', ')
}

/** So many places for values, separated by commas. */
export function places(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ')
}

function formatOwnership(ownership: ResourceOwnership | undefined): string {
  return [...(ownership ?? [])].map(([component, owner]) => `${component}:${owner}`).join(',')
}

function parseOwnership(value: unknown): ResourceOwnership | undefined {
  const owners = new Map<string, string>()
  for (const item of (textOf(value) ?? '').split(',')) {
    const colon = item.indexOf(':')
    if (colon > 0 && colon < item.length - 1) owners.set(item.slice(0, colon), item.slice(colon + 1))
  }
  return owners.size > 0 ? owners : undefined
}
