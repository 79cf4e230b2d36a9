import { messageOf } from '#core/error/message-of.ts'
import { principalTypes } from '#core/names/principal-name.ts'
import type { Domain, Group, Role, RoleMember } from '../store/model.ts'
import type { Transaction } from '../store/store.ts'
import { enforceDomainFilter } from './authority-enforcement.ts'
import { type CollectionKind, groupKind, roleKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { jobContext } from './job-context.ts'
import { MemberChanges } from './member-changes.ts'
import { wholeSeconds } from './member-dates.ts'

const AUDIT_REFERENCE = 'Athenz User Authority Enforcer'

/** Parts of the server that the job works with. */
type Parts = Pick<ZmsDependencies, 'config' | 'store' | 'writes' | 'userAuthority' | 'memberRules' | 'log'>

/**
 * Takes over from the user authority what it says of users today, in all roles and groups that demand attributes: users
 * who lack one are suspended, those who have them again are so no more, and memberships end no later than the date of the
 * authority, at once when it has none. Dates are never moved back: that somebody may be a member for longer is decided
 * by those who look after the role. A domain that cannot be changed does not hold up the others.
 */
export async function enforceUserAuthority(parts: Parts): Promise<void> {
  const { config, store, writes, userAuthority, log } = parts
  // Without an authority that knows attributes everybody would lack them.
  if (!userAuthority?.isAttributeSet && !userAuthority?.dateAttribute) return
  const context = jobContext(config, 'userauthorityenforcer')
  for (const name of await store.domainNames()) {
    try {
      const stored = await store.domain(name)
      if (!stored || !demandsAttributes(stored)) continue
      const subject = { context, domains: [name], entity: name, auditRef: AUDIT_REFERENCE }
      await writes.commit(subject, async (transaction) => {
        if (userAuthority.isAttributeSet) await enforceDomainFilter(parts, transaction, name, AUDIT_REFERENCE)
        if (userAuthority.dateAttribute) await enforceDates(parts, transaction, name)
      })
    } catch (error) {
      log('error', `what the user authority says could not be taken over in domain ${name}: ${messageOf(error)}`)
    }
  }
}

function demandsAttributes({ userAuthorityFilter, roles, groups }: Domain): boolean {
  if (userAuthorityFilter !== undefined) return true
  for (const collections of [roles.values(), groups.values()]) {
    for (const collection of collections as Iterable<Role | Group>) {
      if (collection.userAuthorityFilter !== undefined || collection.userAuthorityExpiration !== undefined) return true
    }
  }
  return false
}

async function enforceDates(parts: Parts, transaction: Transaction, domainName: string): Promise<void> {
  const domain = await transaction.domain(domainName)
  for (const role of domain?.roles.values() ?? []) await enforceDatesIn(parts, transaction, roleKind, domainName, role)
  for (const group of domain?.groups.values() ?? []) {
    await enforceDatesIn(parts, transaction, groupKind, domainName, group)
  }
}

async function enforceDatesIn(
  { config, userAuthority, memberRules }: Parts,
  transaction: Transaction,
  kind: CollectionKind,
  domainName: string,
  collection: Role | Group,
): Promise<void> {
  const { userAuthorityExpiration: attribute } = collection
  if (attribute === undefined) return
  const { now } = transaction
  const actor = { principal: config.zms.monitorIdentity, auditRef: AUDIT_REFERENCE, now }
  const changes = new MemberChanges(kind, domainName, collection.name, actor)
  for (const member of collection.members as Iterable<RoleMember>) {
    const { memberName, expiration = Number.POSITIVE_INFINITY, reviewReminder } = member
    if (expiration <= now || memberName.endsWith('*')) continue
    if (memberRules.typeOf(memberName) !== principalTypes.user) continue
    const latest = wholeSeconds((await userAuthority?.dateAttribute?.(memberName, attribute)) ?? now)
    if (latest >= expiration) continue
    const dates = { expiration: latest, ...(reviewReminder !== undefined && { reviewReminder }) }
    transaction.apply(...changes.put(memberName, dates, 'UPDATE', member.requestPrincipal, member))
  }
}
