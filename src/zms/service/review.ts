import { forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok, type RequestContext } from '#core/http/endpoint.ts'
import type { reviewEndpoints } from '../api/review.ts'
import { reviewDue } from '../store/duties.ts'
import type { Domain, RoleBase } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { compact, timestamp } from './wire-form.ts'

/** What is due for review. */
export function reviewService(deps: ZmsDependencies): Handlers<typeof reviewEndpoints> {
  return {
    async getRolesForReview({ query }, context) {
      const domains = await reviewedDomains(deps, context, query.principal, 'role')
      const roles = domains.flatMap((domain) =>
        [...domain.roles.values()]
          .filter((role) => !role.trust && isDue(deps, role))
          .map((role) => reviewReply(domain, role)),
      )
      return ok({ list: roles })
    },

    async getGroupsForReview({ query }, context) {
      const domains = await reviewedDomains(deps, context, query.principal, 'group')
      const groups = domains.flatMap((domain) =>
        [...domain.groups.values()].filter((group) => isDue(deps, group)).map((group) => reviewReply(domain, group)),
      )
      return ok({ list: groups })
    },
  }
}

/** The domains that a principal (by default the caller) administers; others may be asked about with a right only. */
async function reviewedDomains(
  deps: ZmsDependencies,
  context: RequestContext,
  asked: string | undefined,
  kind: 'role' | 'group',
): Promise<Domain[]> {
  const { store, now } = deps
  const principal = await reviewer(deps, context, asked, kind)
  if (principal === undefined) return []
  const names = await store.administeredDomains({ principal, at: now() })
  return [...(await store.domains(names)).values()]
}

/**
 * Whose reviews are asked for, by default the caller's; undefined for a caller of whom nothing is known. 403 for another
 * one without the right to ask, 404 for one of whom nothing is known.
 */
export async function reviewer(
  { store, authorization }: Pick<ZmsDependencies, 'store' | 'authorization'>,
  { principal: caller }: RequestContext,
  asked: string | undefined,
  kind: string,
): Promise<string | undefined> {
  const principal = asked ?? caller?.fullName ?? ''
  if (caller?.fullName !== principal) {
    const may = caller !== undefined && (await authorization.isAllowed(caller, 'access', 'sys.auth:meta.review.lookup'))
    if (!may) throw forbidden(`principal is not authorized to request ${kind} review list`)
  }
  if ((await store.principal(principal)) !== undefined) return principal
  if (asked !== undefined) throw notFound(`unknown principal - ${principal}`)
  return undefined
}

const isDue = (deps: ZmsDependencies, object: RoleBase): boolean => {
  const due = reviewDueAt(deps, object)
  return due !== undefined && deps.now() >= due
}

/** When the members of a role or group are to be reviewed, in epoch milliseconds; undefined where no period is set. */
export const reviewDueAt = ({ config }: Pick<ZmsDependencies, 'config'>, object: RoleBase): number | undefined =>
  reviewDue(object, config.zms.reviewDaysPercentage.value)

const reviewReply = (domain: Domain, object: RoleBase) =>
  compact({
    domainName: domain.name,
    name: object.name,
    memberExpiryDays: object.memberExpiryDays ?? 0,
    memberReviewDays: object.memberReviewDays ?? 0,
    serviceExpiryDays: object.serviceExpiryDays ?? 0,
    serviceReviewDays: object.serviceReviewDays ?? 0,
    groupExpiryDays: object.groupExpiryDays ?? 0,
    groupReviewDays: object.groupReviewDays ?? 0,
    lastReviewedDate: timestamp(object.lastReviewedDate),
    created: timestamp(object.created),
  })
