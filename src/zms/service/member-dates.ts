import type { Authority } from '#core/authority/authority.ts'
import { badRequest } from '#core/error/service-error.ts'
import { type PrincipalType, principalTypes } from '#core/names/principal-name.ts'
import type { DomainMeta, RoleBase } from '../store/model.ts'

const DAY_MILLIS = 86_400_000

/** Days by kind of member; undefined or 0 mean that nothing is set. */
export interface DaysByKind {
  readonly user?: number | undefined
  readonly service?: number | undefined
  readonly group?: number | undefined
}

/** Days after which memberships of a role or group end, and after which they are to be reviewed. */
export interface MemberDays {
  readonly expiry: DaysByKind
  readonly review: DaysByKind
}

/** Upper limits of the server; 0 for none. They hold for expiry and review alike. */
export interface MaximumDays {
  readonly user: number
  readonly service: number
  readonly group: number
}

/** Which days apply to a kind of principal. */
const kindOf = (type: PrincipalType): keyof MaximumDays => {
  if (type === principalTypes.user) return 'user'
  return type === principalTypes.group ? 'group' : 'service'
}

/** Settings of a role or group that dates depend on. */
export type DatedCollection = Pick<
  RoleBase,
  | 'memberExpiryDays'
  | 'serviceExpiryDays'
  | 'groupExpiryDays'
  | 'memberReviewDays'
  | 'serviceReviewDays'
  | 'groupReviewDays'
>

/** The days in force: those of the role or group where set, else (expiry only) those of the domain. */
export function memberDays(
  collection: DatedCollection,
  domain: Pick<DomainMeta, 'memberExpiryDays' | 'serviceExpiryDays' | 'groupExpiryDays'>,
): MemberDays {
  return {
    expiry: {
      user: positive(collection.memberExpiryDays) ?? positive(domain.memberExpiryDays),
      service: positive(collection.serviceExpiryDays) ?? positive(domain.serviceExpiryDays),
      group: positive(collection.groupExpiryDays) ?? positive(domain.groupExpiryDays),
    },
    review: {
      user: positive(collection.memberReviewDays),
      service: positive(collection.serviceReviewDays),
      group: positive(collection.groupReviewDays),
    },
  }
}

const positive = (days: number | undefined) => (days !== undefined && days > 0 ? days : undefined)

/** Whether a setting now gives less time than before; none, or 0 days, are no limit. */
export function isShorter(after: number | undefined, before: number | undefined): boolean {
  const days = positive(after)
  return days !== undefined && days < (positive(before) ?? Number.POSITIVE_INFINITY)
}

/** Dates of a membership, epoch milliseconds in whole seconds. */
export interface MemberDates {
  expiration?: number
  reviewReminder?: number
}

/**
 * What it means that the user authority has no date for a user: a refusal, which is worded one way for a single member
 * and another for a list of them, or the end of the membership.
 */
export type MissingDate = 'refuseMember' | 'refuseList' | 'endNow'

/** Computes the dates that memberships may have. */
export class MemberDateRules {
  readonly #maximum: MaximumDays
  readonly #userAuthority: Authority | undefined

  constructor(maximum: MaximumDays, userAuthority: Authority | undefined) {
    this.#maximum = maximum
    this.#userAuthority = userAuthority
  }

  /** Which dates of a kind of member have a limit: days in force, or the maximum of the server. */
  limits(type: PrincipalType, days: MemberDays): { expiration: boolean; reviewReminder: boolean } {
    const kind = kindOf(type)
    const maximum = this.#maximum[kind]
    return {
      expiration: capped(days.expiry[kind], maximum) !== undefined,
      reviewReminder: capped(days.review[kind], maximum) !== undefined,
    }
  }

  /**
   * The dates to store for a membership: what was asked for, but not later than the days in force allow. For users of a
   * collection with a userAuthorityExpiration also not later than the authority's date; 400 when it has none, unless
   * that ends memberships.
   */
  async dates(
    member: { name: string; type: PrincipalType },
    requested: MemberDates,
    days: MemberDays,
    now: number,
    userAuthorityExpiration?: string,
    missing: MissingDate = 'refuseMember',
  ): Promise<MemberDates> {
    const kind = kindOf(member.type)
    const maximum = this.#maximum[kind]
    let expiration = limited(requested.expiration, capped(days.expiry[kind], maximum), now)
    const reviewReminder = limited(requested.reviewReminder, capped(days.review[kind], maximum), now)
    if (userAuthorityExpiration && member.type === principalTypes.user) {
      const authorityDate = await this.#userAuthority?.dateAttribute?.(member.name, userAuthorityExpiration)
      if (authorityDate === undefined && missing !== 'endNow') throw withoutDate(member.name, missing)
      expiration = Math.min(expiration ?? Number.MAX_SAFE_INTEGER, authorityDate ?? now)
    }
    return {
      ...(expiration !== undefined && { expiration: wholeSeconds(expiration) }),
      ...(reviewReminder !== undefined && { reviewReminder: wholeSeconds(reviewReminder) }),
    }
  }
}

const withoutDate = (member: string, missing: 'refuseMember' | 'refuseList') =>
  badRequest(
    missing === 'refuseMember'
      ? 'User does not have required user authority expiry configured'
      : `Invalid member: ${member}. No expiry date attribute specified in user authority`,
  )

const capped = (days: number | undefined, maximum: number) =>
  maximum > 0 && (days === undefined || days > maximum) ? maximum : days

function limited(requested: number | undefined, days: number | undefined, now: number): number | undefined {
  if (days === undefined) return requested
  const latest = now + days * DAY_MILLIS
  return requested === undefined || requested > latest ? latest : requested
}

/** Memberships are dated in whole seconds: fractions are dropped. */
export const wholeSeconds = (epochMillis: number): number => Math.floor(epochMillis / 1000) * 1000
