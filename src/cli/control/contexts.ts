import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '#core/error/message-of.ts'
import { CommandFailure, reasonOf } from '../command-failure.ts'

/** Servers, and who one is there. Paths of files are as they are written. */
export interface Context {
  readonly zms?: string
  readonly zts?: string
  /** Authorities that vouch for the servers. */
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
  /** File with a principal token, instead of a certificate. */
  readonly tokenFile?: string
}

/** All that a file of contexts has. */
export interface Contexts {
  readonly current: string | undefined
  readonly contexts: ReadonlyMap<string, Context>
}

/** Members of a context, as the file writes them. */
export const CONTEXT_MEMBERS = [
  'zms',
  'zts',
  'ca',
  'certificate',
  'key',
  'tokenFile',
] as const satisfies (keyof Context)[]

const OWNER_ONLY = 0o600
const NAME = /^[\w.-]{1,64}$/

/** The file of contexts: `ATHENZ_CONTEXTS` of the environment, or `.athenz/contexts.yaml` of the user's folder. */
export const contextsFile = (env: Readonly<Record<string, string | undefined>>, home: string): string =>
  env['ATHENZ_CONTEXTS'] || join(home, '.athenz', 'contexts.yaml')

/**
 * Reads a file of contexts, YAML or JSON: `current`, and `contexts` by name. One that is not there has none.
 * @throws CommandFailure that names the file and what is wrong in it
 */
export async function readContexts(file: string): Promise<Contexts> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return { current: undefined, contexts: new Map() }
    }
    throw new CommandFailure(`cannot read ${file}: ${reasonOf(error)}`)
  }
  const { parse } = await import('yaml')
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new CommandFailure(`${file} cannot be understood: ${messageOf(error)}`)
  }
  return contextsOf(value ?? {}, (reason) => new CommandFailure(`${file}: ${reason}`))
}

/** Writes a file of contexts, for its owner alone. */
export async function writeContexts(file: string, { current, contexts }: Contexts): Promise<void> {
  const { stringify } = await import('yaml')
  const { writeAtomically } = await import('#sia/atomic-file.ts')
  const text = stringify({ ...(current !== undefined && { current }), contexts: Object.fromEntries(contexts) })
  try {
    await writeAtomically(file, text, { mode: OWNER_ONLY })
  } catch (error) {
    throw new CommandFailure(`cannot write ${file}: ${reasonOf(error)}`)
  }
}

/** Throws a CommandFailure unless the name of a context can be written on a command line. */
export function requireContextName(name: string): void {
  if (!NAME.test(name))
    throw new CommandFailure(`${JSON.stringify(name)} is no name of a context: letters, digits, . _ -`)
}

type Complain = (reason: string) => CommandFailure

function contextsOf(value: unknown, complain: Complain): Contexts {
  if (!isObject(value)) throw complain('it is no object with current and contexts')
  const { current, contexts = {} } = value
  if (current !== undefined && typeof current !== 'string') throw complain('current is no name')
  if (!isObject(contexts)) throw complain('contexts is no object')
  const known = new Map(Object.entries(contexts).map(([name, context]) => [name, contextOf(name, context, complain)]))
  return { current, contexts: known }
}

function contextOf(name: string, value: unknown, complain: Complain): Context {
  if (!isObject(value)) throw complain(`the context ${name} is no object`)
  const unknown = Object.keys(value).find((member) => !(CONTEXT_MEMBERS as readonly string[]).includes(member))
  if (unknown !== undefined)
    throw complain(`the context ${name} has ${unknown}; known are ${CONTEXT_MEMBERS.join(', ')}`)
  const bad = Object.entries(value).find(([, member]) => typeof member !== 'string')
  if (bad !== undefined) throw complain(`${bad[0]} of the context ${name} is no text`)
  return value
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
