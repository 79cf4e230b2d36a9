import { badRequest, notFound } from '#core/error/service-error.ts'
import { type Handlers, noContent } from '#core/http/endpoint.ts'
import type { serviceIdentityEndpoints } from '../api/service-identity.ts'
import { auditedDomain } from './audited-domain.ts'
import type { ZmsDependencies } from './dependencies.ts'
import { serviceBaseOf } from './stored-service.ts'
import { compact } from './wire-form.ts'

const LENGTH = { minimum: 32, maximum: 64 }

/** Credentials of services, stored encrypted and never read back through the service. */
export function serviceCredentialsService(
  deps: ZmsDependencies,
): Pick<Handlers<typeof serviceIdentityEndpoints>, 'putServiceCredsEntry'> {
  const { writes, credentialsBox } = deps
  return {
    async putServiceCredsEntry({ params, body, headers }, context) {
      const { domain: domainName, service: serviceName } = params
      deps.authorizedServices.check(context)
      if (!credentialsBox) throw badRequest('Service Credentials are not supported')
      const text = body.value ?? ''
      if (text !== '' && (text.length < LENGTH.minimum || text.length > LENGTH.maximum)) {
        throw badRequest(
          `Invalid creds value. Must be at least ${LENGTH.minimum} and at most ${LENGTH.maximum} bytes long`,
        )
      }
      const creds = text === '' ? undefined : credentialsBox.encrypt(text)
      const subject = { context, domains: [domainName], entity: serviceName, auditRef: headers.auditRef }
      await writes.commit(subject, async (transaction) => {
        const domain = await auditedDomain(deps, context, transaction, { domainName, kind: 'service', ...headers })
        const service = domain.services.get(serviceName)
        if (!service) throw notFound('Service not found')
        const value = compact({ ...serviceBaseOf(service), creds })
        transaction.apply({ kind: 'putService', domain: domainName, value })
      })
      return noContent
    },
  }
}
