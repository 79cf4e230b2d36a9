import { isName } from './patterns.ts'

/** Domains that make a name that of a human being or of a machine account. */
export interface PrincipalDomains {
  /** Domain of human users, e.g. `user`. */
  readonly userDomain: string
  /** Another name of the user domain in requests. */
  readonly userDomainAlias?: string
  /** Domain of accounts that are no persons; the user domain where there is none. */
  readonly headlessUserDomain: string
  /** Prefix of personal domains, e.g. `home`. */
  readonly homeDomain: string
  /** Further domains whose names with one dot count as users. */
  readonly additionalUserDomains: readonly string[]
}

/** Codes of `principalType` in replies. */
export const principalTypes = {
  unknown: 0,
  user: 1,
  service: 2,
  group: 3,
  userHeadless: 4,
  external: 5,
  all: 6,
} as const

/** Code of a kind of principal, see {@link principalTypes}. */
export type PrincipalType = (typeof principalTypes)[keyof typeof principalTypes]

const isDirectlyIn = (domain: string, name: string): boolean =>
  name.length > domain.length + 1 &&
  name.startsWith(domain) &&
  name.charAt(domain.length) === '.' &&
  !name.includes('.', domain.length + 1)

/** Whether a lower-case full name is that of a human user: directly in the user domain or an additional one. */
export const isUserName = (name: string, domains: PrincipalDomains): boolean =>
  isDirectlyIn(domains.userDomain, name) || domains.additionalUserDomains.some((domain) => isDirectlyIn(domain, name))

/** Kind of principal that a lower-case full member name means; the first rule that fits decides, service is the rest. */
export function principalType(name: string, domains: PrincipalDomains): PrincipalType {
  if (name === '*') return principalTypes.all
  if (isGroupName(name)) return principalTypes.group
  if (isExternalMemberName(name)) return principalTypes.external
  if (isUserName(name, domains)) return principalTypes.user
  if (domains.headlessUserDomain !== domains.userDomain && isDirectlyIn(domains.headlessUserDomain, name)) {
    return principalTypes.userHeadless
  }
  return principalTypes.service
}

/** Whether a member name names a group (`domain:group.name`). */
export const isGroupName = (name: string): boolean => name.includes(':group.')
/** Whether a member name names an external member (`domain:ext.text`). */
export const isExternalMemberName = (name: string): boolean => name.includes(':ext.')

/** Whether the text may be a member of a role. */
export const isMemberName = (text: string): boolean => isName('MemberName', text)
/** Whether the text may be a member of a group: no wildcard, no group. */
export const isGroupMemberName = (text: string): boolean => isName('GroupMemberName', text)

/** A principal's full name taken apart. */
export interface PrincipalParts {
  readonly domain: string
  /** Last part: user or service. */
  readonly name: string
}

/** Domain and name of `domain.name`, split at the last dot; undefined when either is empty. */
export function splitPrincipalName(fullName: string): PrincipalParts | undefined {
  const dot = fullName.lastIndexOf('.')
  if (dot <= 0 || dot === fullName.length - 1) return undefined
  return { domain: fullName.slice(0, dot), name: fullName.slice(dot + 1) }
}

/** Rewrites `alias.x` with exactly one dot to `user.x` where the user domain has an alias; other names stay. */
export const resolveUserAlias = (
  name: string,
  domains: Pick<PrincipalDomains, 'userDomain' | 'userDomainAlias'>,
): string =>
  domains.userDomainAlias !== undefined && isDirectlyIn(domains.userDomainAlias, name)
    ? domains.userDomain + name.slice(domains.userDomainAlias.length)
    : name

/**
 * Full name of the principal that a question is about (lower case): one without a dot is a user, and the alias of the user
 * domain stands for it. Undefined for a group, which is no principal; of other names that are none nothing is known.
 */
export function principalInQuestion(
  name: string,
  { userDomain, userDomainAlias }: Pick<PrincipalDomains, 'userDomain' | 'userDomainAlias'>,
): string | undefined {
  if (isGroupName(name)) return undefined
  const dot = name.lastIndexOf('.')
  if (dot < 0) return `${userDomain}.${name}`
  const aliased = userDomainAlias !== undefined && dot === userDomainAlias.length && name.startsWith(userDomainAlias)
  return aliased ? userDomain + name.slice(dot) : name
}
