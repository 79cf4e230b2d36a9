declare const kind: unique symbol
type Branded<K extends string> = string & { readonly [kind]: K }

/** `domain:role.name` */
export type RoleResourceName = Branded<'role'>
/** `domain:group.name` */
export type GroupResourceName = Branded<'group'>
/** `domain:policy.name` */
export type PolicyResourceName = Branded<'policy'>
/** `domain:entity.name` */
export type EntityResourceName = Branded<'entity'>
/** `domain.name` */
export type ServiceFullName = Branded<'service'>

/** Separator and type word between a domain and the local name of what it holds. */
const INFIX = { role: ':role.', group: ':group.', policy: ':policy.', entity: ':entity.' } as const

/** What a domain holds under names of the form `domain:type.name`. */
export type ResourceType = keyof typeof INFIX

/** Type of a full name by the kind of object it names. */
export interface ResourceNameTypes {
  role: RoleResourceName
  group: GroupResourceName
  policy: PolicyResourceName
  entity: EntityResourceName
}

/** `domain:type.name` for a domain and a local name; both already valid. */
export const resourceName = <T extends ResourceType>(type: T, domain: string, name: string): ResourceNameTypes[T] =>
  (domain + INFIX[type] + name) as unknown as ResourceNameTypes[T]

/** `domain:role.name` */
export const roleResourceName = (domain: string, role: string): RoleResourceName => resourceName('role', domain, role)
/** `domain:group.name` */
export const groupResourceName = (domain: string, group: string): GroupResourceName =>
  resourceName('group', domain, group)
/** `domain:policy.name` */
export const policyResourceName = (domain: string, policy: string): PolicyResourceName =>
  resourceName('policy', domain, policy)
/** `domain:entity.name` */
export const entityResourceName = (domain: string, entity: string): EntityResourceName =>
  resourceName('entity', domain, entity)
/** `domain.name` */
export const serviceFullName = (domain: string, service: string): ServiceFullName =>
  `${domain}.${service}` as ServiceFullName

/** A full name taken apart. */
export interface ResourceParts {
  readonly domain: string
  /** Local name: `readers` of `sports:role.readers`. */
  readonly name: string
}

/** Domain and local name of `domain:type.name`; undefined when the text is no full name of that type. */
export function splitResourceName(type: ResourceType, text: string): ResourceParts | undefined {
  const infix = INFIX[type]
  const at = text.indexOf(infix)
  // The domain ends at the first colon of the text, whatever stands behind it.
  if (at <= 0 || text.indexOf(':') !== at || text.length === at + infix.length) return undefined
  return { domain: text.slice(0, at), name: text.slice(at + infix.length) }
}

/**
 * Local name of an object that a body names either locally or in full: `readers` for `readers` and for
 * `sports:role.readers` in the domain `sports`; undefined for the full name of anything else.
 */
export function localName(type: ResourceType, domain: string, text: string): string | undefined {
  if (!text.includes(':')) return text
  const prefix = domain + INFIX[type]
  return text.startsWith(prefix) && text.length > prefix.length ? text.slice(prefix.length) : undefined
}

/** What stands before the first colon; undefined without a colon or with nothing before it. */
export function resourceDomain(text: string): string | undefined {
  const colon = text.indexOf(':')
  return colon > 0 ? text.slice(0, colon) : undefined
}

/** The domain above: `sports` of `sports.api`; undefined for a top-level domain. */
export function parentDomain(domain: string): string | undefined {
  const dot = domain.lastIndexOf('.')
  return dot > 0 ? domain.slice(0, dot) : undefined
}

/** Last part of a domain name: `api` of `sports.api`, `sports` of `sports`. */
export const lastPart = (domain: string): string => domain.slice(domain.lastIndexOf('.') + 1)
