import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/** The folder of this project. */
export const PROJECT_FOLDER = join(import.meta.dirname, '..', '..')

/** A source file of the project. */
export interface Source {
  /** Relative to the project, e.g. `src/core/names/name.ts`. */
  readonly path: string
  readonly text: string
  /** Modules it imports: project paths for files of ours, package names or `node:…` for others. */
  readonly imports: readonly string[]
}

/** Reads all TypeScript sources below a folder of the project. */
export async function readSources(folder: string): Promise<Source[]> {
  const entries = await readdir(join(PROJECT_FOLDER, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(PROJECT_FOLDER, join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => sourceOf(path, readFileSync(join(PROJECT_FOLDER, path), 'utf8')))
}

/** A source with its imports read from its text. */
export function sourceOf(path: string, text: string): Source {
  const code = withoutComments(text)
  const specifiers = [...code.matchAll(STATIC_IMPORT), ...code.matchAll(DYNAMIC_IMPORT)].map(([, name]) => name ?? '')
  return { path, text, imports: [...new Set(specifiers.map((specifier) => resolveImport(path, specifier)))] }
}

// The keyword must begin a statement: the word may also occur in a text.
const STATIC_IMPORT = /^\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]/gm
const DYNAMIC_IMPORT = /\b(?:import|require|import\.meta\.resolve)\(\s*['"]([^'"]+)['"]/g

/** The text with its comments blanked; line numbers stay. Good enough for sources that a formatter has gone over. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' ')).replace(/(^|\s)\/\/.*$/gm, '$1')
}

function resolveImport(path: string, specifier: string): string {
  if (specifier.startsWith('.')) return join(dirname(path), specifier)
  if (specifier.startsWith('#')) return `src/${specifier.slice(1)}`
  return specifier
}
