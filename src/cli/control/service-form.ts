import { decodeYBase64, encodeYBase64 } from '#core/crypto/ybase64.ts'
import { CommandFailure } from '../command-failure.ts'
import { type Fields, field, isFields, tagsFromWire, tagsToWire, textField } from './fields.ts'

/** A service as people write it: `keys` are public keys (PEM) by their ids. */
export type ServiceForm = Fields & { readonly keys?: Readonly<Record<string, string>> }

const SETTINGS = ['description', 'executable', 'user', 'group'] as const
const KNOWN: ReadonlySet<string> = new Set([...SETTINGS, 'hosts', 'tags', 'keys'])

/** A service of the interface as people see it. */
export function serviceForm(wire: Fields): ServiceForm {
  const listed = field(wire, 'publicKeys')
  const hosts = field(wire, 'hosts')
  const tags = tagsFromWire(field(wire, 'tags'))
  const keys = (Array.isArray(listed) ? listed : [])
    .filter(isFields)
    .map((key) => [textField(key, 'id') ?? '', pemText(textField(key, 'key') ?? '')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const settings = SETTINGS.flatMap((name) => (textField(wire, name) ? [[name, textField(wire, name)] as const] : []))
  return {
    ...Object.fromEntries(settings),
    ...(Array.isArray(hosts) && hosts.length > 0 && { hosts: [...(hosts as string[])].sort() }),
    ...(tags && { tags }),
    keys: Object.fromEntries(keys),
  }
}

/** What the interface takes for it. `name` is the full name. */
export function serviceWire(name: string, form: ServiceForm) {
  const { keys = {}, tags, ...rest } = form
  return {
    ...rest,
    name,
    ...(tags !== undefined && { tags: tagsToWire(tags) }),
    publicKeys: Object.entries(keys).map(([id, pem]) => ({ id, key: encodeYBase64(pem) })),
  }
}

/**
 * Reads a service that somebody wrote. A key is a PEM text, or `{file: …}` with one in it, which `readKey` gives.
 * Throws a CommandFailure.
 */
export async function readService(
  place: string,
  value: unknown,
  readKey: (file: string) => Promise<string>,
): Promise<ServiceForm> {
  const given = value ?? {}
  if (!isFields(given)) throw new CommandFailure(`${place} is no object`)
  const unknown = Object.keys(given).find((name) => !KNOWN.has(name))
  if (unknown !== undefined) throw new CommandFailure(`${place} has ${unknown}, which is not known`)
  const hosts = field(given, 'hosts')
  if (hosts !== undefined && hosts !== null && !Array.isArray(hosts))
    throw new CommandFailure(`hosts of ${place} are no list`)
  // Their order has no meaning.
  const others = { ...given, ...(Array.isArray(hosts) && { hosts: [...(hosts as string[])].sort() }) }
  const keys = field(given, 'keys')
  if (keys === undefined || keys === null) return others
  if (!isFields(keys)) throw new CommandFailure(`keys of ${place} are no object`)
  const read = await Promise.all(
    Object.entries(keys).map(async ([id, key]): Promise<[string, string]> => {
      const file = isFields(key) ? textField(key, 'file') : undefined
      const pem = file === undefined ? key : await readKey(file)
      if (typeof pem !== 'string') throw new CommandFailure(`the key ${id} of ${place} is neither PEM nor {file: …}`)
      return [id.toLowerCase(), publicPem(`key ${id} of ${place}`, pem)]
    }),
  )
  return { ...others, keys: Object.fromEntries(read.sort(([a], [b]) => (a < b ? -1 : 1))) }
}

/** The text of a public key; a private one never leaves this machine. */
export function publicPem(what: string, pem: string): string {
  const text = `${pem.trim()}\n`
  if (text.includes('PRIVATE KEY')) throw new CommandFailure(`${what} is a private key: register the public one`)
  if (!text.startsWith('-----BEGIN ')) throw new CommandFailure(`${what} is no public key in PEM`)
  return text
}

/** Ends of lines say nothing about a key. */
const pemText = (registered: string): string => `${decodeYBase64(registered).toString('latin1').trim()}\n`
