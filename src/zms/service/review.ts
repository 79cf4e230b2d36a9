import { forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok, type RequestContext } from '#core/http/endpoint.ts'
import type { reviewEndpoints } from '../api/review.ts'
import type { Domain, RoleBase } from '../store/model.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { compact, timestamp } from './wire-form.ts'

const DAY_MILLIS = 86_400_000

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
  { store, authorization, now }: ZmsDependencies,
  { principal: caller }: RequestContext,
  asked: string | undefined,
  kind: 'role' | 'group',
): Promise<Domain[]> {
  const principal = asked ?? caller?.fullName ?? ''
  if (caller?.fullName !== principal) {
    const may = caller !== undefined && (await authorization.isAllowed(caller, 'access', 'sys.auth:meta.review.lookup'))
    if (!may) throw forbidden(`principal is not authorized to request ${kind} review list`)
  }
  if ((await store.principal(principal)) === undefined) {
    if (asked !== undefined) throw notFound(`unknown principal - ${principal}`)
    return []
  }
  const domains = await store.domains(await store.domainsByMember(principal, 'admin'))
  const time = now()
  return [...domains.values()].filter((domain) => {
    const member = domain.roles.get('admin')?.members.get(principal)
    return member && !member.systemDisabled && (member.expiration === undefined || member.expiration >= time)
  })
}

const isDue = (deps: ZmsDependencies, object: RoleBase): boolean => {
  const due = reviewDueAt(deps, object)
  return due !== undefined && deps.now() >= due
}

/**
 * When the members of a role or group are to be reviewed, in epoch milliseconds: the configured share of the shortest
 * period after the last review, or after it was made. Undefined where no period is set.
 */
export function reviewDueAt({ config }: Pick<ZmsDependencies, 'config'>, object: RoleBase): number | undefined {
  const periods = [
    object.memberExpiryDays,
    object.memberReviewDays,
    object.serviceExpiryDays,
    object.serviceReviewDays,
    object.groupExpiryDays,
    object.groupReviewDays,
  ].filter((days) => days !== undefined && days > 0) as number[]
  if (periods.length === 0) return undefined
  const share = (Math.min(...periods) * DAY_MILLIS * config.zms.reviewDaysPercentage.value) / 100
  return (object.lastReviewedDate ?? object.created) + share
}

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
