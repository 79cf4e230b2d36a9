import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { hostEndpoints } from '../api/host.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Hosts and the services that may run there. */
export function hostService({ domains }: Pick<ZtsDependencies, 'domains'>): Handlers<typeof hostEndpoints> {
  return {
    getHostServices({ params: { host } }) {
      const names = domains.servicesOnHost(host)
      return ok({ host, names: names.length > 0 ? names : null })
    },
  }
}
