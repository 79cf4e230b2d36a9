import { badRequest, forbidden, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent } from '#core/http/endpoint.ts'
import { roleResourceName } from '#core/names/resource-name.ts'
import type { RoleMetaInput, roleMetaEndpoints } from '../api/role-meta.ts'
import type { RoleBase } from '../store/model.ts'
import { roleKind } from './collection.ts'
import { changeCollectionMeta, changeCollectionSystemMeta, putCollectionOwnership } from './collection-meta.ts'
import { requireSettings } from './collection-rules.ts'
import { changedSettings } from './collection-settings.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { changed, compact } from './wire-form.ts'

/** Settings of roles. */
export function roleMetaService(deps: ZmsDependencies): Handlers<typeof roleMetaEndpoints> {
  return {
    async putRoleMeta({ params, query, body, headers }, context) {
      const { domainName, roleName } = params
      deps.authorizedServices.check(context, 'role', roleName)
      requireSettings(deps, body)
      const domain = await deps.store.domain(domainName)
      if (!domain?.roles.has(roleName)) throw notFound('Invalid domain/role name specified')
      const { principal } = context
      const resource = roleResourceName(domainName, roleName)
      const may = async (action: string) =>
        principal !== undefined && (await deps.authorization.isAllowed(principal, action, resource))
      if (!(await may('update')) && !(await may('update_meta'))) {
        throw forbidden('putRoleMeta: principal is not authorized to update metadata')
      }
      const change = { domainName, name: roleName, ...query, ...headers }
      await changeCollectionMeta(deps, context, roleKind, change, body, (current) => changedRole(current, body))
      return noContent
    },

    async putRoleSystemMeta({ params, body, headers }, context) {
      const place = { domainName: params.domainName, name: params.roleName, ...headers }
      await changeCollectionSystemMeta(deps, context, roleKind, place, params.attribute, body.auditEnabled)
      return noContent
    },

    async putResourceRoleOwnership({ params, body, headers }, context) {
      if (body === undefined) throw badRequest('Invalid resource role ownership: null')
      const place = { domainName: params.domainName, name: params.roleName, ...headers }
      await putCollectionOwnership(deps, context, roleKind, place, body)
      return noContent
    },
  }
}

/** The settings with those replaced that the request has; `false`, `0` and `''` clear a value. */
function changedRole(current: RoleBase, body: RoleMetaInput): RoleBase {
  return compact({
    ...changedSettings(current, body),
    tokenExpiryMins: changed(body.tokenExpiryMins, current.tokenExpiryMins),
    certExpiryMins: changed(body.certExpiryMins, current.certExpiryMins),
    signAlgorithm: changed(body.signAlgorithm, current.signAlgorithm),
    memberReviewDays: changed(body.memberReviewDays, current.memberReviewDays),
    serviceReviewDays: changed(body.serviceReviewDays, current.serviceReviewDays),
    groupExpiryDays: changed(body.groupExpiryDays, current.groupExpiryDays),
    groupReviewDays: changed(body.groupReviewDays, current.groupReviewDays),
    description: changed(body.description, current.description),
  })
}
