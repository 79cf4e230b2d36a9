/** Full names in place of local ones, for those who ask for them. */
export interface NameStyle {
  readonly verbose: boolean
}

/** Kinds of objects of a domain, as their full names spell them: `sports:role.readers`. */
export type ObjectKind = 'role' | 'policy' | 'group' | 'service' | 'entity' | 'version' | 'domain'

/** The full name of an object. */
export const fullName = (domain: string, kind: ObjectKind, name: string): string => `${domain}:${kind}.${name}`

/** The name of an object without its domain and kind. */
export function localName(full: string, kind: ObjectKind): string {
  const [, local] = split(full, `:${kind}.`)
  return local ?? full
}

/** The name of an object as it is shown. */
export const shownName = (full: string, kind: ObjectKind, { verbose }: NameStyle): string =>
  verbose ? full : localName(full, kind)

/** A local name as it is shown. */
export const shownLocal = (domain: string, kind: ObjectKind, name: string, { verbose }: NameStyle): string =>
  verbose ? fullName(domain, kind, name) : name

/** The domain of a full name such as `sports:policy.scores`; the whole name when there is none. */
export const domainOf = (full: string): string => split(full, ':')[0]

/** Name of somebody: a bare word is a user of the user domain. */
export const principalName = (word: string, userDomain: string): string =>
  /[.:]/.test(word) || word === '*' ? word : `${userDomain}.${word}`

function split(text: string, separator: string): [before: string, after: string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}
