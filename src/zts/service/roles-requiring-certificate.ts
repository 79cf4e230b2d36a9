import { unauthorized } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import { stateOf } from '#core/rbac/holding.ts'
import type { MemberEntry } from '#core/rbac/members.ts'
import type { rolesRequiringCertificateEndpoints } from '../api/roles-requiring-certificate.ts'
import type { Domains } from '../cache/domains.ts'
import type { CachedRole } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Tag of the roles whose members are to have certificates; its first value must be this text. */
const TAG = 'zts.IssueRoleCerts'
const TAG_VALUE = 'true'

/** Roles for whose members certificates are to be issued. */
export function rolesRequiringCertificateService({
  domains,
  now,
}: Pick<ZtsDependencies, 'domains' | 'now'>): Handlers<typeof rolesRequiringCertificateEndpoints> {
  const tagged = new TaggedRoles(domains)
  return {
    getRolesRequireRoleCert({ query }, { principal: caller }) {
      const principal = query.principal ?? caller?.fullName
      if (principal === undefined) throw unauthorized('Invalid credentials')
      return ok({ roles: tagged.rolesOf(principal, now()) })
    },
  }
}

/** The roles of all domains that have the tag, kept up as domains change: of most domains there is none. */
class TaggedRoles {
  readonly #domains: Domains
  readonly #byDomain = new Map<string, readonly CachedRole[]>()

  constructor(domains: Domains) {
    this.#domains = domains
    domains.onChange((name) => this.#read(name))
    for (const name of domains.names()) this.#read(name)
  }

  /** Full names of those that list the principal, by name or wildcard. Members of groups are not looked for. */
  rolesOf(principal: string, now: number): string[] {
    const found: string[] = []
    for (const [domain, roles] of this.#byDomain) {
      for (const role of roles) if (lists(role, principal, now)) found.push(roleResourceName(domain, role.name))
    }
    return found
  }

  #read(name: string): void {
    const roles = [...(this.#domains.get(name)?.roles.values() ?? [])].filter(isTagged)
    if (roles.length > 0) this.#byDomain.set(name, roles)
    else this.#byDomain.delete(name)
  }
}

const isTagged = ({ tags }: CachedRole): boolean => tags.get(TAG)?.[0] === TAG_VALUE

function lists({ members }: CachedRole, principal: string, now: number): boolean {
  const counts = (entry: MemberEntry | undefined) => entry !== undefined && stateOf(entry, now) === 'active'
  return (
    counts(members.getFolded(principal)) ||
    members.wildcards.some(({ entry, prefix }) => principal.startsWith(prefix) && counts(entry))
  )
}
