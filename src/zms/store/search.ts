import type { Domain } from './model.ts'

/** What people look for. */
export interface SearchQuery {
  /** Not empty; letter case counts for tags only. */
  readonly text: string
  /** Domain of human users, whose members are found by the rest of their names, too. */
  readonly userDomain: string
  /** At most so many of each kind, from 1. */
  readonly limit: number
}

/** Kinds of objects that have tags. */
export type TaggedKind = 'domain' | 'group' | 'policy' | 'role' | 'service'

/** A tag of an object. */
export interface FoundTag {
  readonly key: string
  readonly value: string
  readonly domain: string
  readonly kind: TaggedKind
  /** Local name; empty for the domain itself. */
  readonly name: string
}

/** Settings by which domains are found as accounts. */
export const ACCOUNT_ATTRIBUTES = [
  'account',
  'azureSubscription',
  'businessService',
  'gcpProject',
  'productId',
] as const
export type AccountAttribute = (typeof ACCOUNT_ATTRIBUTES)[number]

/** A domain found by such a setting. */
export interface FoundAccount {
  readonly domain: string
  readonly attribute: AccountAttribute
  /** The whole value of the setting. */
  readonly value: string
}

/** An object found by its local name. */
export interface FoundName {
  readonly domain: string
  readonly name: string
}

/**
 * What was found, each kind in a fixed order: domains whose name contains the text, those first that begin with it; the
 * others by names that begin with it, ascending by name, then by domain.
 */
export interface SearchFindings {
  readonly domains: readonly string[]
  readonly roles: readonly FoundName[]
  readonly groups: readonly FoundName[]
  readonly services: readonly FoundName[]
  /** Full names of users, services and external members that are or were members of something. */
  readonly principals: readonly string[]
  /** By key, value, domain, kind and name. */
  readonly tags: readonly FoundTag[]
  /** By domain and attribute. */
  readonly accounts: readonly FoundAccount[]
}

/** Reads for a search over everything that has a name. */
export interface SearchQueries {
  search(query: SearchQuery): Promise<SearchFindings>
}

/** How a name begins, and the domain it must be in when one is given. */
export interface NameTerm {
  readonly prefix: string
  readonly domain?: string
}

/** A text taken apart into what each kind is looked for by; a kind without a term cannot have that name. */
export interface SearchTerms {
  /** In lower case, contained in names of domains. */
  readonly domain: string
  readonly role?: NameTerm
  readonly group?: NameTerm
  readonly service?: NameTerm
  /** Beginnings of full names. */
  readonly principals: readonly string[]
  /** The beginning of a key; the whole key when there is the beginning of a value, which is in lower case. */
  readonly tag: { readonly key: string; readonly value?: string }
  /** In lower case. */
  readonly account: string
}

/**
 * Reads a text: `domain:name` and `domain:role.name` mean roles and groups of that domain, `domain.name` a service of it,
 * `key=value` a tag.
 */
export function searchTerms({ text, userDomain }: SearchQuery): SearchTerms {
  const lower = text.toLowerCase()
  const colon = lower.indexOf(':')
  const [home, local] = colon < 0 ? [lower, lower] : [lower.slice(0, colon), lower.slice(colon + 1)]
  const role = colon < 0 ? { prefix: lower } : ownName('role', home, local)
  const group = colon < 0 ? { prefix: lower } : ownName('group', home, local)
  const dot = lower.lastIndexOf('.')
  const service = dot < 0 ? { prefix: lower } : { domain: lower.slice(0, dot), prefix: lower.slice(dot + 1) }
  const equals = text.indexOf('=')
  const tag = equals < 0 ? { key: text } : { key: text.slice(0, equals), value: text.slice(equals + 1).toLowerCase() }
  return {
    domain: home,
    ...(role && { role }),
    ...(group && { group }),
    ...(colon < 0 && { service }),
    principals: lower.includes('.') ? [lower] : [lower, `${userDomain}.${lower}`],
    tag,
    account: lower,
  }
}

const KINDS = ['role', 'group', 'policy', 'service', 'entity'] as const

/** The name after the colon, with or without its kind; undefined when it has another one. */
function ownName(kind: 'role' | 'group', domain: string, local: string): NameTerm | undefined {
  const named = KINDS.find((each) => local.startsWith(`${each}.`))
  if (named === undefined) return { domain, prefix: local }
  return named === kind ? { domain, prefix: local.slice(kind.length + 1) } : undefined
}

/** Whether a name that was ever a member is that of a principal: no group and no wildcard. */
export const isPrincipal = (name: string): boolean => !name.includes(':group.') && !name.endsWith('*')

/** The settings of a domain that begin with the text, or have it in their list of accounts. */
export function matchingAccounts(domain: Pick<Domain, 'name' | AccountAttribute>, lowerText: string): FoundAccount[] {
  return ACCOUNT_ATTRIBUTES.flatMap((attribute) => {
    const value = domain[attribute]
    const lower = value?.toLowerCase()
    if (value === undefined || lower === undefined) return []
    const matches = lower.startsWith(lowerText) || (attribute === 'account' && lower.split(',').includes(lowerText))
    return matches ? [{ domain: domain.name, attribute, value }] : []
  })
}
