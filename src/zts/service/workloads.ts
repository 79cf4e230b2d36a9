import type { MaybePromise } from '#core/http/maybe-promise.ts'
import { formatTimestamp } from '#core/http/wire.ts'
import { splitPrincipalName } from '#core/names/principal-name.ts'
import { serviceFullName } from '#core/names/resource-name.ts'
import type { Workload } from '../api/workload.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { WorkloadRecord } from '../store/workload-records.ts'
import type { ZtsDependencies } from './dependencies.ts'

/** Provider of the workloads that nobody launched: hosts that a service names itself. */
const STATIC_PROVIDER = 'Static'
const NONE: readonly never[] = Object.freeze([])

/** Where services run: on the hosts that they name, and where instances were last seen. */
export class Workloads {
  readonly #records: ZtsDependencies['workloadRecords']
  readonly #now: () => number

  constructor({ workloadRecords, now }: Pick<ZtsDependencies, 'workloadRecords' | 'now'>) {
    this.#records = workloadRecords
    this.#now = now
  }

  /** The workloads of a service (local name): its hosts, then its instances with all their addresses. */
  async ofService(domain: CachedDomain, service: string): Promise<Workload[]> {
    const updateTime = formatTimestamp(this.#now())
    const hosts = domain.services.get(service)?.hosts ?? NONE
    const records = await this.#records?.ofService(serviceFullName(domain.name, service))
    return [...hosts.map((host) => hostWorkload(host, updateTime)), ...instances(records ?? [])]
  }

  /** The hosts of a service (local name) and the addresses of its instances; waits only for records. */
  addressesOf(domain: CachedDomain, service: string): MaybePromise<readonly string[]> {
    const hosts = domain.services.get(service)?.hosts ?? NONE
    if (this.#records === undefined) return hosts
    const records = this.#records.ofService(serviceFullName(domain.name, service))
    return records.then((found) => [...hosts, ...new Set(found.map(({ ip }) => ip))])
  }

  /** The instances that were seen at an address. */
  async atAddress(ip: string): Promise<Workload[]> {
    const records = (await this.#records?.atAddress(ip)) ?? []
    return records.map((record) => {
      const { domain, name } = splitPrincipalName(record.service) ?? { domain: null, name: record.service }
      return { ...instanceWorkload(record), domainName: domain, serviceName: name }
    })
  }
}

const hostWorkload = (host: string, updateTime: string): Workload => ({
  domainName: null,
  serviceName: null,
  uuid: host,
  ipAddresses: [host],
  hostname: null,
  provider: STATIC_PROVIDER,
  updateTime,
  certExpiryTime: null,
})

const instanceWorkload = (record: WorkloadRecord): Workload => ({
  domainName: null,
  serviceName: null,
  uuid: record.instanceId,
  ipAddresses: null,
  hostname: record.hostname,
  provider: record.provider,
  updateTime: formatTimestamp(record.updateTime),
  certExpiryTime: formatTimestamp(record.certExpiryTime),
})

/** One workload per instance, as its latest record has it. */
function instances(records: readonly WorkloadRecord[]): Workload[] {
  const byInstance = Map.groupBy(records, ({ instanceId }) => instanceId)
  return [...byInstance.values()].map((same) => {
    const latest = same.reduce((a, b) => (b.updateTime > a.updateTime ? b : a))
    return { ...instanceWorkload(latest), ipAddresses: [...new Set(same.map(({ ip }) => ip))] }
  })
}
