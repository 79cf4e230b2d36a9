import { readFile } from 'node:fs/promises'
import { isAbsolute, resolve } from 'node:path'
import { Properties, PropertiesNodeType } from 'properties-file/parser'
import { messageOf } from '../error/message-of.ts'
import { problemLine } from './config-error.ts'

/** Environment variables by name; passed in, because only the entry points read the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>

/** One key as set somewhere. */
export interface PropertyEntry {
  readonly value: string
  /** `FILE:LINE`, or `command line`. */
  readonly origin: string
  /** Why the value cannot be used; counts only when the key matters to the server that starts. */
  readonly problem?: string
}

/** What one file says. */
export interface PropertiesContent {
  readonly entries: ReadonlyMap<string, PropertyEntry>
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
}

/** Where properties come from, most important first: overrides, further sources, files. */
export interface PropertySources {
  /** Properties files; where two set the same key, the earlier one counts. */
  readonly files: readonly string[]
  /** `-Dkey=value` of the command line; the last of two for one key counts. */
  readonly overrides: readonly (readonly [key: string, value: string])[]
  readonly env: Environment
  /** Base of relative paths, and the value of `${ROOT}` when the environment has none. */
  readonly rootDir: string
}

/** Key that names further sources; they precede the files. */
export const SOURCE_PATHS_KEY = 'athenz.config.source_paths'
const FILE_SOURCE_PREFIX = 'prop-file://'
const COMMAND_LINE = 'command line'
const VARIABLE = /\$(\$?)\{([^}]*)\}/g
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Replaces every `${NAME}` by the environment variable; `$${` stands for the text `${` itself. */
const substitute = (text: string, env: Environment): { value: string; problem?: string } => {
  const problems: string[] = []
  const value = text.replace(VARIABLE, (whole, escape: string, name: string) => {
    if (escape !== '') return whole.slice(1)
    if (!VARIABLE_NAME.test(name)) {
      problems.push(`${whole} does not name an environment variable (write $${whole} for the text itself)`)
      return whole
    }
    const replacement = Object.hasOwn(env, name) ? env[name] : undefined
    if (replacement === undefined) problems.push(`environment variable ${name} is not set (set it, or write the value)`)
    return replacement ?? whole
  })
  return problems.length === 0 ? { value } : { value, problem: problems.join('; ') }
}

/** Files of ours are UTF-8; one that is not is read as ISO 8859-1, as Java reads all of them. */
const decode = (content: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return new TextDecoder('latin1').decode(content)
  }
}

/** The first line that the parser refuses on its own, for its message about the whole text. */
const badLine = (text: string): number | undefined => {
  const at = text.split(/\r\n|\r|\n/).findIndex((line) => {
    try {
      void new Properties(line).nodes
      return false
    } catch {
      return true
    }
  })
  return at < 0 ? undefined : at + 1
}

/**
 * Parses the content of a Java properties file: escapes, continuation lines, `#` and `!` comments, `=`, `:` or blanks
 * between key and value. Of two lines with one key the later counts, with a warning. `file` is only used in messages.
 */
export const parseProperties = (content: Uint8Array, file: string, env: Environment): PropertiesContent => {
  const text = decode(content)
  const entries = new Map<string, PropertyEntry>()
  const warnings: string[] = []
  let nodes: Properties['nodes']
  try {
    nodes = new Properties(text).nodes
  } catch (error) {
    const line = badLine(text)
    const reason = messageOf(error)
    const place = line === undefined ? file : `${file}:${line}`
    return { entries, problems: [`${place}: ${reason} (write a backslash as \\\\)`], warnings }
  }
  for (const node of nodes) {
    if (node.type !== PropertiesNodeType.PROPERTY) continue
    const origin = `${file}:${node.startingLineNumber}`
    const previous = entries.get(node.key)
    if (previous !== undefined) {
      warnings.push(problemLine(origin, node.key, `replaces the value set at ${previous.origin} (remove one of them)`))
    }
    entries.set(node.key, { ...substitute(node.value, env), origin })
  }
  return { entries, problems: [], warnings }
}

const readPropertiesFile = async (file: string, env: Environment): Promise<PropertiesContent> => {
  let content: Uint8Array
  try {
    content = await readFile(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    const reason = code === 'ENOENT' ? 'the file does not exist' : `cannot be read: ${messageOf(error)}`
    return { entries: new Map(), problems: [`${file}: ${reason}`], warnings: [] }
  }
  return parseProperties(content, file, env)
}

/** Paths of the further sources; one of another kind is a problem, because what it holds would silently be missing. */
const sourceFiles = (entry: PropertyEntry | undefined, rootDir: string, problems: string[]): string[] => {
  const files: string[] = []
  for (const source of (entry?.value ?? '').split(',').map((item) => item.trim())) {
    if (source === '') continue
    const path = source.slice(FILE_SOURCE_PREFIX.length)
    if (source.startsWith(FILE_SOURCE_PREFIX) && path !== '') {
      files.push(isAbsolute(path) ? path : resolve(rootDir, path))
    } else {
      const reason = `"${source}" is not a source that can be read (write ${FILE_SOURCE_PREFIX}/path/to/file)`
      problems.push(problemLine(entry?.origin ?? COMMAND_LINE, SOURCE_PATHS_KEY, reason))
    }
  }
  return files
}

/** Reads all sources and joins them; everything unreadable is listed, nothing is thrown. */
export const readProperties = async (sources: PropertySources): Promise<PropertiesContent> => {
  const env = Object.hasOwn(sources.env, 'ROOT') ? sources.env : { ...sources.env, ROOT: sources.rootDir }
  const entries = new Map<string, PropertyEntry>()
  for (const [key, value] of sources.overrides) entries.set(key, { value, origin: COMMAND_LINE })
  const fromFiles = await Promise.all(sources.files.map((file) => readPropertiesFile(file, env)))

  const problems: string[] = []
  const warnings: string[] = []
  const sourcePaths = [entries, ...fromFiles.map((content) => content.entries)]
    .map((from) => from.get(SOURCE_PATHS_KEY))
    .find((entry) => entry !== undefined)
  const further = sourceFiles(sourcePaths, sources.rootDir, problems)
  const fromSources = await Promise.all(further.map((file) => readPropertiesFile(file, env)))

  for (const content of [...fromSources, ...fromFiles]) {
    problems.push(...content.problems)
    warnings.push(...content.warnings)
  }
  for (const content of fromSources) {
    for (const [key, entry] of content.entries) if (!entries.has(key)) entries.set(key, entry)
  }
  const decidedBefore = new Set(entries.keys())
  for (const content of fromFiles) {
    for (const [key, entry] of content.entries) {
      const winner = entries.get(key)
      if (winner === undefined) entries.set(key, entry)
      else if (!decidedBefore.has(key) && winner.value !== entry.value) {
        warnings.push(problemLine(entry.origin, key, `is not used, ${winner.origin} counts (remove one of them)`))
      }
    }
  }
  return { entries, problems, warnings }
}
