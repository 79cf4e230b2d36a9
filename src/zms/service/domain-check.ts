import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { domainCheckEndpoints } from '../api/domain-check.ts'
import { countsOf } from '../store/object-counts.ts'
import { checkDomain } from './data-check.ts'
import type { ZmsDependencies } from './dependencies.ts'

/** Checks and counts of what domains hold. */
export function domainCheckService({ store }: ZmsDependencies): Handlers<typeof domainCheckEndpoints> {
  return {
    async getDomainDataCheck({ params }) {
      const domain = await store.domain(params.domainName)
      if (!domain) throw notFound(`getDomainDataCheck: Domain not found: '${params.domainName}'`)
      return ok(await checkDomain(store, domain))
    },

    async getStats({ params }) {
      const { name } = params
      const domain = await store.domain(name)
      if (!domain) throw notFound(`unknown domain - ${name}`)
      const counts = countsOf(domain)
      const below = await store.domainNames({ prefix: `${name}.` })
      return ok({ name, ...counts, subdomain: below.length })
    },

    async getSystemStats() {
      return ok(await store.totalCounts())
    },
  }
}
