import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { entityResourceName } from '#core/names/resource-name.ts'
import type { entityEndpoints } from '../api/entity.ts'
import { auditedDomain } from './audited-domain.ts'
import { requireAuthorizationDetails } from './authorization-details.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { entityReply } from './entity-reply.ts'

/** Entities: JSON objects that a domain keeps under a name. */
export function entityService(deps: ZmsDependencies): Handlers<typeof entityEndpoints> {
  const { store, writes } = deps
  return {
    async getEntityList({ params }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`unknown domain - ${params.domainName}`)
      return ok({ names: [...domain.entities.keys()].sort() })
    },

    async getEntity({ params }) {
      const { domainName, entityName } = params
      const domain = await store.domain(domainName)
      if (!domain) throw notFound(`unknown domain - ${domainName}`)
      const entity = domain.entities.get(entityName)
      if (!entity) throw notFound(`getEntity: Entity not found: '${entityResourceName(domainName, entityName)}'`)
      return ok(entityReply(domainName, entity))
    },

    async putEntity({ params, body, headers }, context) {
      const { domainName, entityName } = params
      deps.authorizedServices.check(context)
      const fullName = entityResourceName(domainName, entityName)
      if (body.name !== fullName) throw badRequest(`validateEntity: Entity name mismatch: ${fullName} != ${body.name}`)
      const { value } = body
      if (value === undefined) throw badRequest(`validateEntity: Entity value is empty: ${entityName}`)
      requireAuthorizationDetails(entityName, value)
      const subject = { context, domains: [domainName], entity: entityName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'entity', ...headers })
        // One more is counted even when an entity is replaced, as in the original.
        deps.quotas.require(domain, 'entity', domain.entities.size + 1)
        const entity = { name: entityName, value: JSON.stringify(value) }
        transaction.apply({ kind: 'putEntity', domain: domainName, value: entity })
      })
      return noContent
    },

    async deleteEntity({ params, headers }, context) {
      const { domainName, entityName } = params
      deps.authorizedServices.check(context)
      const subject = { context, domains: [domainName], entity: entityName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'entity', ...headers })
        if (!domain.entities.has(entityName)) {
          throw notFound(`${context.api}: unable to delete entity: ${entityName}`)
        }
        transaction.apply({ kind: 'deleteEntity', domain: domainName, entity: entityName })
      })
      return noContent
    },
  }
}
