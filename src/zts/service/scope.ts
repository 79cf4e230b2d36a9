import { badRequest } from '#core/error/service-error.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import { requireName } from '#core/names/require-name.ts'
import { roleResourceName } from '#core/names/resource-name.ts'

/** The scope of a token request, read. Names are as they were sent unless it is said otherwise. */
export interface Scope {
  /** `openid`: an id token is asked for. */
  readonly openId: boolean
  /** The word `groups`, or a group by name. */
  readonly groups: boolean
  /** The word `roles`, or a role by name. */
  readonly roles: boolean
  /** Domains that the items name, in their order. */
  readonly domains: readonly string[]
  /** Full name of the last service in it, for which the id token is meant. */
  readonly audienceService: string | undefined
  /**
   * Whether all roles of a domain are asked for by `domain:domain`. Roles and groups by name then do not count, and the
   * answer says what was granted.
   */
  readonly wholeDomain: boolean
  /** Local names of the roles asked for in a domain; undefined when none is named there, which means all. */
  rolesIn(domain: string): readonly string[] | undefined
  /** Local names of the groups asked for in a domain; undefined when none is named there. */
  groupsIn(domain: string): readonly string[] | undefined
}

/**
 * The scope of an access token: it is about exactly one domain. All is lower case; the domain and its roles fit their
 * patterns.
 */
export interface AccessTokenScope extends Scope {
  readonly domain: string
}

/** How scopes of access tokens are read. */
export interface AccessTokenScopeRules {
  /** Domain in which a bare word is the name of a role; without it, such words are passed over. */
  readonly roleDomain?: string | undefined
}

/**
 * Reads the scope of an access token, or of another token about one domain. Throws `bad-request`: several domains or
 * services, none at all, `openid` without a service, names that are none.
 */
export function parseAccessTokenScope(text: string, { roleDomain }: AccessTokenScopeRules = {}): AccessTokenScope {
  const reading = new ScopeReading({
    roleDomain,
    onDomain: (count) => {
      if (count > 1) throw badRequest('Multiple domains in scope')
    },
  })
  const scope = reading.read(text.toLowerCase())
  const [domain] = scope.domains
  if (domain === undefined) throw badRequest('No domains in scope')
  if (scope.openId && scope.audienceService === undefined) {
    throw badRequest('No audience service name for openid scope')
  }
  requireName('DomainName', domain)
  for (const role of scope.rolesIn(domain) ?? []) requireName('EntityName', role)
  return { ...scope, domain }
}

/** How scopes of id tokens are read. */
export interface IdTokenScopeRules {
  readonly maxDomains: number
  /** Whether the domain of a role (full name) does not count toward that limit. */
  readonly isFreeRole?: (role: string) => boolean
}

/**
 * Reads the scope of an id token, in which the letter case of names counts. Throws `bad-request`: no `openid`, too many
 * domains, several services.
 */
export function parseIdTokenScope(text: string, { maxDomains, isFreeRole }: IdTokenScopeRules): Scope {
  const reading = new ScopeReading({
    isFreeRole,
    onDomain: (count) => {
      if (count > maxDomains) throw badRequest(`Domain limit: ${maxDomains} has been reached`)
    },
  })
  const scope = reading.read(text)
  if (!scope.openId) throw badRequest('openid scope not specified')
  return scope
}

/** Bounds the work that one request can cause; more than any client can mean. */
const MAX_LENGTH = 65_536

const DOMAIN_SUFFIX = ':domain'
const SERVICE_INFIX = ':service.'
const ROLE_INFIX = ':role.'
const GROUP_INFIX = ':group.'

interface ReadingRules {
  readonly roleDomain?: string | undefined
  readonly isFreeRole?: ((role: string) => boolean) | undefined
  /** Told how many domains count toward the limit. */
  readonly onDomain: (count: number) => void
}

/** One scope while its items are gone through, in the order in which the original looks at each. */
class ScopeReading {
  readonly #rules: ReadingRules
  /** Those that count toward the limit. */
  readonly #counted = new Set<string>()
  readonly #domains = new Set<string>()
  readonly #roles = new Map<string, Set<string>>()
  readonly #groups = new Map<string, Set<string>>()
  #openId = false
  #groupsWanted = false
  #rolesWanted = false
  #service: string | undefined
  #audienceService: string | undefined
  #wholeDomain = false

  constructor(rules: ReadingRules) {
    this.#rules = rules
  }

  read(text: string): Scope {
    if (text.length > MAX_LENGTH) throw badRequest('scope is too long')
    for (const item of text.split(' ')) if (item !== '') this.#readItem(item)
    const named = (names: ReadonlyMap<string, ReadonlySet<string>>) => (domain: string) => {
      const found = this.#wholeDomain ? undefined : names.get(domain)
      return found && [...found]
    }
    return {
      openId: this.#openId,
      groups: this.#groupsWanted,
      roles: this.#rolesWanted,
      domains: [...this.#domains],
      audienceService: this.#audienceService,
      wholeDomain: this.#wholeDomain,
      rolesIn: named(this.#roles),
      groupsIn: named(this.#groups),
    }
  }

  #readItem(item: string): void {
    const word = item.toLowerCase()
    if (word === 'openid') this.#openId = true
    else if (word === 'groups') this.#groupsWanted = true
    else if (word === 'roles') this.#rolesWanted = true
    else if (item.includes(SERVICE_INFIX)) this.#addService(split(item, SERVICE_INFIX))
    else if (item.endsWith(DOMAIN_SUFFIX)) this.#addDomain(item.slice(0, -DOMAIN_SUFFIX.length))
    else if (item.includes(ROLE_INFIX)) this.#addRole(split(item, ROLE_INFIX))
    else if (item.includes(GROUP_INFIX)) this.#addGroup(split(item, GROUP_INFIX))
    else if (this.#rules.roleDomain !== undefined) this.#addRole({ domain: this.#rules.roleDomain, name: item })
  }

  #addService({ domain, name }: Item): void {
    this.#count(domain)
    if (this.#service !== undefined && this.#service !== name) throw badRequest('Multiple services in scope')
    this.#service = name
    this.#audienceService = name === '' ? undefined : `${domain}.${name}`
  }

  #addDomain(domain: string): void {
    this.#count(domain)
    this.#wholeDomain = true
  }

  #addRole({ domain, name }: Item): void {
    if (this.#rules.isFreeRole?.(roleResourceName(domain, name)) === true) this.#note(domain)
    else this.#count(domain)
    add(this.#roles, domain, name)
    this.#rolesWanted = true
  }

  #addGroup({ domain, name }: Item): void {
    this.#count(domain)
    add(this.#groups, domain, name)
    this.#groupsWanted = true
  }

  #count(domain: string): void {
    this.#note(domain)
    this.#counted.add(domain)
    this.#rules.onDomain(this.#counted.size)
  }

  #note(domain: string): void {
    if (domain === '') throw badRequest('empty domain name')
    this.#domains.add(domain)
  }
}

interface Item {
  readonly domain: string
  readonly name: string
}

function split(item: string, infix: string): Item {
  const at = item.indexOf(infix)
  return { domain: item.slice(0, at), name: item.slice(at + infix.length) }
}

function add(names: Map<string, Set<string>>, domain: string, name: string): void {
  const known = names.get(domain)
  if (known) known.add(name)
  else names.set(domain, new Set([name]))
}

/** Domain in which bare words of a scope are roles: the caller's own. */
export const roleDomainOf = (fullName: string): string | undefined => splitPrincipalName(fullName)?.domain
