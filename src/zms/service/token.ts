import type { Principal } from '#core/authority/principal.ts'
import { badRequest, type ServiceError, unauthorized } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { parsePrincipalToken } from '#core/token/principal-token.ts'
import { signPrincipalToken } from '#core/token/sign-principal-token.ts'
import type { tokenEndpoints } from '../api/token.ts'
import { crossOriginHeaders, preflightHeaders } from './cross-origin.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { issueUserToken } from './user-token.ts'
import { compact } from './wire-form.ts'

/** Stands in a path for the user who asks. */
const SELF = '_self_'

/** Principal tokens. */
export function tokenService(deps: ZmsDependencies): Handlers<typeof tokenEndpoints> {
  const { config, signer, authorizedServices } = deps
  const { zms } = config
  const host = zms.hostname

  /** The services named, each known; `refused` makes the error for one that is not. */
  function servicesOf(names: string | undefined, refused: (service: string) => ServiceError): readonly string[] {
    const services = names ? names.split(',').map((name) => name.trim()) : []
    for (const service of services) if (!authorizedServices.has(service)) throw refused(service)
    return services
  }

  return {
    async getUserToken({ params, query }, context) {
      const { principal } = context
      if (!principal || !isUser(principal, config.userDomain) || !names(params.userName, principal)) {
        throw unauthorized('getUserToken: Invalid request - missing User credentials or userName mismatch')
      }
      const services = servicesOf(query.serviceNames, (service) =>
        unauthorized(`getUserToken: Service ${service} is not authorized in ZMS`),
      )
      const token = await issueUserToken(deps, principal, { services, ip: context.remoteAddress })
      const reply = compact({ token, header: query.header ? deps.principalAuthority?.header : undefined })
      return ok(reply, services.length > 0 ? crossOriginHeaders(zms, context) : undefined)
    },

    optionsUserToken({ query }, context) {
      const services = servicesOf(query.serviceNames, (service) =>
        badRequest(`optionsUserToken: Service ${service} is not authorized in ZMS`),
      )
      if (services.length === 0) throw badRequest('optionsUserToken: No authorized services specified in the request')
      return { status: 204, headers: preflightHeaders(zms, context) }
    },

    async getServicePrincipal(_request, { principal }) {
      if (!principal) throw unauthorized('Invalid credentials')
      const { domain, name: service } = principal
      // A certificate is no token that could be handed on.
      const token = principal.authority.allowAuthorization ? principal.credentials : await serviceToken(principal)
      return ok(compact({ domain, service, token }))
    },
  }

  /** A token of the server's own for a principal whose token is not good for authorization. */
  async function serviceToken({ credentials, domain, name }: Principal): Promise<string> {
    const parsed = parsePrincipalToken(credentials ?? '')
    if (!parsed.ok || parsed.token.domain !== domain || parsed.token.name !== name) {
      throw unauthorized('getServicePrincipal: Invalid request - the credentials are no principal token of the caller')
    }
    const { issueTimeSeconds, expiryTimeSeconds, ip } = parsed.token
    return signPrincipalToken(
      { version: 'S1', domain, name, host, issueTimeSeconds, expiryTimeSeconds, keyService: 'zms', ...(ip && { ip }) },
      signer,
    )
  }
}

/** Whether the principal has proved to be a user, by an authority that is for nothing but that. */
const isUser = ({ authority }: Principal, userDomain: string): boolean =>
  !authority.allowAuthorization && authority.domain === userDomain

const names = (userName: string, { name }: Principal): boolean => userName === SELF || userName === name
