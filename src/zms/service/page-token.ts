import type { X509Certificate } from 'node:crypto'
import type { Principal } from '#core/authority/principal.ts'
import { badRequest, forbidden, unauthorized } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { verifyPageStatement } from '#core/token/page-statement.ts'
import type { pageTokenEndpoints } from '../api/page-token.ts'
import { readableBy } from './cross-origin.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { issueUserToken } from './user-token.ts'

/**
 * Principal tokens for the web pages of services. The browser asks with the certificate of the person, so that nobody has
 * to believe the page who somebody is. The token is good for the service of the page alone, and only a page that this
 * service calls its own gets to read it. Since whoever has the key of such a service can say so of any page, an operator
 * names the services that may have pages.
 */
export function pageTokenService(deps: ZmsDependencies): Handlers<typeof pageTokenEndpoints> {
  const { config, authorizedServices, keyStore, now } = deps

  return {
    async getPageUserToken({ query }, context) {
      const page = await verifyPageStatement(query.page, { keyStore, nowSeconds: Math.floor(now() / 1000) })
      if (typeof page === 'string') throw badRequest(`getPageUserToken: Invalid page - ${page}`)
      const { service, origin } = page
      if (context.header('origin') !== origin) {
        throw forbidden(`getPageUserToken: the request does not come from the page of ${service}`)
      }
      // From here on the page may read what is wrong.
      const headers = { ...readableBy(origin), 'cache-control': 'no-store' }
      if (!config.zms.pageTokenServices.has(service) || !authorizedServices.has(service)) {
        throw forbidden(`getPageUserToken: Service ${service} is not authorized in ZMS`, { headers })
      }
      const { principal } = context
      const certificate = principal && certificateOfUser(principal, config.userDomain)
      if (principal === undefined || certificate === undefined) {
        throw unauthorized('getPageUserToken: Invalid request - missing certificate of a user', { headers })
      }
      const endMillis = certificate.validToDate.getTime()
      return ok({ token: await issueUserToken(deps, principal, { services: [service], endMillis }) }, headers)
    },
  }
}

/** The certificate with which a person has authenticated, and not in a role, nor with one that is not for authorization. */
function certificateOfUser(principal: Principal, userDomain: string): X509Certificate | undefined {
  const { authority, domain, name, roles, mtlsRestricted, x509Certificate } = principal
  const isUser = authority.credentialSource === 'certificate' && domain === userDomain && name !== undefined
  return isUser && roles === undefined && !mtlsRestricted ? x509Certificate : undefined
}
