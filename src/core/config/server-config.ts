import { resolve } from 'node:path'
import { ConfigError, problemLine } from './config-error.ts'
import { type Declarations, declarationsOf, isForeignKey, keyWarning, resolveAliases } from './declarations.ts'
import { deepFreeze } from './deep-freeze.ts'
import { DynamicValue } from './dynamic.ts'
import { parseJdbcUrl } from './jdbc-url.ts'
import { type Environment, type PropertiesContent, readProperties } from './properties.ts'
import type { Property, UnsupportedProperty } from './property.ts'
import { booleanType, jdbcUrlType, type PropertyType } from './property-type.ts'
import { relationProblems } from './relations.ts'
import type { ConfigOf, ServerName } from './server-tables.ts'

/** What a server reads its configuration from. */
export interface LoadOptions<Server extends ServerName = ServerName> {
  readonly server: Server
  /** Base folder: default of `athenz.{server}.root_dir`. */
  readonly rootDir: string
  /** Properties files, most important first; by default those that `prop_file` names. */
  readonly files?: readonly string[]
  /** `-Dkey=value`, in order; they win over every file. */
  readonly overrides?: readonly (readonly [key: string, value: string])[]
  readonly env: Environment
  /** Name of this machine. */
  readonly hostname: string
}

/** The texts of properties, for authorities and plug-ins. */
export interface ConfigProperties {
  /** Text at the start, or the declared default. Keys that nobody declared are answered too. */
  readonly get: (key: string) => string | undefined
  /** Likewise, as of the latest reading that had no problems. */
  readonly latest: (key: string) => string | undefined
  /** Where that text comes from, for messages: `FILE:LINE`, `command line` or `default`. */
  readonly origin: (key: string) => string
}

/** What a new reading of the sources brought. */
export interface ReloadReport {
  /** Dynamic properties that have a new value now. */
  readonly changed: readonly string[]
  /** Properties that differ from the start and need a restart. */
  readonly pending: readonly string[]
}

/** A configuration that was read without problems. */
export interface LoadedConfig<Config> {
  readonly config: Config
  readonly properties: ConfigProperties
  /** Lines `ORIGIN: KEY: REASON`. */
  readonly warnings: readonly string[]
  /**
   * Reads all sources again and sets the dynamic properties. Throws ConfigError, and changes nothing, when there is any
   * problem.
   */
  readonly reload: () => Promise<ReloadReport>
}

