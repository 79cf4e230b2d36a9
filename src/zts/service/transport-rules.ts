import { notFound } from '#core/error/service-error.ts'
import { type Handlers, ok } from '#core/http/endpoint.ts'
import { isPromise } from '#core/http/maybe-promise.ts'
import { isGroupName, splitPrincipalName } from '#core/names/principal-name.ts'
import { splitResourceName } from '#core/names/resource-name.ts'
import { stateOf } from '#core/rbac/holding.ts'
import { Pace } from '#core/seam/pace.ts'
import type { TransportRule, transportRulesEndpoints } from '../api/transport-rules.ts'
import type { CachedDomain } from '../cache/model.ts'
import type { ZtsDependencies } from './dependencies.ts'
import { Workloads } from './workloads.ts'

/** What an assertion allows between a service of the domain and the members of a role (local name). */
interface Connection extends Omit<TransportRule, 'endPoint'> {
  readonly role: string
}

/** `TCP-IN:1024-65535:443`: protocol, direction, ports of the one who connects, port of the service. */
const ACTION = /^(TCP|UDP)-(IN|OUT):(\d{1,5}(?:-\d{1,5})?):(\d{1,5})$/
const NONE: readonly Connection[] = Object.freeze([])

/** Rules for firewalls, from the policies of a domain and the places where services run. */
export function transportRulesService(
  deps: Pick<ZtsDependencies, 'domains' | 'workloadRecords' | 'now'>,
): Handlers<typeof transportRulesEndpoints> {
  const { domains, now } = deps
  const workloads = new Workloads(deps)
  const connectionsOf = new WeakMap<CachedDomain, ReadonlyMap<string, readonly Connection[]>>()

  function connections(domain: CachedDomain, service: string): readonly Connection[] {
    let byService = connectionsOf.get(domain)
    if (byService === undefined) connectionsOf.set(domain, (byService = readConnections(domain)))
    return byService.get(service) ?? NONE
  }

  /** Addresses of the services among the members of a role; others have their turn while a large one is gone through. */
  async function addresses(domain: CachedDomain, role: string): Promise<readonly string[]> {
    const found: string[] = []
    const pace = new Pace()
    for (const entry of domain.roles.get(role)?.members ?? []) {
      const pause = pace.pause()
      if (pause) await pause
      if (stateOf(entry, now()) !== 'active' || isGroupName(entry.memberName)) continue
      const member = splitPrincipalName(entry.memberName.toLowerCase())
      const home = member && domains.get(member.domain)
      if (member === undefined || home === undefined) continue
      const places = workloads.addressesOf(home, member.name)
      for (const address of isPromise(places) ? await places : places) found.push(address)
    }
    return found
  }

  return {
    async getTransportRules({ params: { domainName, serviceName } }) {
      const domain = domains.get(domainName)
      if (domain === undefined) throw notFound(`Domain not found: '${domainName}'`)
      const rules: TransportRule[] = []
      const byRole = new Map<string, readonly string[]>()
      for (const { role, ...connection } of connections(domain, serviceName)) {
        const endPoints = byRole.get(role) ?? (await addresses(domain, role))
        byRole.set(role, endPoints)
        for (const endPoint of endPoints) rules.push({ endPoint, ...connection })
      }
      return ok({
        ingressRules: rules.filter(({ direction }) => direction === 'IN'),
        egressRules: rules.filter(({ direction }) => direction === 'OUT'),
      })
    },
  }
}

/** The connections that the policies of a domain allow, by local name of the service. What they deny is no rule. */
function readConnections({ name: domain, policies }: CachedDomain): ReadonlyMap<string, readonly Connection[]> {
  const byService = new Map<string, Connection[]>()
  for (const { assertion, denies } of policies.assertions) {
    const [, protocol, direction, sourcePortRange, port] = ACTION.exec(assertion.action) ?? []
    const role = splitResourceName('role', assertion.role)
    if (denies || protocol === undefined || sourcePortRange === undefined || role?.domain !== domain) continue
    const resource = assertion.resource.toLowerCase()
    if (!resource.startsWith(`${domain}:`)) continue
    const service = resource.slice(domain.length + 1)
    const connection: Connection = {
      role: role.name,
      sourcePortRange,
      port: Number(port),
      protocol,
      direction: direction === 'IN' ? 'IN' : 'OUT',
    }
    const same = byService.get(service)
    if (same === undefined) byService.set(service, [connection])
    else same.push(connection)
  }
  return byService
}
