import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { messageOf } from '#core/error/message-of.ts'
import { groupSettingsInput } from '#zms/api/group-meta.ts'
import { roleSettingsInput } from '#zms/api/role-meta.ts'
import { CommandFailure, reasonOf } from '../command-failure.ts'
import { type CollectionForm, type CollectionKind, readCollection } from './collection-form.ts'
import { DOMAIN_SETTINGS, type DomainContent } from './domain-state.ts'
import { type Fields, field, isFields } from './fields.ts'
import { type PolicyForm, readPolicy } from './policy-form.ts'
import { readService, type ServiceForm } from './service-form.ts'

/** A domain as it shall be. What is not named stays as it is. */
export interface Manifest extends DomainContent {
  readonly domain: string
  /** Full names, for the case that the domain is to be created. */
  readonly admins: readonly string[]
}

const SECTIONS = ['domain', 'admins', 'settings', 'groups', 'roles', 'services', 'policies'] as const
const DOMAIN_NAME = /^[a-z0-9_][\w-]*(?:\.[a-z0-9_][\w-]*)*$/

/** Settings of roles and groups that a request may have. */
const COLLECTION_SETTINGS: Readonly<Record<CollectionKind, ReadonlySet<string>>> = {
  role: new Set([...Object.keys(roleSettingsInput), 'trust']),
  group: new Set(Object.keys(groupSettingsInput)),
}

/**
 * Reads domains from a file, YAML or JSON, one per document; `-` is standard input. Files that it names are found from its
 * folder.
 * @throws CommandFailure that names the file and what is wrong in it
 */
export async function readManifests(file: string): Promise<Manifest[]> {
  let text: string
  try {
    text = await readFile(file === '-' ? '/dev/stdin' : file, 'utf8')
  } catch (error) {
    throw new CommandFailure(`cannot read ${file}: ${reasonOf(error)}`)
  }
  const { parseAllDocuments } = await import('yaml')
  const folder = file === '-' ? process.cwd() : dirname(file)
  const manifests: Manifest[] = []
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors
    if (error) throw new CommandFailure(`${file} cannot be understood: ${error.message}`)
    const value: unknown = document.toJS()
    if (value === null || value === undefined) continue
    manifests.push(await inFile(file, () => readManifest(value, folder)))
  }
  if (manifests.length === 0) throw new CommandFailure(`${file} has no domain`)
  return manifests
}

async function inFile<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof CommandFailure) throw new CommandFailure(`${file}: ${error.message}`)
    throw error
  }
}

async function readManifest(value: unknown, folder: string): Promise<Manifest> {
  if (!isFields(value)) throw new CommandFailure('a document is no object with a domain')
  const unknown = Object.keys(value).find((name) => !(SECTIONS as readonly string[]).includes(name))
  if (unknown !== undefined) throw new CommandFailure(`${unknown} is not known; known are ${SECTIONS.join(', ')}`)
  const domain = field(value, 'domain')
  if (typeof domain !== 'string' || !DOMAIN_NAME.test(domain)) throw new CommandFailure('domain is no name of a domain')
  const admins = field(value, 'admins') ?? []
  if (!Array.isArray(admins) || admins.some((admin) => typeof admin !== 'string')) {
    throw new CommandFailure('admins are no list of full names')
  }
  const readKey = async (file: string) => {
    const path = resolve(folder, file)
    return readFile(path, 'utf8').catch((error: unknown) => {
      throw new CommandFailure(`cannot read ${path}: ${reasonOf(error)}`)
    })
  }
  const services = await Promise.all(
    entriesOf(value, 'services').map(
      async ([name, service]): Promise<[string, ServiceForm]> => [
        name,
        await readService(`service ${name}`, service, readKey),
      ],
    ),
  )
  return {
    domain,
    admins: admins as string[],
    settings: readSettings(field(value, 'settings')),
    groups: collections(value, 'group'),
    roles: collections(value, 'role'),
    services: new Map(services),
    policies: new Map(
      entriesOf(value, 'policies').map(([name, policy]): [string, PolicyForm] => [
        name,
        readPolicy(`policy ${name}`, domain, policy),
      ]),
    ),
  }
}

/** Settings of a role or group that somebody wrote. Throws a CommandFailure. */
export const readCollectionForm = (kind: CollectionKind, name: string, value: unknown): CollectionForm =>
  readCollection(`${kind} ${name}`, value, COLLECTION_SETTINGS[kind])

function collections(value: Fields, kind: CollectionKind): ReadonlyMap<string, CollectionForm> {
  return new Map(entriesOf(value, `${kind}s`).map(([name, form]) => [name, readCollectionForm(kind, name, form)]))
}

function entriesOf(value: Fields, section: string): [string, unknown][] {
  const entries = field(value, section) ?? {}
  if (!isFields(entries)) throw new CommandFailure(`${section} are no object by names`)
  return Object.entries(entries).map(([name, entry]) => [name.toLowerCase(), entry])
}

/** Settings of a domain that somebody wrote. Throws a CommandFailure. */
export function readSettings(value: unknown): Fields {
  const settings = value ?? {}
  if (!isFields(settings)) throw new CommandFailure('settings are no object')
  const unknown = Object.keys(settings).find((name) => !DOMAIN_SETTINGS.has(name))
  if (unknown === undefined) return settings
  throw new CommandFailure(`the setting ${unknown} is not one that administrators of a domain change`)
}

/** Words `name=value` of a command line as settings: numbers and switches as such. Throws a CommandFailure. */
export function readAssignments(words: readonly string[]): Fields {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=')
      if (at <= 0) throw new CommandFailure(`${JSON.stringify(word)}: write name=value`)
      return [word.slice(0, at), valueOf(word.slice(at + 1))]
    }),
  )
}

function valueOf(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value === null ? text : value
  } catch (error) {
    if (text.startsWith('{') || text.startsWith('[')) throw new CommandFailure(`${text}: ${messageOf(error)}`)
    return text
  }
}
