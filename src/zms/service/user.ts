import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import type { userEndpoints } from '../api/user.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { putPrincipalState } from './principal-state.ts'
import { deleteUser } from './user-deletion.ts'

/** Users, and the state of principals. */
export function userService(deps: ZmsDependencies): Handlers<typeof userEndpoints> {
  const { config, store } = deps
  return {
    async getUserList({ query: { domainName = config.userDomain } }) {
      if (domainName !== config.userDomain && !config.zms.addlUserCheckDomains.has(domainName)) {
        throw badRequest('Unknown user domain')
      }
      const prefix = `${domainName}.`
      const names = await store.principalNames(prefix)
      // What has a further dot belongs to the personal domain of a user.
      return ok({ names: names.filter((name) => !name.includes('.', prefix.length)) })
    },

    async deleteUser({ params, headers }, context) {
      await deleteUser(deps, context, params.name, headers.auditRef)
      return noContent
    },

    async putPrincipalState({ params, body, headers }, context) {
      deps.authorizedServices.check(context)
      await putPrincipalState(deps, context, { ...params, ...body, ...headers })
      return noContent
    },
  }
}
