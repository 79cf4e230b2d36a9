import { forbidden, notFound } from '#core/error/service-error.ts'
import { requireName } from '#core/names/require-name.ts'
import { resourceName } from '#core/names/resource-name.ts'
import { stateOf } from '#core/rbac/holding.ts'
import { excerpt } from '#core/token/token-fields.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'
import type { Scope } from './scope.ts'

/** What is needed to tell the groups and roles of somebody. */
export type IdTokenGroupsDependencies = Pick<ZtsDependencies, 'domains' | 'roleAccess' | 'now'>

/** Which memberships an id token shall tell. */
export interface GroupsQuestion {
  /** Lower-case full name of the subject. */
  readonly subject: string
  readonly scope: Scope
  /** Domain of the service that the token is for: where words without a domain look. */
  readonly clientDomain: string
  /** Full names of roles. They are full anyway where several domains, or another one than the client's, are in play. */
  readonly fullNames: boolean
  /** Refuse unless everything that the scope names is held. */
  readonly allPresent: boolean
  /** Roles are wanted, whether or not the scope says so; groups are left out of consideration. */
  readonly rolesOnly?: boolean
}

/**
 * The claim `groups` of an id token: groups of the subject when the scope asks for groups, otherwise roles when it asks
 * for roles, otherwise nothing; undefined when there is nothing to tell. Throws `bad-request` for a group or role that is
 * no name, `not-found` for a domain that is not known, `forbidden` when the scope names groups or roles of which the
 * subject has none, or not all that it must have.
 */
export function groupsClaim(deps: IdTokenGroupsDependencies, question: GroupsQuestion): readonly string[] | undefined {
  const { subject, scope, clientDomain, rolesOnly = false } = question
  const kind = scope.groups && !rolesOnly ? 'group' : 'role'
  if (kind === 'role' && !scope.roles && !rolesOnly) return undefined

  const domains = scope.domains.length > 0 ? scope.domains : [clientDomain]
  const full = kind === 'group' || question.fullNames || domains.length > 1 || domains[0] !== clientDomain
  const claim: string[] = []
  let named = false
  for (const domainName of domains) {
    const names = kind === 'group' ? scope.groupsIn(domainName) : scope.rolesIn(domainName)
    for (const name of names ?? []) requireName('EntityName', name)
    const domain = existing(deps, domainName)
    const held = kind === 'group' ? groupsOf(deps, domain, subject, names) : rolesOf(deps, domain, subject, names)
    if (names !== undefined) {
      named = true
      if (question.allPresent && held.length < names.length) throw refused('all requested', kind)
    }
    for (const name of held) claim.push(full ? resourceName(kind, domain.name, name) : name)
  }
  if (claim.length > 0) return claim
  if (named) throw refused('requested', kind)
  return undefined
}

const refused = (which: string, kind: 'group' | 'role') => forbidden(`principal not included in ${which} ${kind}s`)

function existing({ domains }: IdTokenGroupsDependencies, name: string): CachedDomain {
  const domain = domains.get(name)
  if (domain === undefined) throw notFound(`No such domain: ${excerpt(name)}`)
  return domain
}

const rolesOf = (
  { roleAccess }: IdTokenGroupsDependencies,
  domain: CachedDomain,
  subject: string,
  names: readonly string[] | undefined,
): readonly string[] => roleAccess.rolesOf(domain, subject, names && { names, match: 'exact' })

function groupsOf(
  { now }: IdTokenGroupsDependencies,
  { groups }: CachedDomain,
  subject: string,
  names: Iterable<string> = groups.keys(),
): readonly string[] {
  const time = now()
  return [...names].filter((name) => {
    const entry = groups.get(name)?.members.getFolded(subject)
    return entry !== undefined && stateOf(entry, time) === 'active'
  })
}
