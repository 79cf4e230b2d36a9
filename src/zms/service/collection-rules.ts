import { badRequest } from '#core/error/service-error.ts'
import { isName } from '#core/names/patterns.ts'
import type { Domain, Group, Role } from '../store/model.ts'
import type { CollectionKind } from './collection.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { requireNotNegative } from './domain-rules.ts'
import { requireUserAuthorityExpiration, requireUserAuthorityFilter } from './user-authority-attributes.ts'

/** Settings of roles and groups that rules look at; what a request leaves out is undefined. */
export interface CollectionSettings {
  auditEnabled?: boolean | undefined
  selfRenew?: boolean | undefined
  selfRenewMins?: number | undefined
  lastReviewedDate?: number | undefined
  notifyRoles?: string | undefined
  userAuthorityFilter?: string | undefined
  userAuthorityExpiration?: string | undefined
  tags?: ReadonlyMap<string, { list: readonly string[] }> | undefined
}

/** Integer settings of roles and groups. */
const COUNTS = [
  'memberExpiryDays',
  'serviceExpiryDays',
  'groupExpiryDays',
  'memberReviewDays',
  'serviceReviewDays',
  'groupReviewDays',
  'tokenExpiryMins',
  'certExpiryMins',
  'maxMembers',
  'selfRenewMins',
]

const MINUTE_MILLIS = 60_000
const DAY_MILLIS = 86_400_000
const CLOCK_SKEW_MINUTES = 5

/** 400 when a value of the settings is not allowed whatever the stored object looks like. */
export function requireSettings(deps: ZmsDependencies, settings: CollectionSettings): void {
  requireNotNegative(settings, COUNTS)
  if (settings.notifyRoles && !isName('ResourceNames', settings.notifyRoles)) {
    throw badRequest(`Invalid ResourceNames error: ${settings.notifyRoles} is not a list of role names`)
  }
  requireUserAuthorityFilter(deps.userAuthority, settings.userAuthorityFilter)
  requireUserAuthorityExpiration(deps.userAuthority, settings.userAuthorityExpiration)
}

/**
 * 400 when members could renew themselves for no time. A change that names neither of the two settings passes; what it
 * leaves out is as it is stored.
 */
export function requireSelfRenewTime(
  kind: CollectionKind,
  given: Pick<CollectionSettings, 'selfRenew' | 'selfRenewMins'>,
  stored: Pick<CollectionSettings, 'selfRenew' | 'selfRenewMins'> = {},
): void {
  if (given.selfRenew === undefined && given.selfRenewMins === undefined) return
  const { selfRenew, selfRenewMins = 0 } = {
    selfRenew: given.selfRenew ?? stored.selfRenew,
    selfRenewMins: given.selfRenewMins ?? stored.selfRenewMins,
  }
  if (selfRenew && selfRenewMins <= 0) {
    throw badRequest(`${kind.title} cannot enable self-renew without a positive selfRenewMins value`)
  }
}

/**
 * 400 when the date of the last review is in the future (with some room for clocks), or too long ago. An unchanged date
 * is always allowed.
 */
export function requireReviewDate(
  deps: ZmsDependencies,
  given: number | undefined,
  existing: Role | Group | undefined,
  now: number,
): void {
  if (given === undefined || given === existing?.lastReviewedDate) return
  const text = new Date(given).toISOString()
  if (given > now + CLOCK_SKEW_MINUTES * MINUTE_MILLIS) throw badRequest(`Last reviewed date: ${text} is in the future`)
  const { zms } = deps.config
  const days = existing ? zms.reviewDateOffsetDaysUpdatedObjects : zms.reviewDateOffsetDaysNewObjects
  if (given < now - days * DAY_MILLIS) throw badRequest(`Last reviewed date: ${text} is too far in the past`)
}

/**
 * 400 when a write may not set the audit flag as asked: the flag needs an audit-enabled domain, can be set only while
 * there are no members, and is removed through the system settings only. `where` tells whole writes from changes of
 * settings, which word the refusal differently and leave the flag as it is when they do not name it.
 */
export function requireAuditFlag(
  kind: CollectionKind,
  domain: Domain,
  existing: Role | Group | undefined,
  auditEnabled: boolean | undefined,
  where: 'object' | 'settings',
): void {
  if (!auditEnabled) {
    if (where === 'settings' || !existing?.auditEnabled) return
    throw badRequest(`Only system admins can remove the audit-enabled flag from a ${kind.kind}`)
  }
  if (!domain.auditEnabled) {
    throw badRequest(`${kind.title} cannot be set as audit-enabled if the domain is not audit-enabled`)
  }
  if (existing && !existing.auditEnabled && existing.members.size > 0) {
    const has = where === 'object' ? 'has' : 'already has'
    throw badRequest(`Only system admins can set the ${kind.kind} as audit-enabled if it ${has} members`)
  }
}

/** 400 when the name in the body is neither the local nor the full name of the object in the path. */
export function requireSameName(
  label: string,
  kind: CollectionKind,
  domain: string,
  name: string,
  given: string,
): void {
  const fullName = kind.fullName(domain, name)
  if (given !== name && given !== fullName) {
    throw badRequest(`${label}: Inconsistent ${kind.kind} names - expected: ${fullName}, actual: ${given}`)
  }
}
