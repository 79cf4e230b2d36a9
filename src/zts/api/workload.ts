import { authenticate, endpoint } from '#core/http/endpoint.ts'
import { lowered, shown } from '#core/http/scalar-types.ts'
import { list, nullable, struct, time, type ValueOf } from '#core/http/wire.ts'
import { checkedErrors, inDomain } from './parameters.ts'

/** An instance of a service, or a host that it is said to run on. What the question says already is null. */
export const Workload = struct('Workload', {
  domainName: nullable(shown.domain),
  serviceName: nullable(shown.entity),
  uuid: shown.text,
  /** Null where one address was asked for. */
  ipAddresses: nullable(list(shown.text)),
  hostname: nullable(shown.text),
  provider: shown.text,
  updateTime: time(),
  certExpiryTime: nullable(time()),
})
export type Workload = ValueOf<typeof Workload>

/** Several workloads. */
export const Workloads = struct('Workloads', { workloadList: list(Workload) })
export type Workloads = ValueOf<typeof Workloads>

/** Where services run. Read-only mode refuses these, too. */
export const workloadEndpoints = {
  getWorkloadsByService: endpoint({
    operation: 'getWorkloadsByService',
    method: 'GET',
    path: '/domain/{domainName}/service/{serviceName}/workloads',
    group: 'Workload',
    summary: 'Lists the workloads of a service.',
    params: { ...inDomain, serviceName: lowered.entity },
    access: authenticate,
    responses: { 200: Workloads },
    errors: checkedErrors,
    writes: true,
  }),
  getWorkloadsByIP: endpoint({
    operation: 'getWorkloadsByIP',
    method: 'GET',
    path: '/workloads/{ip}',
    group: 'Workload',
    summary: 'Lists the workloads at an address.',
    params: { ip: lowered.text },
    access: authenticate,
    responses: { 200: Workloads },
    errors: checkedErrors,
    writes: true,
  }),
}
