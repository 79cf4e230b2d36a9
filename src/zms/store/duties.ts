import type { PendingRoleMember, RoleBase } from './model.ts'

const DAY_MILLIS = 86_400_000

/** Settings of roles and groups that give each membership a period. */
export const PERIODS = [
  'memberExpiryDays',
  'memberReviewDays',
  'serviceExpiryDays',
  'serviceReviewDays',
  'groupExpiryDays',
  'groupReviewDays',
] as const

/** What tells when the members of a role or group are to be reviewed. */
export type ReviewDates = Pick<RoleBase, (typeof PERIODS)[number] | 'lastReviewedDate' | 'created'>

/**
 * When members are to be reviewed, in epoch milliseconds: `percent` of the shortest period after the last review, or after
 * the role or group was made. Undefined where no period is set.
 */
export function reviewDue(object: ReviewDates, percent: number): number | undefined {
  let shortestDays = Number.POSITIVE_INFINITY
  for (const period of PERIODS) {
    const days = object[period]
    if (days !== undefined && days > 0 && days < shortestDays) shortestDays = days
  }
  if (shortestDays === Number.POSITIVE_INFINITY) return undefined
  return (object.lastReviewedDate ?? object.created) + (shortestDays * DAY_MILLIS * percent) / 100
}

/** Whose duties are asked for, and when. */
export interface DutyQuery {
  /** Full name of the principal. */
  readonly principal: string
  /** Memberships count that have not ended before (epoch milliseconds). */
  readonly at: number
}

/** A role or group to review. */
export interface DueReview {
  readonly kind: 'role' | 'group'
  readonly domain: string
  /** Local name. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly due: number
  readonly lastReviewedDate?: number
}

/** A membership of somebody that ends. */
export interface EndingMembership {
  readonly kind: 'role' | 'group'
  readonly domain: string
  /** Local name of the role or group. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly expiration: number
  /** For how many minutes from now the member may renew it; absent where members may not. */
  readonly selfRenewMins?: number
  /** A change needs a reason: the role or group is audited, or its domain. Absent where it needs none. */
  readonly audited?: true
}

/** The domains, and the organizations of domains, for whose audited roles and groups somebody decides. */
export interface Auditor {
  readonly domains: ReadonlySet<string>
  readonly orgs: ReadonlySet<string>
}

/** A request for membership. */
export interface DecidableRequest {
  readonly kind: 'role' | 'group'
  readonly domain: string
  /** Local name of the role or group. */
  readonly name: string
  readonly pending: Pick<
    PendingRoleMember,
    'memberName' | 'requestPrincipal' | 'requestTime' | 'auditRef' | 'pendingState' | 'expiration'
  >
  /** As of {@link EndingMembership}. */
  readonly audited?: true
}

/** Reads of what somebody has to do. */
export interface DutyQueries {
  /** Domains in whose role `admin` the principal itself is a member that counts. */
  administeredDomains(query: DutyQuery): Promise<string[]>
  /**
   * Roles, but for delegated ones, and groups of these domains whose review is due at that time ({@link reviewDue}, with
   * `percent`), in no particular order.
   */
  dueReviews(query: DutyQuery & { readonly percent: number }): Promise<DueReview[]>
  /**
   * Requests for membership that the principal may decide, in no particular order: in the domains that it administers for
   * what is not audited, as auditor for what is.
   */
  decidableRequests(query: DutyQuery & { readonly auditor: Auditor }): Promise<DecidableRequest[]>
  /** Memberships of the principal itself that end before `before` (epoch milliseconds), in no particular order. */
  endingMemberships(principal: string, before: number): Promise<EndingMembership[]>
}
