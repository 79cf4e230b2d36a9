import { createHash } from 'node:crypto'
import { lengthOf, type SchemaFacts, type TableFacts, typeOf } from './schema-facts.ts'

/**
 * A change of a schema, known by its date. It says what the schema has afterwards; which statements lead there depends on
 * what a database has already: nothing, some or all of it. That is why a change that was cut short anywhere is simply
 * applied again, although no statement that changes a table can be rolled back.
 */
export interface SchemaChange {
  /** Year, month and day, perhaps with a letter: `20190107`. Changes are applied in the order of their ids. */
  readonly id: string
  /** What it is for, for people. */
  readonly title: string
  readonly steps: readonly SchemaStep[]
}

/** A step of a change: a table that is there afterwards, or demands on one that is there before. */
export type SchemaStep =
  | { readonly table: string; readonly create: NewTable }
  | { readonly table: string; readonly alter: readonly Demand[] }

/** A table that is created when it is missing. */
export interface NewTable {
  /** Column name → type and the rest of its definition, in order. */
  readonly columns: Readonly<Record<string, string>>
  readonly primary: readonly string[]
  /** Further keys by name; `name(length)` stands for the beginning of a column. */
  readonly indexes?: Readonly<Record<string, readonly string[]>>
  readonly unique?: Readonly<Record<string, readonly string[]>>
  /** Constraint name → column and the table that has the same column as its key; its rows go with those of that table. */
  readonly foreign?: Readonly<Record<string, readonly [column: string, table: string]>>
}

/** What a table must have; each is met already or leads to a part of an ALTER TABLE. */
export type Demand =
  /** The column is there, and as long as this if it holds text. `formerly`: a name that it had. */
  | { readonly column: string; readonly definition: string; readonly formerly?: string }
  /** The column is there and letter case counts in it. */
  | { readonly exact: string; readonly definition: string }
  /** The column is there and changes of the row leave it alone. */
  | { readonly untouched: string; readonly definition: string }
  /** The column has no default. */
  | { readonly withoutDefault: string }
  /** There is a key of these columns. */
  | { readonly index: string; readonly columns: readonly string[] }
  /** The key of that name has exactly these columns and is unique. */
  | { readonly unique: string; readonly columns: readonly string[] }
  /** The primary key has these columns, in any order; `define` are columns that must be made to fit into it. */
  | { readonly primary: readonly string[]; readonly define?: Readonly<Record<string, string>> }

/** What statements need to know of the database. */
export interface SchemaContext {
  /** Character set of the tables: `utf8mb3`. In definitions `{charset}` stands for it. */
  readonly charset: string
  readonly collation: string
}

/** A statement that is to be executed for a change. */
export interface PlannedStatement {
  readonly change: SchemaChange
  readonly table: string
  readonly sql: string
}

/** SHA-256 of all that a change says but for its title, in hexadecimal digits. */
export function checksumOf({ id, steps }: SchemaChange): string {
  return createHash('sha256').update(JSON.stringify({ id, steps })).digest('hex')
}

/** The statements that a schema still needs, in order. The facts are changed to what will be there then. */
export function planChanges(
  changes: readonly SchemaChange[],
  schema: SchemaFacts,
  context: SchemaContext,
): PlannedStatement[] {
  const planned: PlannedStatement[] = []
  for (const change of changes) {
    for (const step of change.steps) {
      const { table } = step
      const sql = 'create' in step ? createTable(step, schema, context) : alterTable(step, schema, context)
      if (sql !== undefined) planned.push({ change, table, sql })
    }
  }
  return planned
}

