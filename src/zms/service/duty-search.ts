import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok, type RequestContext } from '#core/http/endpoint.ts'
import { groupResourceName, roleResourceName } from '#core/names/resource-name.ts'
import type {
  AdministeredDomains,
  DutyRequests,
  DutyReviews,
  dutySearchEndpoints,
  EndingMemberships,
} from '../api/duty-search.ts'
import type { DecidableRequest, DueReview, EndingMembership } from '../store/duties.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { contains, KeysetPage, type PageQuery, pageLimit } from './keyset-page.ts'
import { auditorOf } from './pending-members.ts'
import { reviewer } from './review.ts'
import { compact, timestamp } from './wire-form.ts'

const DAY_MILLIS = 86_400_000
/** Epoch milliseconds of all dates have no more digits, so that they can be compared as texts. */
const DATE_DIGITS = 16
/** Days within which memberships end that are told of. */
const DAYS = { usual: 30, greatest: 3660 }

/** What somebody has to do, a part at a time. */
export function dutySearchService(deps: ZmsDependencies): Handlers<typeof dutySearchEndpoints> {
  const { store, config, now } = deps
  return {
    async searchAdministeredDomains({ query }, context) {
      const limit = pageLimit('searchAdministeredDomains', query.limit)
      const page = new KeysetPage<string>({ limit, skip: query.skip, keyOf: (name) => name })
      const principal = await knownPrincipal(context, query.principal)
      if (principal !== undefined) {
        for (const name of await store.administeredDomains({ principal, at: now() })) {
          if (contains(name, query.filter)) page.offer(name)
        }
      }
      const { entries, next } = page.get()
      return ok(compact<AdministeredDomains>({ list: [...entries], total: page.total, next }))
    },

    async searchPendingRequests({ query }, context) {
      const page = requestPage('searchPendingRequests', query)
      return ok(await requestsOf(await knownPrincipal(context, query.principal), page, query.filter))
    },

    async searchDueReviews({ query }, context) {
      const page = reviewPage('searchDueReviews', query)
      const principal = await reviewer(deps, context, query.principal, 'role and group')
      return ok(await reviewsOf(principal, page, query.filter))
    },

    async searchEndingMemberships({ query }, context) {
      const before = end('searchEndingMemberships', query.days)
      const page = membershipPage('searchEndingMemberships', query)
      return ok(await membershipsOf(await knownPrincipal(context, query.principal), before, page, query.filter))
    },

    async getDuties({ query }, context) {
      const before = end('getDuties', query.days)
      const principal = await knownPrincipal(context, undefined)
      const [requests, reviews, memberships] = await Promise.all([
        requestsOf(principal, requestPage('getDuties', query)),
        reviewsOf(principal, reviewPage('getDuties', query)),
        membershipsOf(principal, before, membershipPage('getDuties', query)),
      ])
      return ok({ requests, reviews, memberships })
    },
  }

  /** What the principal may decide and passes the filter, a part of it; nothing for none. */
  async function requestsOf(
    principal: string | undefined,
    page: KeysetPage<DecidableRequest>,
    filter?: string,
  ): Promise<DutyRequests> {
    if (principal !== undefined) {
      const auditor = await auditorOf(deps, principal)
      for (const request of await store.decidableRequests({ principal, at: now(), auditor })) {
        if (contains(fullName(request), filter) || contains(request.pending.memberName, filter)) page.offer(request)
      }
    }
    return partOf(page, ({ pending, audited, ...place }) => ({
      ...placeReply(place),
      memberName: pending.memberName,
      pendingState: pending.pendingState,
      requestPrincipal: pending.requestPrincipal,
      requestTime: timestamp(pending.requestTime),
      auditRef: pending.auditRef,
      expiration: timestamp(pending.expiration),
      auditEnabled: audited,
    })) as DutyRequests
  }

  /** What the principal has to review and passes the filter, a part of it; nothing for none. */
  async function reviewsOf(
    principal: string | undefined,
    page: KeysetPage<DueReview>,
    filter?: string,
  ): Promise<DutyReviews> {
    if (principal !== undefined) {
      const percent = config.zms.reviewDaysPercentage.value
      for (const review of await store.dueReviews({ principal, at: now(), percent })) {
        if (contains(fullName(review), filter)) page.offer(review)
      }
    }
    return partOf(page, (review) => ({
      ...placeReply(review),
      reviewDue: timestamp(review.due),
      lastReviewedDate: timestamp(review.lastReviewedDate),
    })) as DutyReviews
  }

  /** Memberships of the principal that end before a time (epoch milliseconds) and pass the filter, a part of them. */
  async function membershipsOf(
    principal: string | undefined,
    before: number,
    page: KeysetPage<EndingMembership>,
    filter?: string,
  ): Promise<EndingMemberships> {
    if (principal !== undefined) {
      for (const membership of await store.endingMemberships(principal, before)) {
        if (contains(fullName(membership), filter)) page.offer(membership)
      }
    }
    return partOf(page, (each) => ({
      ...placeReply(each),
      expiration: timestamp(each.expiration),
      selfRenewMins: each.selfRenewMins,
      auditEnabled: each.audited,
    })) as EndingMemberships
  }

  /** The end of the days within which memberships end that are told of; 400 for too many days. */
  function end(api: string, days: number = DAYS.usual): number {
    if (days < 0 || days > DAYS.greatest) {
      throw badRequest(`${api}: days must be from 0 to ${DAYS.greatest}: ${days}`)
    }
    return now() + days * DAY_MILLIS
  }

  /** Who is asked about, by default the caller; undefined for a caller of whom nothing is known, 404 for another one. */
  async function knownPrincipal(context: RequestContext, asked: string | undefined): Promise<string | undefined> {
    const principal = asked ?? context.principal?.fullName ?? ''
    if ((await store.principal(principal)) !== undefined) return principal
    if (asked !== undefined) throw notFound(`unknown principal - ${principal}`)
    return undefined
  }
}

/** A role or group of a domain. */
interface Place {
  readonly kind: 'role' | 'group'
  readonly domain: string
  readonly name: string
}

const fullName = ({ kind, domain, name }: Place): string =>
  kind === 'role' ? roleResourceName(domain, name) : groupResourceName(domain, name)

const placeReply = ({ kind, domain, name }: Place) => ({ kind, domainName: domain, name })

type DatedQuery = PageQuery & { readonly skip?: string | undefined }

/** A page of entries by date, then by names. */
function datedPage<T>(
  api: string,
  query: DatedQuery,
  keysOf: (entry: T) => readonly [date: number, ...names: string[]],
): KeysetPage<T> {
  const keyOf = (entry: T) => {
    const [date, ...names] = keysOf(entry)
    return `${String(date).padStart(DATE_DIGITS, '0')} ${names.join(' ')}`
  }
  return new KeysetPage({ limit: pageLimit(api, query.limit), skip: query.skip, keyOf })
}

const requestPage = (api: string, query: DatedQuery): KeysetPage<DecidableRequest> =>
  datedPage(api, query, ({ pending, ...place }) => [pending.requestTime, fullName(place), pending.memberName])

const reviewPage = (api: string, query: DatedQuery): KeysetPage<DueReview> =>
  datedPage(api, query, (review) => [review.due, fullName(review)])

const membershipPage = (api: string, query: DatedQuery): KeysetPage<EndingMembership> =>
  datedPage(api, query, (each) => [each.expiration, fullName(each)])

function partOf<T>(page: KeysetPage<T>, reply: (entry: T) => Record<string, unknown>) {
  const { entries, next } = page.get()
  return compact({ list: entries.map((entry) => compact(reply(entry))), total: page.total, next })
}
