import { problemLine } from './config-error.ts'
import { nearestName } from './nearest-name.ts'
import type { PropertyEntry } from './properties.ts'
import { fieldName, type Property, type UnsupportedProperty } from './property.ts'
import { KEY_ALIASES, KEY_FAMILIES, OBSOLETE_KEYS, type ServerName, tablesOf } from './server-tables.ts'

/** A property with its place in the configuration object. */
export interface Declaration {
  readonly row: Property | UnsupportedProperty
  readonly group: string
  readonly field: string
}

/** Declared properties by full key. */
export type Declarations = ReadonlyMap<string, Declaration>

/** Every property that a server knows. */
export const declarationsOf = (server: ServerName): Declarations => {
  const declarations = new Map<string, Declaration>()
  for (const { group, prefix, sections } of tablesOf(server)) {
    for (const [, rows] of sections) {
      for (const [key, row] of Object.entries(rows)) {
        declarations.set(prefix + key, { row, group, field: fieldName(key, row.unit) })
      }
    }
  }
  return declarations
}

const SERVERS: readonly ServerName[] = ['zms', 'zts', 'ui']

/** Whether a key belongs to other servers alone; files may be shared. */
export const isForeignKey = (server: ServerName, declarations: Declarations, key: string): boolean => {
  if (declarations.has(key)) return false
  const others = SERVERS.filter((name) => name !== server)
  return others.some(
    (other) =>
      key.startsWith(`athenz.${other}.`) ||
      tablesOf(other).some(
        ({ prefix, sections }) =>
          key.startsWith(prefix) && sections.some(([, rows]) => Object.hasOwn(rows, key.slice(prefix.length))),
      ),
  )
}

/** Puts the values of misspelled keys under the right ones. */
export const resolveAliases = (
  declarations: Declarations,
  entries: ReadonlyMap<string, PropertyEntry>,
): { entries: Map<string, PropertyEntry>; warnings: string[] } => {
  const resolved = new Map(entries)
  const warnings: string[] = []
  for (const [alias, key] of KEY_ALIASES) {
    const entry = resolved.get(alias)
    if (entry === undefined) continue
    resolved.delete(alias)
    if (!declarations.has(key)) continue
    if (resolved.has(key)) {
      warnings.push(problemLine(entry.origin, alias, `is not used, ${key} is set too (remove the line)`))
    } else {
      resolved.set(key, entry)
      warnings.push(problemLine(entry.origin, alias, `is taken as ${key} (write that)`))
    }
  }
  return { entries: resolved, warnings }
}

const noEffect = (reason: string) => `has no effect: ${reason}`

/** What is to be said about a key that is set to `value`; undefined when nothing is. */
export const keyWarning = (
  server: ServerName,
  declarations: Declarations,
  key: string,
  value: string,
): string | undefined => {
  const declared = declarations.get(key)
  if (declared !== undefined) {
    const { supported, default: initial } = declared.row
    // Files that spell the defaults out ask for nothing.
    return supported === true || value === initial ? undefined : noEffect(supported)
  }
  if (isForeignKey(server, declarations, key) && !OBSOLETE_KEYS.has(key)) return undefined
  const instead = OBSOLETE_KEYS.get(key)
  if (instead !== undefined) {
    return key.startsWith(`athenz.${server}.`) ? `has no effect, nor has it in the original (${instead})` : undefined
  }
  const family = KEY_FAMILIES.find(({ prefix }) => key.startsWith(prefix))
  if (family !== undefined) return family.supported === true ? undefined : noEffect(family.supported)
  const nearest = nearestName(key, declarations.keys())
  if (nearest !== undefined) return `is not known (did you mean ${nearest}?)`
  return key.startsWith('athenz.')
    ? 'is not known (remove the line, unless a plug-in reads it)'
    : 'is not a property of Athenz; properties of the Java VM have no effect (remove the line)'
}
