import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, ok, type RequestContext } from '#core/http/endpoint.ts'
import { isPromise } from '#core/http/maybe-promise.ts'
import { resolveUserAlias } from '#core/names/principal-name.ts'
import { signRoleToken } from '#core/token/sign-role-token.ts'
import type { roleTokenEndpoints } from '../api/role-token.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { authenticated, refuseForeignAuthorizedService, refuseOtherRoles } from './principal-rules.ts'
import { grantedRoles, ProxyUsers } from './role-grant.ts'
import { tokenLifeSeconds } from './token-life.ts'

/** What role tokens need. */
export type RoleTokenDependencies = Pick<ZtsDependencies, 'config' | 'domains' | 'roleAccess' | 'signers' | 'now'>

/** Role tokens. */
export function roleTokenService(deps: RoleTokenDependencies): Handlers<typeof roleTokenEndpoints> {
  const { domains, roleAccess, signers, now } = deps
  const { zts } = deps.config
  const proxyUsers = new ProxyUsers(zts.authorizedProxyUsers)
  const limits = { defaultSeconds: zts.roleTokenDefaultTimeoutSeconds, maxSeconds: zts.roleTokenMaxTimeoutSeconds }

  const existing = (name: string): CachedDomain => {
    const domain = domains.get(name)
    if (domain === undefined) throw notFound(`getRoleToken: No such domain: ${name}`)
    return domain
  }

  return {
    /** Answers at once when the signing key works on the event loop. */
    getRoleToken({ params: { domainName }, query }, context: RequestContext) {
      const principal = authenticated(context.principal)
      const { role, proxyForPrincipal, minExpiryTime, maxExpiryTime } = query
      const proxied = proxyForPrincipal && resolveUserAlias(proxyForPrincipal, deps.config)
      if (zts.leastPrivilegePrinciple && role === undefined) {
        throw badRequest('getRoleToken: Client must specify a roleName to request a token for')
      }
      if (proxied !== undefined && !proxyUsers.includes(principal)) {
        throw forbidden(`getRoleToken: Principal: ${principal.fullName} not authorized for proxy role token request`)
      }
      const domain = existing(domainName)
      refuseForeignAuthorizedService(principal, domainName)
      const names = role?.split(',')
      const roles = grantedRoles({ roleAccess, domain, caller: principal.fullName, proxied, names, api: context.api })
      refuseOtherRoles(principal, domainName, roles, 'getRoleToken: ')

      const issueTimeSeconds = Math.floor(now() / 1000)
      const requested = { minSeconds: minExpiryTime, maxSeconds: maxExpiryTime }
      const expiryTimeSeconds = issueTimeSeconds + tokenLifeSeconds(requested, limits, domain, roles)
      const token = signRoleToken(
        {
          domain: domainName,
          roles,
          completeRoleSet: zts.roleCompleteFlag && names === undefined,
          principal: proxied ?? principal.fullName,
          host: zts.hostname,
          ...(proxied !== undefined && { proxyUser: principal.fullName }),
          issueTimeSeconds,
          expiryTimeSeconds,
          ip: context.remoteAddress,
        },
        signers.proprietaryObjects,
      )
      const answer = (text: string) => ok({ token: text, expiryTime: expiryTimeSeconds })
      return isPromise(token) ? token.then(answer) : answer(token)
    },
  }
}
