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
      const { filter } = query
      const page = datedPage<DecidableRequest>('searchPendingRequests', query, ({ pending, ...place }) => [
        pending.requestTime,
        fullName(place),
        pending.memberName,
      ])
      const principal = await knownPrincipal(context, query.principal)
      if (principal !== undefined) {
        const auditor = await auditorOf(deps, principal)
        for (const request of await store.decidableRequests({ principal, at: now(), auditor })) {
          if (contains(fullName(request), filter) || contains(request.pending.memberName, filter)) page.offer(request)
        }
      }
      return ok(
        partOf(page, ({ pending, ...place }) => ({
          ...placeReply(place),
          memberName: pending.memberName,
          pendingState: pending.pendingState,
          requestPrincipal: pending.requestPrincipal,
          requestTime: timestamp(pending.requestTime),
          auditRef: pending.auditRef,
        })) as DutyRequests,
      )
    },

    async searchDueReviews({ query }, context) {
      const page = datedPage('searchDueReviews', query, (review: DueReview) => [review.due, fullName(review)])
      const principal = await reviewer(deps, context, query.principal, 'role and group')
      if (principal !== undefined) {
        const percent = config.zms.reviewDaysPercentage.value
        for (const review of await store.dueReviews({ principal, at: now(), percent })) {
          if (contains(fullName(review), query.filter)) page.offer(review)
        }
      }
      return ok(
        partOf(page, (review) => ({
          ...placeReply(review),
          reviewDue: timestamp(review.due),
          lastReviewedDate: timestamp(review.lastReviewedDate),
        })) as DutyReviews,
      )
    },

    async searchEndingMemberships({ query }, context) {
      const { days = DAYS.usual } = query
      if (days < 0 || days > DAYS.greatest) {
        throw badRequest(`searchEndingMemberships: days must be from 0 to ${DAYS.greatest}: ${days}`)
      }
      const page = datedPage('searchEndingMemberships', query, (each: EndingMembership) => [
        each.expiration,
        fullName(each),
      ])
      const principal = await knownPrincipal(context, query.principal)
      if (principal !== undefined) {
        for (const membership of await store.endingMemberships(principal, now() + days * DAY_MILLIS)) {
          if (contains(fullName(membership), query.filter)) page.offer(membership)
        }
      }
      return ok(
        partOf(page, (each) => ({
          ...placeReply(each),
          expiration: timestamp(each.expiration),
        })) as EndingMemberships,
      )
    },
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

/** A page of entries by date, then by names. */
function datedPage<T>(
  api: string,
  query: PageQuery & { readonly skip?: string | undefined },
  keysOf: (entry: T) => readonly [date: number, ...names: string[]],
): KeysetPage<T> {
  const keyOf = (entry: T) => {
    const [date, ...names] = keysOf(entry)
    return `${String(date).padStart(DATE_DIGITS, '0')} ${names.join(' ')}`
  }
  return new KeysetPage({ limit: pageLimit(api, query.limit), skip: query.skip, keyOf })
}

function partOf<T>(page: KeysetPage<T>, reply: (entry: T) => Record<string, unknown>) {
  const { entries, next } = page.get()
  return compact({ list: entries.map((entry) => compact(reply(entry))), total: page.total, next })
}
