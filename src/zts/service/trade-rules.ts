import type { Principal } from '#core/authority/principal.ts'
import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { isName } from '#core/names/patterns.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { authenticated, refuseAuthorizedService, refuseRoleIdentity } from './principal-rules.ts'
import type { TradedToken } from './traded-token.ts'

/** Who asks for a trade, with an identity of its own; throws 401 and 403 where there is none. `what` is what it asks for. */
export function tradingCaller(principal: Principal | undefined, what: string): Principal {
  const caller = authenticated(principal)
  refuseAuthorizedService(caller, `Authorized service principal forbidden for ${what}`)
  refuseRoleIdentity(caller)
  return caller
}

/** Whether a name that a token was made for, or names as its client, is that of the caller: full name or client id. */
export const isCaller = ({ domains }: Pick<ZtsDependencies, 'domains'>, caller: Principal, name: unknown): boolean =>
  typeof name === 'string' && (name === caller.fullName || domains.serviceOfClient(name) === caller.fullName)

/** Life of access tokens as configured. */
export const accessTokenLimits = ({ config: { zts } }: Pick<ZtsDependencies, 'config'>) => ({
  defaultSeconds: zts.roleTokenDefaultTimeoutSeconds,
  maxSeconds: zts.roleTokenMaxTimeoutSeconds,
})

/** A domain that must be there; 404 otherwise. `kind` tells it from others in the message. */
export function existingDomain({ domains }: Pick<ZtsDependencies, 'domains'>, name: string, kind = ''): CachedDomain {
  const domain = domains.get(name)
  if (domain === undefined) throw notFound(`No such ${kind}domain: ${name}`)
  return domain
}

/** The audience of the token that is asked for. Throws `bad-request` without one. */
export function requestedAudience(audience: string | undefined): string {
  if (!audience) throw badRequest('Invalid request: no audience provided')
  return audience
}

/** The principal that a token is about. Throws `bad-request` when it does not say. */
export function subjectOf({ subject }: TradedToken, what: string): string {
  if (subject === undefined) throw badRequest(`${what} - missing subject`)
  return subject
}

/**
 * Local names of roles in a text between blanks, as the `scope` of a token has them; undefined when it is none.
 * Throws nothing: what is no name makes the whole of no use.
 */
export function roleNames(text: string | undefined): readonly string[] | undefined {
  const names = [...new Set(text?.split(' ').filter((name) => name !== ''))]
  return names.length > 0 && names.every((name) => isName('EntityName', name)) ? names : undefined
}

/** Roles of a domain by their full names, between blanks. */
export const fullRoleNames = ({ name }: CachedDomain, roles: readonly string[]): readonly string[] =>
  roles.map((role): string => roleResourceName(name, role))

/** The refusal of a trade to a caller that may not. */
export const notAuthorized = (what: string) => forbidden(`Principal not authorized for ${what}`)