const quoted = (name: string) => `\`${name}\``
const keyColumn = (column: string) => column.replace(/^[^(]+/, quoted)
const keyColumns = (columns: readonly string[]) => `(${columns.map(keyColumn).join(', ')})`
const definitionIn = (definition: string, { charset }: SchemaContext) => definition.replaceAll('{charset}', charset)

function createTable(
  { table, create }: { table: string; create: NewTable },
  schema: SchemaFacts,
  context: SchemaContext,
): string | undefined {
  if (schema.has(table)) return undefined
  const { columns, primary, indexes = {}, unique = {}, foreign = {} } = create
  const facts: TableFacts = { collation: context.collation, columns: new Map(), primary, indexes: new Map() }
  schema.set(table, facts)
  for (const [name, definition] of Object.entries(columns)) define(facts, name, definitionIn(definition, context))
  for (const [name, parts] of Object.entries(indexes)) facts.indexes.set(name, { columns: parts, unique: false })
  for (const [name, parts] of Object.entries(unique)) facts.indexes.set(name, { columns: parts, unique: true })
  const lines = [
    ...Object.entries(columns).map(([name, definition]) => `${quoted(name)} ${definitionIn(definition, context)}`),
    `PRIMARY KEY ${keyColumns(primary)}`,
    ...Object.entries(unique).map(([name, parts]) => `UNIQUE KEY ${quoted(name)} ${keyColumns(parts)}`),
    ...Object.entries(indexes).map(([name, parts]) => `KEY ${quoted(name)} ${keyColumns(parts)}`),
    ...Object.entries(foreign).map(
      ([name, [column, target]]) =>
        `CONSTRAINT ${quoted(name)} FOREIGN KEY (${quoted(column)}) REFERENCES ${quoted(target)} (${quoted(column)})` +
        ' ON DELETE CASCADE ON UPDATE NO ACTION',
    ),
  ]
  return (
    `CREATE TABLE IF NOT EXISTS ${quoted(table)} (\n  ${lines.join(',\n  ')}\n)` +
    ` ENGINE = InnoDB DEFAULT CHARACTER SET ${context.charset} COLLATE ${context.collation}`
  )
}

function alterTable(
  { table, alter }: { table: string; alter: readonly Demand[] },
  schema: SchemaFacts,
  context: SchemaContext,
): string | undefined {
  const facts = schema.get(table)
  if (facts === undefined) throw new Error(`table ${table} is missing`)
  const parts = alter.flatMap((demand) => meet(demand, facts, context))
  return parts.length === 0 ? undefined : `ALTER TABLE ${quoted(table)}\n  ${parts.join(',\n  ')}`
}

/** The parts of an ALTER TABLE that meet a demand, none when it is met. */
function meet(demand: Demand, facts: TableFacts, context: SchemaContext): string[] {
  if ('column' in demand) return meetColumn(demand, facts, definitionIn(demand.definition, context))
  if ('exact' in demand) {
    const met = facts.columns.get(demand.exact)?.collation?.endsWith('_bin') === true
    return met ? [] : [modify(facts, demand.exact, definitionIn(demand.definition, context))]
  }
  if ('untouched' in demand) {
    const met = facts.columns.get(demand.untouched)?.isTouched === false
    return met ? [] : [modify(facts, demand.untouched, definitionIn(demand.definition, context))]
  }
  if ('withoutDefault' in demand) {
    const column = facts.columns.get(demand.withoutDefault)
    if (!column?.hasDefault) return []
    column.hasDefault = false
    return [`ALTER COLUMN ${quoted(demand.withoutDefault)} DROP DEFAULT`]
  }
  if ('index' in demand) return meetIndex(demand, facts)
  if ('unique' in demand) return meetUnique(demand, facts)
  return meetPrimary(demand, facts, context)
}

function meetColumn(
  { column: name, formerly }: { column: string; formerly?: string },
  facts: TableFacts,
  definition: string,
): string[] {
  const column = facts.columns.get(name)
  if (column === undefined) {
    define(facts, name, definition)
    if (formerly === undefined || !facts.columns.delete(formerly)) return [`ADD COLUMN ${quoted(name)} ${definition}`]
    return [`CHANGE COLUMN ${quoted(formerly)} ${quoted(name)} ${definition}`]
  }
  const isLongEnough = (lengthOf(column.type) ?? Number.POSITIVE_INFINITY) >= (lengthOf(definition) ?? 0)
  return isLongEnough ? [] : [modify(facts, name, definition)]
}

function meetIndex({ index, columns }: { index: string; columns: readonly string[] }, facts: TableFacts): string[] {
  for (const known of facts.indexes.values()) if (sameList(known.columns, columns)) return []
  facts.indexes.set(index, { columns, unique: false })
  return [`ADD INDEX ${quoted(index)} ${keyColumns(columns)}`]
}

function meetUnique({ unique, columns }: { unique: string; columns: readonly string[] }, facts: TableFacts): string[] {
  const known = facts.indexes.get(unique)
  if (known?.unique && sameList(known.columns, columns)) return []
  facts.indexes.set(unique, { columns, unique: true })
  const add = `ADD UNIQUE INDEX ${quoted(unique)} ${keyColumns(columns)}`
  return known === undefined ? [add] : [`DROP INDEX ${quoted(unique)}`, add]
}

function meetPrimary(
  { primary, define: columns = {} }: { primary: readonly string[]; define?: Readonly<Record<string, string>> },
  facts: TableFacts,
  context: SchemaContext,
): string[] {
  if (sameList(facts.primary.toSorted(), primary.toSorted())) return []
  const former = facts.primary.length > 0 ? ['DROP PRIMARY KEY'] : []
  facts.primary = primary
  return [
    ...Object.entries(columns).map(([name, definition]) => modify(facts, name, definitionIn(definition, context))),
    ...former,
    `ADD PRIMARY KEY ${keyColumns(primary)}`,
  ]
}

function modify(facts: TableFacts, name: string, definition: string): string {
  define(facts, name, definition)
  return `MODIFY COLUMN ${quoted(name)} ${definition}`
}

function define(facts: TableFacts, name: string, definition: string): void {
  const type = typeOf(/^\w+(\([\d,]+\))?( unsigned)?/i.exec(definition)?.[0] ?? '')
  facts.columns.set(name, {
    type,
    hasDefault: /\bdefault\b/i.test(definition),
    isTouched: /\bon update\b/i.test(definition),
    collation: /^(varchar|.*text)/.test(type)
      ? (/\bcollate (\w+)/i.exec(definition)?.[1] ?? facts.collation)
      : undefined,
  })
}

const sameList = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((x, i) => x === b[i])
