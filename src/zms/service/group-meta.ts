import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, noContent } from '#core/http/endpoint.ts'
import type { groupMetaEndpoints } from '../api/group-meta.ts'
import { groupKind } from './collection.ts'
import { changeCollectionMeta, changeCollectionSystemMeta, putCollectionOwnership } from './collection-meta.ts'
import { requireSettings } from './collection-rules.ts'
import { changedSettings } from './collection-settings.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** Settings of groups. */
export function groupMetaService(deps: ZmsDependencies): Handlers<typeof groupMetaEndpoints> {
  return {
    async putGroupMeta({ params, query, body, headers }, context) {
      deps.authorizedServices.check(context, 'group', params.groupName)
      requireSettings(deps, body)
      const place = { domainName: params.domainName, name: params.groupName, ...query, ...headers }
      await changeCollectionMeta(deps, context, groupKind, place, body, (current) => changedSettings(current, body))
      return noContent
    },

    async putGroupSystemMeta({ params, body, headers }, context) {
      const place = { domainName: params.domainName, name: params.groupName, ...headers }
      await changeCollectionSystemMeta(deps, context, groupKind, place, params.attribute, body.auditEnabled)
      return noContent
    },

    async putResourceGroupOwnership({ params, body, headers }, context) {
      if (body === undefined) throw badRequest('Invalid resource group ownership: null')
      const place = { domainName: params.domainName, name: params.groupName, ...headers }
      await putCollectionOwnership(deps, context, groupKind, place, body)
      return noContent
    },
  }
}
