import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent, ok } from '#core/http/endpoint.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { serviceIdentityEndpoints } from '../api/service-identity.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { requirePublicKey } from './service-rules.ts'
import { serviceBaseOf } from './stored-service.ts'

type KeyOperation = 'getPublicKeyEntry' | 'putPublicKeyEntry' | 'deletePublicKeyEntry'

/** Public keys of services, one by one. */
export function publicKeyService(deps: ZmsDependencies): Pick<Handlers<typeof serviceIdentityEndpoints>, KeyOperation> {
  const { store, writes } = deps
  return {
    async getPublicKeyEntry({ params }) {
      const domain = await store.domain(params.domain)
      if (!domain) throw notFound(`unknown domain - ${params.domain}`)
      const fullName = serviceFullName(params.domain, params.service)
      const service = domain.services.get(params.service)
      if (!service) throw notFound(`unknown service - ${fullName}`)
      const key = service.publicKeys.get(params.id)
      if (key === undefined)
        throw notFound(`getPublicKeyEntry: PublicKey ${params.id} in service ${fullName} not found`)
      return ok({ key, id: params.id })
    },

    async putPublicKeyEntry({ params, body, headers }, context) {
      const { domain: domainName, service: serviceName, id: keyId } = params
      deps.authorizedServices.check(context)
      if (body.id !== keyId) {
        throw badRequest('putPublicKeyEntry: keyId in URI and PublicKeyEntry object do not match')
      }
      requirePublicKey(keyId, body.key, 'putPublicKeyEntry: Invalid public key')
      const subject = { context, domains: [domainName], entity: serviceName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'service', ...headers })
        const fullName = serviceFullName(domainName, serviceName)
        const service = domain.services.get(serviceName)
        if (!service) throw notFound(`putPublicKeyEntry: Unable to retrieve service: ${fullName}`)
        const owners = deps.ownership.componentWrite(
          'service',
          fullName,
          service.resourceOwnership,
          'publickeys',
          'member',
          headers.resourceOwner,
        )
        if (!service.publicKeys.has(keyId)) deps.quotas.require(domain, 'publicKey', service.publicKeys.size + 1)
        if (owners) {
          const value = { ...serviceBaseOf(service), resourceOwnership: owners }
          transaction.apply({ kind: 'putService', domain: domainName, value })
        }
        const place = { domain: domainName, service: serviceName, keyId }
        transaction.apply({ kind: 'putPublicKey', ...place, key: body.key })
      })
      return noContent
    },

    async deletePublicKeyEntry({ params, headers }, context) {
      const { domain: domainName, service: serviceName, id: keyId } = params
      deps.authorizedServices.check(context)
      const subject = { context, domains: [domainName], entity: serviceName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'service', ...headers })
        const fullName = serviceFullName(domainName, serviceName)
        const service = domain.services.get(serviceName)
        if (!service) throw notFound(`deletePublicKeyEntry: Unable to retrieve service: ${fullName}`)
        deps.ownership.deletion(service.resourceOwnership, 'publickeys', headers.resourceOwner)
        if (!service.publicKeys.has(keyId)) {
          throw notFound(`unable to delete public key: ${keyId} in service ${fullName}`)
        }
        transaction.apply({ kind: 'deletePublicKey', domain: domainName, service: serviceName, keyId })
      })
      return noContent
    },
  }
}
