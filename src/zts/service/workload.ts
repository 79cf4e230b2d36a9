import { isIP } from 'node:net'
import { badRequest } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import type { workloadEndpoints } from '../api/workload.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { Workloads } from './workloads.ts'

/** Workloads, by service and by address. */
export function workloadService(
  deps: Pick<ZtsDependencies, 'domains' | 'workloadRecords' | 'now'>,
): Handlers<typeof workloadEndpoints> {
  const workloads = new Workloads(deps)
  return {
    async getWorkloadsByService({ params: { domainName, serviceName } }) {
      const domain = deps.domains.get(domainName)
      if (domain === undefined) throw badRequest('Domain data not found. Invalid domain.')
      return ok({ workloadList: await workloads.ofService(domain, serviceName) })
    },

    async getWorkloadsByIP({ params: { ip } }) {
      // A zone, as in fe80::1%eth0, means something on one machine only.
      if (isIP(ip) === 0 || ip.includes('%')) throw badRequest('Invalid IP address')
      return ok({ workloadList: await workloads.atAddress(ip) })
    },
  }
}
