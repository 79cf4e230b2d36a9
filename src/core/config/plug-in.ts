import { createRequire } from 'node:module'
import { isAbsolute, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../error/message-of.ts'
import { ConfigError } from './config-error.ts'

/** A place where an operator may put an implementation of his own. */
export interface PlugInPoint<T, Arguments extends readonly unknown[]> {
  /** Name of the property that selects the implementation, for messages. */
  readonly property: string
  /** What is selected, for messages, e.g. `private key store`. */
  readonly what: string
  /** Our implementations by the class names existing configurations use. */
  readonly builtIn: ReadonlyMap<string, (...args: Arguments) => T | Promise<T>>
  /** What a module's object must have and lacks, in words; empty when it fulfils the contract. */
  readonly problemsOf: (candidate: object) => readonly string[]
  /** Directory that relative module paths and package names are looked up from. */
  readonly directory: string
}

/** A contract check that asks for methods by name. */
export const missingMethods =
  (...names: readonly string[]) =>
  (candidate: object): readonly string[] =>
    names
      .filter((name) => typeof (candidate as Record<string, unknown>)[name] !== 'function')
      .map((name) => `method ${name}`)

/**
 * Makes the implementation that `specifier` selects: a class name of `builtIn`, or an ES module given as path (`./x.js`,
 * `/opt/x.js`), `file:` URL or package name, optionally with `#export` (the default export otherwise). The export is a
 * class, a function that returns the object (or a promise of it), or the object itself; class and function get `args`.
 * Throws a ConfigError that names the property, the value and what is accepted.
 */
export async function loadPlugIn<T, Arguments extends readonly unknown[]>(
  specifier: string,
  point: PlugInPoint<T, Arguments>,
  ...args: Arguments
): Promise<T> {
  const builtIn = point.builtIn.get(specifier)
  if (builtIn !== undefined) return await builtIn(...args)

  const known = [...point.builtIn.keys()]
  const accepted = `${known.length > 0 ? `one of ${known.join(', ')}, or ` : ''}the path or package of an ES module`
  const refused: Refuse = (reason, cause) => {
    const line = `${point.property}: "${specifier}" ${reason} (give ${accepted} that exports a ${point.what})`
    return Object.assign(new ConfigError([line]), { cause })
  }

  const hash = specifier.lastIndexOf('#')
  const modulePath = hash > 0 ? specifier.slice(0, hash) : specifier
  const exportName = hash > 0 ? specifier.slice(hash + 1) : 'default'
  const url = moduleUrl(modulePath, point.directory)
  if (url === undefined) throw refused('is neither a known class nor a module')

  const exported = (await importModule(url, refused)).get(exportName)
  if (exported === undefined || exported === null) throw refused(`has no export "${exportName}"`)
  const candidate = await instantiate(exported, args, refused)
  if (typeof candidate !== 'object' || candidate === null) {
    throw refused(`gives ${candidate === null ? 'null' : typeof candidate} instead of an object`)
  }
  const problems = point.problemsOf(candidate)
  if (problems.length > 0) throw refused(`is no ${point.what}: it lacks ${problems.join(', ')}`)
  return candidate as T
}

/** Makes the error for the setting at hand. */
type Refuse = (reason: string, cause?: unknown) => ConfigError

/** Java class names look like package names; a dotted name with a capital at its last part is always meant as a class. */
const CLASS_NAME = /^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)*\.[A-Z][\w$]*$/
const PACKAGE_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(\/[\w.~-]+)*$/

function moduleUrl(modulePath: string, directory: string): string | undefined {
  if (modulePath.startsWith('file:')) return modulePath
  if (isAbsolute(modulePath) || /^\.\.?\//.test(modulePath)) return pathToFileURL(resolve(directory, modulePath)).href
  if (CLASS_NAME.test(modulePath) || !PACKAGE_NAME.test(modulePath)) return undefined
  try {
    return pathToFileURL(createRequire(join(resolve(directory), 'package.json')).resolve(modulePath)).href
  } catch {
    // Not installed beside the configuration, or for `import` only: then as one of this server's own packages.
    return modulePath
  }
}

async function importModule(url: string, refused: Refuse): Promise<ReadonlyMap<string, unknown>> {
  try {
    return new Map(Object.entries((await import(url)) as Record<string, unknown>))
  } catch (cause) {
    throw refused(`cannot be loaded: ${messageOf(cause)}`, cause)
  }
}

async function instantiate(exported: unknown, args: readonly unknown[], refused: Refuse): Promise<unknown> {
  if (typeof exported !== 'function') return exported
  try {
    if (isClass(exported)) return new (exported as new (...args: readonly unknown[]) => unknown)(...args)
    return await (exported as (...args: readonly unknown[]) => unknown)(...args)
  } catch (cause) {
    throw refused(`failed to start: ${messageOf(cause)}`, cause)
  }
}

/** Only the prototype of a class cannot be assigned. */
function isClass(exported: object): boolean {
  return Object.getOwnPropertyDescriptor(exported, 'prototype')?.writable === false
}