/** Everything that one reading of the sources gave. */
interface Reading {
  /** Parsed values by full key; without those that failed or have no support. */
  readonly values: ReadonlyMap<string, unknown>
  /** Texts in force by full key, of declared properties. */
  readonly texts: ReadonlyMap<string, string | undefined>
  readonly properties: Omit<ConfigProperties, 'latest'>
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

const rootOf = (server: ServerName, rootDir: string, text: (key: string) => string | undefined): string =>
  resolve(rootDir, text(`athenz.${server}.root_dir`) || text('athenz.root_dir') || '')

/** What is worth a word about a value that can be used. */
const caution = (row: Property, text: string): string | undefined => {
  if (isOfType(row, jdbcUrlType)) return cautionAboutOptions(text)
  // A boolean that is neither true nor false is false, as in Java.
  return isOfType(row, booleanType) && !/^(true|false)$/i.test(text)
    ? `${JSON.stringify(text)} counts as false (write true or false)`
    : undefined
}

const isOfType = ({ type }: Property, wanted: PropertyType): boolean =>
  type === wanted || ('unwrap' in type && typeof type.unwrap === 'function' && type.unwrap() === wanted)

const cautionAboutOptions = (text: string): string | undefined => {
  const parsed = parseJdbcUrl(text.trim())
  const ignored = parsed.ok ? [...parsed.url.options.keys()] : []
  if (ignored.length === 0) return undefined
  const advice = 'of all options only sslMode, user and password count; there are properties for the rest'
  return `${ignored.join(', ')} in the address: no effect (${advice})`
}

const read = (options: LoadOptions, declarations: Declarations, content: PropertiesContent): Reading => {
  const { server, hostname } = options
  const aliased = resolveAliases(declarations, content.entries)
  const { entries } = aliased
  const problems = [...content.problems]
  const warnings = [...content.warnings, ...aliased.warnings]
  const root = rootOf(server, options.rootDir, (key) => entries.get(key)?.value)

  const expand = (text: string): string =>
    text.replaceAll('{root}', root).replaceAll('{server}', server).replaceAll('{hostname}', hostname)

  const texts = new Map<string, string | undefined>()
  const textOf = (key: string): string | undefined => {
    if (texts.has(key)) return texts.get(key)
    const text = findText(key)
    if (declarations.has(key)) texts.set(key, text)
    return text
  }
  const findText = (key: string): string | undefined => {
    const entry = entries.get(key)
    const row = declarations.get(key)?.row
    if (row === undefined) return entry?.value
    const isSet = entry !== undefined && (row.form === 'value' || entry.value.trim() !== '')
    const text = isSet ? entry.value : defaultText(row)
    if (text === undefined || row.form !== 'path') return text
    return resolve(key.endsWith('.root_dir') ? options.rootDir : root, text.trim())
  }
  const defaultText = (row: Property | UnsupportedProperty): string | undefined => {
    const value = row.default
    if (typeof value === 'object') return value.from((key) => textOf(expand(key)))
    return value === undefined ? undefined : expand(String(value))
  }

  const values = new Map<string, unknown>()
  for (const [key, { row }] of declarations) {
    const text = textOf(key)
    if (row.supported !== true) continue
    const origin = entries.get(key)?.origin ?? 'default'
    const parsed = row.type.safeParse(text)
    if (parsed.success) values.set(key, parsed.data)
    else problems.push(problemLine(origin, key, parsed.error.issues.map((issue) => issue.message).join('; ')))
    const warning = text === undefined ? undefined : caution(row, text)
    if (warning !== undefined) warnings.push(problemLine(origin, key, warning))
  }
  for (const [key, entry] of entries) {
    const warning = keyWarning(server, declarations, key, entry.value)
    if (warning !== undefined) warnings.push(problemLine(entry.origin, key, warning))
    if (entry.problem !== undefined && !isForeignKey(server, declarations, key)) {
      problems.push(problemLine(entry.origin, key, entry.problem))
    }
  }
  const properties: Reading['properties'] = {
    get: textOf,
    origin: (key) => entries.get(key)?.origin ?? 'default',
  }
  problems.push(...relationProblems(server, values, properties.origin))
  return { values, texts, properties, problems, warnings }
}

/** Puts the values into groups; the dynamic ones into holders, which are returned by key. */
const arrange = (declarations: Declarations, values: ReadonlyMap<string, unknown>) => {
  const groups = new Map<string, Map<string, unknown>>()
  const holders = new Map<string, DynamicValue<unknown>>()
  for (const [key, { row, group, field }] of declarations) {
    if (row.supported !== true) continue
    let value = values.get(key)
    if (row.dynamic) {
      const holder = new DynamicValue(deepFreeze(value))
      holders.set(key, holder)
      value = holder
    }
    let members = groups.get(group)
    if (members === undefined) groups.set(group, (members = new Map()))
    members.set(field, value)
  }
  const config = Object.fromEntries(groups.get('') ?? [])
  for (const [group, members] of groups) if (group !== '') config[group] = Object.fromEntries(members)
  return { config: deepFreeze(config), holders }
}

const sourcesOf = (options: LoadOptions) => {
  const overrides = options.overrides ?? []
  const override = new Map(overrides)
  const root = rootOf(options.server, options.rootDir, (key) => override.get(key))
  const folder = `conf/${options.server}_server`
  const files = options.files ?? [
    resolve(root, override.get(`athenz.${options.server}.prop_file`) ?? `${folder}/${options.server}.properties`),
    resolve(root, override.get('athenz.prop_file') ?? `${folder}/athenz.properties`),
  ]
  return { files, overrides, env: options.env, rootDir: root }
}

/**
 * Reads the configuration of a server: overrides, further sources, files, defaults, in this order of importance. Throws
 * ConfigError with every problem when there is one. The result does not change, except for the dynamic settings.
 */
export const loadServerConfig = async <Server extends ServerName>(
  options: LoadOptions<Server>,
): Promise<LoadedConfig<ConfigOf[Server]>> => {
  const declarations = declarationsOf(options.server)
  const readSources = async (): Promise<Reading> => {
    const reading = read(options, declarations, await readProperties(sourcesOf(options)))
    if (reading.problems.length > 0) throw new ConfigError(reading.problems)
    return reading
  }

  const start = await readSources()
  const { config, holders } = arrange(declarations, start.values)
  let current = start
  const reload = async (): Promise<ReloadReport> => {
    const reading = await readSources()
    const changed: string[] = []
    const pending: string[] = []
    for (const [key, text] of reading.texts) {
      const holder = holders.get(key)
      if (holder === undefined) {
        if (text !== start.texts.get(key) && declarations.get(key)?.row.supported === true) pending.push(key)
      } else if (text !== current.texts.get(key)) {
        holder.set(deepFreeze(reading.values.get(key)))
        changed.push(key)
      }
    }
    current = reading
    return { changed, pending }
  }
  return {
    // The tables that the type is computed from are the ones that were walked.
    config: config as unknown as ConfigOf[Server],
    properties: { ...start.properties, latest: (key) => current.properties.get(key) },
    warnings: start.warnings,
    reload,
  }
}
