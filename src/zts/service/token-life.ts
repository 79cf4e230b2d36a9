import type { CachedDomain } from '../cache/model.ts'

/** What a client asks of the life of a token, in seconds; a limit of 0 or less is none. */
export interface RequestedLife {
  readonly minSeconds?: number | undefined
  readonly maxSeconds?: number | undefined
}

/** What the server is configured to give, in seconds. */
export interface LifeLimits {
  readonly defaultSeconds: number
  readonly maxSeconds: number
}

/**
 * Life of a role or access token in seconds: the greatest that was asked for, or else the least if it is beyond the
 * default, or else the default; never beyond the server's limit, nor beyond that of the roles in it.
 */
export function tokenLifeSeconds(
  requested: RequestedLife,
  limits: LifeLimits,
  domain: CachedDomain,
  roles: Iterable<string>,
): number {
  const seconds = Math.min(withoutRoles(requested, limits), limits.maxSeconds)
  const limit = roleLimitSeconds(domain, roles)
  return limit > 0 ? Math.min(seconds, limit) : seconds
}

function withoutRoles({ minSeconds = 0, maxSeconds = 0 }: RequestedLife, { defaultSeconds }: LifeLimits): number {
  return maxSeconds > 0 ? maxSeconds : Math.max(minSeconds, defaultSeconds)
}

const SECONDS_PER_MINUTE = 60

/** The smallest limit that one of the roles (local names) has; that of the domain when none has one; 0 without any. */
export function roleLimitSeconds({ roles, settings }: CachedDomain, names: Iterable<string>): number {
  let limit = Number.POSITIVE_INFINITY
  for (const name of names) {
    const minutes = roles.get(name)?.tokenExpiryMins ?? 0
    if (minutes > 0) limit = Math.min(limit, minutes)
  }
  return (Number.isFinite(limit) ? limit : Math.max(settings.tokenExpiryMins, 0)) * SECONDS_PER_MINUTE
}
