import type { Authority } from '#core/authority/authority.ts'
import { principalTypes } from '#core/names/principal-name.ts'
import type { Domain, Group, Role, RoleMember } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { type CollectionKind, groupKind, roleKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { MemberChanges } from './member-changes.ts'
import { attributesOf } from './member-rules.ts'
import { suspensions, withBit } from './suspension.ts'

/**
 * Suspends the users of all roles and groups of a domain who lack an attribute that is demanded there now, and ends that
 * for those who lack none. Requests for membership are judged when they are decided.
 */
export async function enforceDomainFilter(
  deps: Pick<ZmsDependencies, 'config' | 'userAuthority' | 'memberRules'>,
  transaction: Transaction,
  domainName: string,
  auditRef: string | undefined,
): Promise<void> {
  const domain = await transaction.domain(domainName)
  if (!domain) return
  const attributes = new UserAttributes(deps.userAuthority)
  for (const role of domain.roles.values())
    await enforceFilter(deps, transaction, roleKind, domain, role, attributes, auditRef)
  for (const group of domain.groups.values()) {
    await enforceFilter(deps, transaction, groupKind, domain, group, attributes, auditRef)
  }
}

/** Does the same for a single role or group. */
export async function enforceCollectionFilter(
  deps: Pick<ZmsDependencies, 'config' | 'userAuthority' | 'memberRules'>,
  transaction: Transaction,
  kind: CollectionKind,
  { domainName, name, auditRef }: { domainName: string; name: string; auditRef: string | undefined },
): Promise<void> {
  const domain = await transaction.domain(domainName)
  const collection = domain && kind.find(domain, name)
  if (!domain || !collection) return
  await enforceFilter(deps, transaction, kind, domain, collection, new UserAttributes(deps.userAuthority), auditRef)
}

async function enforceFilter(
  { config, memberRules }: Pick<ZmsDependencies, 'config' | 'memberRules'>,
  transaction: Transaction,
  kind: CollectionKind,
  domain: Domain,
  collection: Role | Group,
  attributes: UserAttributes,
  auditRef: string | undefined,
): Promise<void> {
  const demanded = attributesOf(domain.userAuthorityFilter, collection.userAuthorityFilter)
  const principal = config.zms.monitorIdentity
  const changes = new MemberChanges(kind, domain.name, collection.name, { principal, auditRef, now: transaction.now })
  for (const member of collection.members as Iterable<RoleMember>) {
    const { memberName, systemDisabled = 0 } = member
    if (memberRules.typeOf(memberName) !== principalTypes.user || memberName.endsWith('*')) continue
    const lacks = await attributes.lacksAny(memberName, demanded)
    const bits = withBit(systemDisabled, suspensions.authorityFilter, lacks)
    if (bits !== systemDisabled) transaction.apply(...changes.suspend(member, bits))
  }
}

/** What the user authority says of users, asked once for each. */
class UserAttributes {
  readonly #authority: Authority | undefined
  readonly #known = new Map<string, boolean>()

  constructor(authority: Authority | undefined) {
    this.#authority = authority
  }

  /** Whether the user lacks an attribute whose loss ends memberships. */
  async lacksAny(user: string, attributes: readonly string[]): Promise<boolean> {
    for (const attribute of attributes) {
      const revocable = this.#authority?.isAttributeRevocable?.(attribute) ?? true
      if (revocable && !(await this.#has(user, attribute))) return true
    }
    return false
  }

  async #has(user: string, attribute: string): Promise<boolean> {
    const key = `${user} ${attribute}`
    let has = this.#known.get(key)
    if (has === undefined) {
      has = (await this.#authority?.isAttributeSet?.(user, attribute)) ?? false
      this.#known.set(key, has)
    }
    return has
  }
}
